"""What a simulated Google is asked and answers: calls, answers, refusals as Google words them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """One request; names of headers are in lower case, ``base`` is the address that was asked."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base: str = ""

    def json(self) -> dict[str, Any]:
        """The body as an object. Raises Refusal."""
        try:
            given = json.loads(self.body or b"{}")
        except (ValueError, RecursionError):
            raise Refusal(400, "parseError", "Parse Error") from None
        if not isinstance(given, dict):
            raise Refusal(400, "parseError", "Parse Error")
        return given

    def flag(self, name: str) -> bool:
        """Whether this parameter is true."""
        return self.query.get(name, "").lower() == "true"


@dataclass(frozen=True, slots=True)
class Answer:
    """One reply."""

    status: int = 200
    body: bytes = b""
    kind: str = "application/json; charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """What Google refuses, by its reason."""

    def __init__(self, status: int, reason: str, message: str, domain: str = "global") -> None:
        super().__init__(f"{status} {reason}")
        self.status, self.reason, self.message, self.domain = status, reason, message, domain

    def answer(self) -> Answer:
        """The refusal in Google's JSON."""
        one = {"domain": self.domain, "reason": self.reason, "message": self.message}
        if self.status == 401:
            one |= {"locationType": "header", "location": "Authorization"}
        error = {"errors": [one], "code": self.status, "message": self.message}
        headers = {"WWW-Authenticate": 'Bearer realm="simulated"'} if self.status == 401 else {}
        return answer({"error": error}, self.status, **headers)


def not_found(what: str) -> Refusal:
    """The refusal of an id that is unknown, or not to be seen."""
    return Refusal(404, "notFound", f"File not found: {what}")


def invalid(what: str) -> Refusal:
    """The refusal of a value."""
    return Refusal(400, "invalid", f"Invalid Value: {what}")


def answer(given: Any, status: int = 200, **headers: str) -> Answer:
    """An answer in JSON; ``headers`` with _ for -."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps(given, ensure_ascii=False).encode(), headers=named)
