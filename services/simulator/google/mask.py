"""The parameter ``fields``: which parts of an answer are wanted, such as ``items(id,labels)``."""

from __future__ import annotations

import re
from typing import Any

from services.simulator.google.wire import Refusal

Mask = dict[str, "Mask"]
"""The names that are wanted, each with those in it; nothing in it means all of it."""

_TOKEN = re.compile(r"[\w#-]+|\*|[(),/]")
_MAX_DEPTH = 10


def masked(given: Any, fields: str) -> Any:
    """Only what is asked for of an answer; all of it for no fields. Raises Refusal."""
    if not fields or fields == "*":
        return given
    tokens = _TOKEN.findall(fields.replace(" ", ""))
    if "".join(tokens) != fields.replace(" ", ""):
        raise _bad(fields)
    tokens.reverse()
    mask = _read(tokens, fields, 0)
    if tokens:
        raise _bad(fields)
    return _cut(given, mask)


def _bad(fields: str) -> Refusal:
    return Refusal(400, "invalidParameter", f"Invalid field selection {fields[:100]}")


def _read(tokens: list[str], fields: str, depth: int) -> Mask:
    if depth > _MAX_DEPTH:
        raise _bad(fields)
    mask: Mask = {}
    while True:
        inner = mask
        while True:
            if not tokens or tokens[-1] in "(),/":
                raise _bad(fields)
            inner = inner.setdefault(tokens.pop(), {})
            if not (tokens and tokens[-1] == "/"):
                break
            tokens.pop()
        if tokens and tokens[-1] == "(":
            tokens.pop()
            inner.update(_read(tokens, fields, depth + 1))
            if not tokens or tokens.pop() != ")":
                raise _bad(fields)
        if not (tokens and tokens[-1] == ","):
            return mask
        tokens.pop()


def _cut(given: Any, mask: Mask) -> Any:
    if not mask or "*" in mask:
        return given
    if isinstance(given, list):
        return [_cut(each, mask) for each in given]
    if not isinstance(given, dict):
        return given
    return {name: _cut(value, mask[name]) for name, value in given.items() if name in mask}
