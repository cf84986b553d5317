"""What every simulated camera that is asked by HTTP does: it answers its own paths as the real."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

Mood = Literal["fine", "slow", "half", "busy", "silent", "closed"]
"""How a camera answers: every picture drips, ends in the middle, is refused by 503, never comes;
or nothing is said at all."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``uri`` is the path with the query as it came; names of headers are in lower
    case."""

    method: str
    uri: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def authorization(self) -> str:
        return self.headers.get("authorization", "")


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; ``stream``, if there is one, is its body."""

    kind: str
    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: Iterator[bytes] | None = None


class Device(Protocol):
    """A simulated camera; asked by one thread at a time."""

    name: str
    mood: Mood

    def answer(self, request: Request) -> Reply | None:
        """The answer; None for a path of another device."""


def picture(jpeg: bytes) -> Reply:
    """A picture as most cameras send it."""
    return Reply("image/jpeg", jpeg)


def page(title: str, status: int = 200, **headers: str) -> Reply:
    """A web page; ``headers`` with _ for -."""
    body = f"<html><head><title>{title}</title></head><body>{title}</body></html>"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply("text/html", body.encode(), status, named)


def unauthorized(challenge: str) -> Reply:
    """The refusal that asks for a login."""
    return page("Unauthorized", 401, WWW_Authenticate=challenge)
