"""The search language of API v2: a query is read once, and then asked about each file."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.simulator.google.clock import read
from services.simulator.google.file import Caller, File
from services.simulator.google.wire import Refusal

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*')|(?P<op><=|>=|!=|=|<|>)|(?P<mark>[(){}])|(?P<word>\w+))"
)
_MAX_LENGTH = 8000
_MAX_DEPTH = 40


@dataclass(frozen=True, slots=True)
class Shown:
    """A file as a search sees it: with whether it is in the trash, for one caller."""

    file: File
    trashed: bool
    caller: Caller


Test = Callable[[Shown], bool]


@dataclass(frozen=True, slots=True)
class Query:
    """A query; ``parent`` is the folder that all it finds are in, if it says one."""

    matches: Test
    parent: str | None = None


def parse(text: str, root: str) -> Query:
    """Read a query; ``root`` stands for the alias of that name. Raises Refusal."""
    if not text.strip():
        return Query(lambda shown: True)
    if len(text) > _MAX_LENGTH:
        raise _bad()
    reader = _Reader(_tokens(text), root)
    test, parent = reader.either()
    if reader.rest:
        raise _bad()
    return Query(test, parent)


def _bad() -> Refusal:
    return Refusal(400, "invalid", "Invalid Value")


def _tokens(text: str) -> list[tuple[str, str]]:
    found, place = [], 0
    text = text.strip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if not match or not match.lastgroup:
            raise _bad()
        found.append((match.lastgroup, match[match.lastgroup]))
        place = match.end()
    return found


class _Reader:
    """Reads tokens from the left: ``or`` binds weaker than ``and``, ``not`` strongest."""

    def __init__(self, tokens: Sequence[tuple[str, str]], root: str) -> None:
        self.rest = list(reversed(tokens))
        self._root = root
        self._depth = 0

    def either(self) -> tuple[Test, str | None]:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise _bad()
        test, parent = self._both()
        while self._take("or"):
            other, _ = self._both()
            test, parent = _any_of(test, other), None
        self._depth -= 1
        return test, parent

    def _both(self) -> tuple[Test, str | None]:
        test, parent = self._one()
        while self._take("and"):
            other, second = self._one()
            test, parent = _all_of(test, other), parent or second
        return test, parent

    def _one(self) -> tuple[Test, str | None]:
        if self._take("not"):
            self._depth += 1
            if self._depth > _MAX_DEPTH:
                raise _bad()
            test, _ = self._one()
            self._depth -= 1
            return _not(test), None
        if self._take("("):
            inner = self.either()
            self._need(")")
            return inner
        return self._term()

    def _term(self) -> tuple[Test, str | None]:
        kind, value = self._next()
        if kind == "text":
            self._need("in")
            return self._in(_text(value), self._next()[1])
        if kind != "word":
            raise _bad()
        operator = self._next()[1]
        if value == "properties" and operator == "has":
            return self._has(), None
        given_kind, given = self._next()
        if given_kind == "word" and given in ("true", "false"):
            return _boolean(value, operator, given == "true"), None
        if given_kind != "text":
            raise _bad()
        return _comparison(value, operator, _text(given)), None

    def _in(self, value: str, field: str) -> tuple[Test, str | None]:
        if field == "parents":
            folder = self._root if value == "root" else value
            return lambda shown: shown.file.parent == folder, folder
        if field in ("owners", "writers", "readers"):
            return lambda shown: value == shown.file.owner or value in shown.file.roles, None
        raise _bad()

    def _has(self) -> Test:
        self._need("{")
        wanted = {}
        while True:
            (_, name), (_, equals), (kind, value) = self._next(), self._next(), self._next()
            if equals != "=" or kind != "text" or name not in ("key", "value", "visibility"):
                raise _bad()
            wanted[name] = _text(value)
            if not self._take("and"):
                break
        self._need("}")
        if not {"key", "value"} <= wanted.keys():
            raise _bad()
        visibility = wanted.get("visibility", "PRIVATE")

        def test(shown: Shown) -> bool:
            return any(
                (each.key, each.value, each.visibility)
                == (wanted["key"], wanted["value"], visibility)
                and (visibility == "PUBLIC" or each.client == shown.caller.client)
                for each in shown.file.properties
            )

        return test

    def _next(self) -> tuple[str, str]:
        if not self.rest:
            raise _bad()
        return self.rest.pop()

    def _take(self, word: str) -> bool:
        if self.rest and self.rest[-1][0] != "text" and self.rest[-1][1] == word:
            self.rest.pop()
            return True
        return False

    def _need(self, word: str) -> None:
        if not self._take(word):
            raise _bad()


def _any_of(one: Test, other: Test) -> Test:
    return lambda shown: one(shown) or other(shown)


def _all_of(one: Test, other: Test) -> Test:
    return lambda shown: one(shown) and other(shown)


def _not(test: Test) -> Test:
    return lambda shown: not test(shown)


def _text(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted[1:-1], flags=re.DOTALL)


def _boolean(field: str, operator: str, wanted: bool) -> Test:
    reads: dict[str, Test] = {
        "trashed": lambda shown: shown.trashed,
        "starred": lambda shown: shown.caller.email in shown.file.starred,
        "sharedWithMe": lambda shown: shown.file.owner != shown.caller.email,
    }
    if field not in reads or operator not in ("=", "!="):
        raise _bad()
    of, wanted = reads[field], wanted is (operator == "=")
    return lambda shown: of(shown) is wanted


def _comparison(field: str, operator: str, wanted: str) -> Test:
    if field in ("modifiedDate", "createdDate"):
        return _of_time(field, operator, read(wanted))
    if field == "fullText" and operator == "contains":
        return lambda shown: _contains(f"{shown.file.title} {shown.file.description}", wanted)
    if field == "title" and operator == "contains":
        return lambda shown: _contains(shown.file.title, wanted)
    if field == "mimeType" and operator == "contains":
        return lambda shown: shown.file.mime.startswith(wanted)
    if field not in ("title", "mimeType") or operator not in ("=", "!="):
        raise _bad()
    is_title, equal = field == "title", operator == "="
    return lambda shown: ((shown.file.title if is_title else shown.file.mime) == wanted) is equal


def _of_time(field: str, operator: str, wanted: float) -> Test:
    compare: dict[str, Callable[[float], bool]] = {
        "=": lambda time: time == wanted,
        "!=": lambda time: time != wanted,
        "<": lambda time: time < wanted,
        "<=": lambda time: time <= wanted,
        ">": lambda time: time > wanted,
        ">=": lambda time: time >= wanted,
    }
    if operator not in compare:
        raise _bad()
    holds, is_created = compare[operator], field == "createdDate"
    return lambda shown: holds(shown.file.created if is_created else shown.file.modified)


def _contains(text: str, wanted: str) -> bool:
    """Whether the words follow each other there, the last at least as a beginning."""
    words, sought = (re.findall(r"[^\W_]+", each.casefold()) for each in (text, wanted))
    size = len(sought)
    return any(
        words[at : at + size - 1] == sought[:-1] and words[at + size - 1].startswith(sought[-1])
        for at in range(len(words) - size + 1)
    ) if sought else True  # fmt: skip
