"""The routes, one module per resource; each gets what it needs and returns a router."""
