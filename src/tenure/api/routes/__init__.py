"""The routes, a module per thing. Each reads the request, calls one flow or query, and shows what came of it."""

from tenure.api.routes import approvals, devices, events, myself, obligations, parties, people, server, tokens

ROUTERS = (
    server.router,
    myself.router,
    devices.router,
    obligations.router,
    approvals.router,
    *parties.ROUTERS,
    tokens.router,
    people.router,
    events.router,
)
