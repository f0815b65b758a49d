"""Errors as RFC 9457 problem documents: a stable type, what is wrong, and the next step; never what is inside.

Types are references below ``/problems/``, which every instance serves as a page. Clients compare the last segment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from tenure.errors import TenureError

MEDIA_TYPE = "application/problem+json"
PLACE = "/problems/"


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of problem; ``slug`` never changes once released."""

    slug: str
    status: int
    title: str
    fix: str  # what to do when the error itself gives no advice
    quiet: bool = False  # the error's own words speak of the inside: they go to the log alone

    @property
    def type(self) -> str:
        return PLACE + self.slug


MALFORMED = Kind("malformed", 400, "The request cannot be read", "send well-formed JSON, as /api/v1/openapi.json describes it")
BAD_CURSOR = Kind("bad-cursor", 400, "The cursor is not one of this list", "start again without cursor, same filter and sort")
UNAUTHENTICATED = Kind(
    "unauthenticated", 401, "Who you are is not known", "send Authorization: Bearer with a token that is in force"
)
FORBIDDEN = Kind("forbidden", 403, "Your role does not allow this", "ask an administrator for the role docs/api-access.md names")
NOT_FOUND = Kind("not-found", 404, "There is no such thing, or it is not yours to see", "check the id, and whose it is")
NO_METHOD = Kind("no-such-method", 405, "This path has no such method", "see the Allow header and /api/v1/openapi.json")
CONFLICT = Kind("conflict", 409, "It contradicts what is recorded", "read it again, then decide")
BUSY_KEY = Kind("idempotency-in-flight", 409, "A request with this key is being worked on", "wait a second and send it again")
UNKNOWN_OUTCOME = Kind(
    "idempotency-outcome-unknown",
    409,
    "A request with this key was begun and its outcome is not known",
    "read what you wanted to change; if it did not happen, send it with a new key",
)
STALE = Kind("stale-version", 412, "It was changed since you read it", "read it again and decide on what it is now")
TOO_LARGE = Kind("too-large", 413, "The body is too large", "send it in parts, or import with the command line")
URI_TOO_LONG = Kind("uri-too-long", 414, "The address is too long", "use fewer or shorter filters")
BAD_MEDIA = Kind("unsupported-media-type", 415, "The body is of another type", "send Content-Type: application/json")
INVALID = Kind("invalid", 422, "The request says something that cannot be", "mend what errors names")
REUSED_KEY = Kind("idempotency-key-reused", 422, "This key was used for another request", "make a new key for each new request")
NO_PRECONDITION = Kind("precondition-required", 428, "Say on which version you decided", "send If-Match with the ETag you read")
TOO_MANY = Kind("too-many-requests", 429, "Too many requests", "wait as long as Retry-After says")
HEADERS_TOO_LARGE = Kind("headers-too-large", 431, "The headers are too many or too large", "send fewer headers")
NOT_PERMITTED = Kind("not-permitted", 403, "This is not yours to do here", "ask who acts for the owner of the device")
WRONG_STATE = Kind("wrong-state", 409, "The device is in another state", "see docs/devices.md for what leads on from there")
REASON_MISSING = Kind("reason-missing", 422, "This needs a reason", "say why")
APPROVAL_MISSING = Kind("approval-missing", 409, "This takes a second person", "request it, and have an approver agree")
APPROVAL_INVALID = Kind("approval-invalid", 409, "The approval does not cover this", "make a new request and have it approved")
ROOT_NOT_FREE = Kind("root-not-free", 409, "A hardware root is not free", "use the device that has it")
OWNER_MISSING = Kind("owner-missing", 409, "An owner and a trust domain are missing", "name both")
FOREIGN_OWNER = Kind("foreign-owner", 409, "The device has another owner", "have that owner offer it")
KEY_MISSING = Kind("key-missing", 409, "The device has no new key", "enrol it with a new key first")
KEY_REFUSED = Kind("key-refused", 409, "The key is not free", "make a new key")
OFFER_INVALID = Kind("offer-invalid", 409, "The offer does not hold", "make, or ask for, a new offer")
SUCCESSOR_INVALID = Kind("successor-invalid", 409, "That hardware cannot take the role", "take hardware that is not in service")
PROOF_INVALID = Kind("proof-invalid", 409, "The hardware has not proved itself", "have it sign the challenge of this request")
NOT_SETTLED = Kind("not-settled", 409, "Obligations are open", "close them first")
DEFECT = Kind("defect", 500, "A defect of Tenure", "report it with the request id; its log has the cause", quiet=True)
BUSY = Kind("busy", 503, "Another change is in the way; nothing was changed", "send it again in a moment", quiet=True)
STORE_DOWN = Kind(
    "store-down",
    503,
    "The database does not answer; whether the change was made is not known",
    "read what you wanted to change, or send it again with the same Idempotency-Key; /readyz says what is missing",
    quiet=True,
)
UNSETTLED = Kind(
    "unsettled", 503, "The database is not the latest: nothing is changed until that is settled", "see docs/ledger.md"
)

