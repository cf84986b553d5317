"""The cookies of the page: for this server only, and for no script."""

from __future__ import annotations

from starlette.responses import Response

YEAR_S = 365 * 86_400


def give(response: Response, name: str, value: str, *, secure: bool, seconds: int = YEAR_S) -> None:
    """Set a cookie; ``secure``: the browser came by TLS and sends it by TLS only."""
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax"
    )


def forget(response: Response, name: str) -> None:
    """Have the browser forget a cookie."""
    response.delete_cookie(name, path="/", httponly=True, samesite="lax")
