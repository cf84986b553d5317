"""The routes of an app, and the methods that an address takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from starlette.routing import BaseRoute, Match
from starlette.types import Scope


def every_route(routes: Sequence[BaseRoute]) -> Iterator[BaseRoute]:
    """Those of included routers too."""
    for route in routes:
        inner: Any = getattr(route, "original_router", None)  # of a router that was included
        if inner is None:
            yield route
        else:
            yield from every_route(inner.routes)


def allowed(routes: Sequence[BaseRoute], scope: Scope) -> str:
    """The header ``Allow`` for the address of a request."""
    methods: set[str] = set()
    for route in every_route(routes):
        if route.matches(scope)[0] != Match.NONE:
            methods |= set(getattr(route, "methods", None) or ())
    return ", ".join(sorted(methods))
