"""What the server offers to an app beyond ASGI, by names in ``scope["extensions"]``."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import Scope

ABORT = "snapbus.abort"
"""A function that cuts the connection of this request at once."""
WITHIN = "snapbus.within"
"""A function that says in how many seconds from now a body that has not ended by then is cut off,
where it is not the usual time."""


def within(scope: Scope, seconds: float) -> None:
    """Call WITHIN, if the server offers it."""
    offered: Callable[[float], None] | None
    offered = scope.get("extensions", {}).get(WITHIN, {}).get("within")
    if offered:
        offered(seconds)


def abort(scope: Scope) -> None:
    """Call ABORT, if the server offers it."""
    offered: Callable[[], None] | None
    offered = scope.get("extensions", {}).get(ABORT, {}).get("abort")
    if offered:
        offered()
