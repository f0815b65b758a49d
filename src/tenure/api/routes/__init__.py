"""The routes, a module per thing. Each reads the request, calls one flow or query, and shows what came of it."""

from tenure.api.routes import (
    approvals,
    devices,
    events,
    findings,
    keys,
    myself,
    obligations,
    parties,
    people,
    server,
    tokens,
    transfers,
    verbs,
    webhooks,
)

ROUTERS = (
    server.router,
    keys.router,
    myself.router,
    devices.router,
    verbs.router,
    transfers.router,
    obligations.router,
    findings.router,
    approvals.router,
    *parties.ROUTERS,
    tokens.router,
    people.router,
    events.router,
    webhooks.router,
)
