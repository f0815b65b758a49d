"""The public parts of Tenure's own keys, for everybody who checks what Tenure signed."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from tenure.api.access_table import V1
from tenure.api.guard import GuardedRoute
from tenure.api.parts import Works
from tenure.model.own_keys import Purpose, jwk

router = APIRouter(prefix=V1, route_class=GuardedRoute, tags=["server"])


class KeyForm(BaseModel):
    """A JSON Web Key (RFC 7517, RFC 8037, RFC 9864)."""

    kty: str = Field(examples=["OKP"])
    crv: str = Field(examples=["Ed25519"])
    kid: str = Field(description="The key id that signatures name", examples=["0f1e2d3c4b5a6978"])
    x: str = Field(description="The key, base64url", examples=["11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"])
    use: str = Field(examples=["sig"])
    alg: str = Field(examples=["Ed25519"])
    purpose: Purpose = Field(description="What it signs; a signature for something else is not ours", examples=["webhook"])


class KeySet(BaseModel):
    keys: list[KeyForm]


@router.get(
    "/keys",
    summary="Public keys of this Tenure, as a JWK Set",
    description="Those in use and those that were: what they signed still counts. A key that was ended or stolen is not here.",
)
def published(parts: Works) -> KeySet:
    return KeySet(keys=[KeyForm.model_validate(jwk(key)) for key in parts.published()])
