"""Lists of a simulated Drive: searched, in order, page by page."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from services.simulator.google.clock import Clock
from services.simulator.google.file import Caller, File
from services.simulator.google.files import Files
from services.simulator.google.query import Shown, parse
from services.simulator.google.wire import Call, invalid, not_found

PAGE, MOST = 100, 1000
_KEYS: dict[str, Callable[[File], Any]] = {
    "modifiedDate": lambda file: file.modified,
    "createdDate": lambda file: file.created,
    "title": lambda file: file.title.casefold(),
    "title_natural": lambda file: file.title.casefold(),
    "quotaBytesUsed": lambda file: file.size or 0,
    "folder": lambda file: not file.is_folder,
}


@dataclass(frozen=True, slots=True)
class _Next:
    """Where the next page of a list begins: at this place among what was found at first."""

    query: tuple[str, ...]
    ids: Sequence[str]
    place: int
    ends: float


class Listing:
    """One thread at a time. A page's token is good for ``life`` seconds. What changed since the
    first page is left out of the others, and what came since is in none."""

    def __init__(self, files: Files, clock: Clock) -> None:
        self._files = files
        self._clock = clock
        self._pages: dict[str, _Next] = {}
        self.life = 3600.0

    def page(self, call: Call, caller: Caller) -> dict[str, Any]:
        """One page of what is asked for. Raises Refusal."""
        query = tuple(call.query.get(name, "") for name in ("q", "orderBy", "corpora", "driveId"))
        size = _size(call.query.get("maxResults", str(PAGE)))
        matches, parent = self._wanted(call, caller)
        if token := call.query.get("pageToken"):
            page = self._known(token, query)
            ids, place = page.ids, page.place
            seen = self._files.tree.listed_by_id(ids[place : place + size])
            found = [file for file in seen if matches(file)]
        else:
            key = _order(call.query.get("orderBy") or "modifiedDate desc")
            every = sorted(filter(matches, self._files.tree.listed(parent)), key=key)
            ids, place, found = [file.id for file in every], 0, every[:size]
        given = {
            "kind": "drive#fileList",
            "incompleteSearch": False,
            "items": [self._files.told(file, caller, call.base) for file in found],
        }
        if len(ids) > place + size:
            token = f"~!!~{secrets.token_urlsafe(24)}"
            self._pages[token] = _Next(query, ids, place + size, self._clock.now() + self.life)
            given["nextPageToken"] = token
        return given

    def _wanted(self, call: Call, caller: Caller) -> tuple[Callable[[File], bool], str | None]:
        """What is asked for, and the folder that all of it is in, if there is one."""
        files, tree = self._files, self._files.tree
        drive = call.query.get("driveId") or call.query.get("teamDriveId")
        if drive and drive not in files.drives:
            raise not_found(drive)
        query = parse(call.query.get("q", ""), drive or tree.root(caller.email).id)
        everywhere = call.flag("includeItemsFromAllDrives") or call.flag("includeTeamDriveItems")
        if query.parent is not None:
            tree.get(query.parent)

        def matches(file: File) -> bool:
            return (
                file.parent is not None
                and (file.drive == drive if drive else file.drive is None or everywhere)
                and files.sees(file, caller)
                and query.matches(Shown(file, tree.is_trashed(file), caller))
            )

        return matches, query.parent

    def _known(self, token: str, query: tuple[str, ...]) -> _Next:
        now = self._clock.now()
        self._pages = {name: each for name, each in self._pages.items() if each.ends > now}
        page = self._pages.get(token)
        if not page or page.query != query:
            raise invalid("pageToken")
        return page


def _size(text: str) -> int:
    if not text.isdecimal() or len(text) > 9 or not int(text):
        raise invalid("maxResults")
    return min(int(text), MOST)


def _order(text: str) -> Callable[[File], tuple[Any, ...]]:
    parts = []
    for each in text.split(","):
        name, _, way = each.strip().partition(" ")
        if name not in _KEYS or way not in ("", "desc"):
            raise invalid("orderBy")
        parts.append((_KEYS[name], way == "desc"))

    def key(file: File) -> tuple[Any, ...]:
        values = ((read(file), falls) for read, falls in parts)
        return (*(_Falling(value) if falls else value for value, falls in values), file.id)

    return key


@dataclass(frozen=True, slots=True)
class _Falling:
    """A value that sorts the other way round."""

    value: Any

    def __lt__(self, other: _Falling) -> bool:
        return bool(other.value < self.value)

    def __gt__(self, other: _Falling) -> bool:
        return bool(other.value > self.value)
