"""The routes, a module per thing. Each reads the request, calls one flow or query, and shows what came of it."""