KINDS = {
    kind.slug: kind
    for kind in (
        MALFORMED, BAD_CURSOR, UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, NO_METHOD, CONFLICT, BUSY_KEY, UNKNOWN_OUTCOME, STALE,
        TOO_LARGE, URI_TOO_LONG, BAD_MEDIA, INVALID, REUSED_KEY, NO_PRECONDITION, TOO_MANY, HEADERS_TOO_LARGE, DEFECT,
        BUSY, STORE_DOWN, UNSETTLED, NOT_PERMITTED, WRONG_STATE, REASON_MISSING, APPROVAL_MISSING, APPROVAL_INVALID,
        ROOT_NOT_FREE, OWNER_MISSING, FOREIGN_OWNER, KEY_MISSING, KEY_REFUSED, OFFER_INVALID, SUCCESSOR_INVALID, PROOF_INVALID,
        NOT_SETTLED,
    )
}  # fmt: skip


class RefusalError(TenureError):
    """A refusal of the HTTP face itself, with the kind of problem it is."""

    def __init__(self, kind: Kind, problem: str = "", fix: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(problem or kind.title, fix or kind.fix)
        self.kind = kind
        self.headers = dict(headers or {})


class Flaw(BaseModel):
    """One thing wrong in a request: where (RFC 6901 pointer, or the name of the parameter), and what. Never the value."""

    where: str = Field(examples=["/body/reason"])
    what: str = Field(examples=["String should have at least 1 character"])


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "/problems/stale-version",
                "title": STALE.title,
                "status": 412,
                "detail": "the device is at version 8, you decided on version 7",
                "fix": STALE.fix,
                "instance": "urn:uuid:019363f0-7c1e-7bb2-8b1a-3c4d5e6f7a8b",
            }
        }
    )

    type: str = Field(description="Which kind of problem: stable, and a page of this server")
    title: str
    status: int
    detail: str
    fix: str = Field(description="The next step")
    instance: str = Field(description="This occurrence: the request id, as it stands in the log")
    see: list[str] | None = Field(default=None, description="Ids of what it is about, where you may see them")
    errors: list[Flaw] | None = Field(default=None, description="What in the request is wrong, one by one")


def answer(
    kind: Kind,
    request_id: str,
    detail: str = "",
    fix: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    flaws: Sequence[Flaw] = (),
    see: Sequence[str] = (),
) -> JSONResponse:
    """The response for one problem."""
    body = Problem(
        type=kind.type,
        title=kind.title,
        status=kind.status,
        detail=detail or kind.title,
        fix=fix or kind.fix,
        instance=f"urn:uuid:{request_id}",
        see=list(see) or None,
        errors=list(flaws) or None,
    )
    return JSONResponse(body.model_dump(exclude_none=True), kind.status, headers, media_type=MEDIA_TYPE)


def documented(*kinds: Kind) -> dict[int | str, dict[str, object]]:
    """The ``responses`` of a route in OpenAPI for the problems it may answer with."""
    by_status: dict[int | str, list[Kind]] = {}
    for kind in kinds:
        by_status.setdefault(kind.status, []).append(kind)
    return {
        status: {
            "description": "; ".join(kind.title for kind in same),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, same in by_status.items()
    }
