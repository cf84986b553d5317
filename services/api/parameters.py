"""Parameters that a route does not know are refused: a misspelled filter must not return all. So is
one that stands twice, of which the last alone would count, but where a route takes several."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, get_origin

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from services.api.problems import Problem


async def known_only(request: Request) -> None:
    """A dependency of every route. Raises a Problem that names the parameters there are, or
    the one that is repeated."""
    route = request.scope.get("route")
    if not request.query_params or not isinstance(route, APIRoute):
        return
    if not route.path.startswith("/v1/"):  # pages have theirs to themselves
        return
    takes_several = _parameters(route.dependant)
    for name in request.query_params:
        if name not in takes_several:
            raise _unknown(name, sorted(takes_several))
        values = request.query_params.getlist(name)
        if len(values) > 1 and not takes_several[name]:
            raise Problem(
                422,
                "repeated-parameter",
                f"The parameter {name!r} stands {len(values)} times here; only one can hold.",
            )


def _unknown(name: str, known: Sequence[str]) -> Problem:
    close = get_close_matches(name, known, n=1)
    guess = f" Did you mean {close[0]}?" if close else ""
    there_are = f"There are {', '.join(known)}." if known else "It takes none."
    return Problem(
        422,
        "unknown-parameter",
        f"There is no parameter {name[:64]!r} here.{guess} {there_are}",
    )


def _parameters(dependant: Dependant) -> dict[str, bool]:
    """The names of the parameters, and whether each may stand several times."""
    found: dict[str, bool] = {}
    for field in dependant.query_params:
        kind: Any = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            for name, each in kind.model_fields.items():
                found[each.alias or name] = get_origin(each.annotation) is list
        else:
            found[field.alias] = get_origin(kind) is list
    for inner in dependant.dependencies:
        found |= _parameters(inner)
    return found
