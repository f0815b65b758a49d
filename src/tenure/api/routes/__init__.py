"""The routes, a module per thing. Each reads the request, calls one flow or query, and shows what came of it."""

from tenure.api.routes import devices, myself, parties, people, server, tokens

ROUTERS = (server.router, myself.router, devices.router, *parties.ROUTERS, tokens.router, people.router)
