"""Which requests bring a picture. Their bodies are read as they come, by the door itself."""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.types import Scope

_ALWAYS = re.compile(r"/(api/snapshots|v1/captures|v1/cameras/[^/]+/snapshots/.*)\Z", re.DOTALL)
_BY_BODY = re.compile(r"/v1/cameras/[^/]+/snapshots\Z")
_NEVER = frozenset({"GET", "HEAD", "OPTIONS"})


def brings_picture(scope: Scope) -> bool:
    """Whether the body of this request is a picture, or holds one. ``POST …/snapshots`` asks the
    camera for one when its body is JSON or not there."""
    path = scope["path"]
    if scope["method"] in _NEVER:
        return False
    if _ALWAYS.match(path):
        return True
    return bool(_BY_BODY.match(path)) and not _asks(Headers(scope=scope))


def _asks(headers: Headers) -> bool:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    empty = headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers
    return kind == "application/json" or (empty and not kind)
