"""Verbs on devices: registration, and a route for each verb on one device.

Annotations here are values, not texts: the form of a verb is a variable, and FastAPI reads it from the signature.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Response

from tenure.api import conditional
from tenure.api.access_table import V1
from tenure.api.conditional import etag
from tenure.api.guard import GuardedRoute
from tenure.api.parts import Ask, Records
from tenure.api.problem import CONFLICT, NOT_FOUND, STALE, documented
from tenure.api.shapes.devices import TAGGED, DeviceForm
from tenure.api.shapes.verbs import ORDERS, NewDevice, RegisteredForm, ReturnOrder
from tenure.flows.devices.act import Order, act
from tenure.flows.devices.arrive import register
from tenure.lifecycle.commands import Register
from tenure.lifecycle.transitions import TABLE
from tenure.model.devices import HardwareRoot, Verb

router = APIRouter(prefix=f"{V1}/devices", route_class=GuardedRoute, tags=["devices"])

IfMatch = Annotated[str | None, Header(description="The ETag you decided on; without it, whatever it is now")]


@router.post(
    "", status_code=201, summary="Register a device", responses={201: {"headers": TAGGED}, **documented(CONFLICT, NOT_FOUND)}
)
def registered(ask: Ask, registry: Records, order: NewDevice, response: Response) -> RegisteredForm:
    roots = tuple(HardwareRoot(root.kind, bytes.fromhex(root.spki)) for root in order.roots)
    told = order.model_dump(exclude={"roots", "reason", "evidence"})
    command = Register(registry.world.ids(), roots, **told)
    new = register(registry, ask.actor, command, order.reason, tuple(map(bytes.fromhex, order.evidence)))
    response.headers["Location"] = f"{V1}/devices/{new.device.id}"
    response.headers["ETag"] = etag(new.device.version)
    conflicts = sorted({other for conflict in new.conflicts for other in conflict.others})
    return RegisteredForm(**dict(DeviceForm.model_validate(new.device)), conflicts=conflicts)


def _add(verb: Verb, form: Any) -> None:
    """The route of one verb."""

    def done(ask: Ask, registry: Records, device: UUID, order: form, response: Response, if_match: IfMatch = None) -> Any:
        wanted = Order(
            device,
            order.command(),
            order.reason,
            tuple(map(bytes.fromhex, order.evidence)),
            conditional.number_of(conditional.optional(if_match)),
            getattr(order, "approval", None),
            order.root_answer() if isinstance(order, ReturnOrder) else None,
        )
        after = act(registry, ask.actor, wanted)
        response.headers["ETag"] = etag(after.version)
        return after

    rule = TABLE[verb]
    router.add_api_route(
        f"/{{device}}/{verb.value}",
        done,
        methods=["POST"],
        response_model=DeviceForm,
        name=verb.value,
        summary=f"{verb.value.capitalize().replace('-', ' ')}: {', '.join(sorted(rule.sources))} to {rule.target}",
        description=_demands(verb),
        responses={200: {"headers": TAGGED}, **documented(NOT_FOUND, CONFLICT, STALE)},
    )


def _demands(verb: Verb) -> str:
    rule = TABLE[verb]
    asked = [*(demand.value for demand in rule.demands), *(["a reason"] if rule.reason else [])]
    asked += ["the approval of a second person"] if rule.four_eyes else []
    told = f"Takes {', '.join(asked)}." if asked else ""
    return f"{told} {'It cannot be undone.' if rule.irreversible else ''}".strip()


for _verb, _form in ORDERS.items():
    _add(_verb, _form)
