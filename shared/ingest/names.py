"""What the name of a file tells: which camera took it, when, and why.

A sender's name is data: it is matched and never used as a path. Layouts of the configuration come
before those of the table; a name of neither is searched for any time and any known word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import NamedTuple

from shared.events import Trigger
from shared.ingest.capture_time import Parts, believable, found_in, moment
from shared.ingest.layouts import LAYOUTS, WORDS, Layout
from shared.settings.layouts import CODES, LayoutSection, expression

NAME_CHARACTERS = 255
"""As much of a name, counted from its end, is read and kept."""
MOST_PARTS = 24
"""Parts of a name that are looked at as words."""

_ENDINGS = re.compile(r"(?i)(\.(jpe?g|png|te?mp|part|partial|filepart|upload|new)_?)+$")
_BETWEEN = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Named:
    """What a name tells; empty: it does not. ``at`` is the time it says, which need not be
    believable, ``text`` that time as written, ``camera`` what it calls its camera."""

    at: datetime | None = None
    text: str = ""
    trigger: Trigger = ""
    camera: str = ""
    layout: str = ""


class _Fit(NamedTuple):
    """A layout that fits a name. ``text``: from the first digit of its time to the last."""

    layout: Layout
    parts: Parts
    text: str


class _Row(NamedTuple):
    """A layout in an expression: the numbers of its groups, and of those that are its time."""

    layout: Layout
    groups: Sequence[tuple[str, int]]
    codes: Sequence[int]


class NameReader:
    """Reads names. Any thread. ``layouts`` are those of the configuration."""

    def __init__(self, layouts: Sequence[LayoutSection] = ()) -> None:
        own = [
            Layout(f"layouts.{number}", each.pattern, _normal(each.triggers), each.trigger)
            for number, each in enumerate(layouts)
        ]
        self._own = [_Table(own)] if own else []
        self._tables = [*self._own, _Table(LAYOUTS)]

    def camera(self, path: str) -> str:
        """What a layout says is the name of the camera; empty: none does."""
        return _camera(self._fit(_stem(path), self._tables))

    def camera_by_own(self, path: str) -> str:
        """The same by the layouts of the configuration only."""
        return _camera(self._fit(_stem(path), self._own))

    def read(self, name: str, arrived_at: datetime, zone: tzinfo | None = None) -> Named:
        """What a name tells. ``zone`` is that of the camera's clock; None: this machine's (TZ)."""
        stem = _stem(name)
        fit = self._fit(stem, self._tables)
        if fit is None:
            at, text = _any_time(stem, arrived_at, zone)
            return Named(at, text, _word_in(stem.rpartition("/")[2], {}))
        at, text = moment(fit.parts, arrived_at, zone) if fit.text else None, fit.text
        if at is None:  # digits that are no time, or a layout without one
            at, text = _any_time(stem, arrived_at, zone)
        trigger = fit.layout.trigger or _word_in(
            fit.parts.get("trigger") or "", fit.layout.triggers
        )
        return Named(at, text, trigger, _camera(fit), fit.layout.brand)

    def _fit(self, stem: str, tables: Sequence[_Table]) -> _Fit | None:
        return next((fit for table in tables if (fit := table.fit(stem))), None)


class _Table:
    """Layouts as one expression for each number of folders, those with more first."""

    def __init__(self, layouts: Sequence[Layout]) -> None:
        deepest = max(each.pattern.count("/") for each in layouts)
        self._by_depth: list[tuple[int, re.Pattern[str]]] = []
        self._rows: dict[str, _Row] = {}
        for depth in range(deepest, -1, -1):
            rows = {
                f"r{number}": layout
                for number, layout in enumerate(layouts)
                if layout.pattern.count("/") == depth
            }
            if not rows:
                continue
            texts = (f"(?P<{row}>{expression(rows[row].pattern, f'{row}_')})" for row in rows)
            pattern = re.compile("|".join(texts), re.ASCII | re.IGNORECASE)
            self._by_depth.append((depth, pattern))
            self._rows |= {row: _row(row, rows[row], pattern.groupindex) for row in rows}

    def fit(self, stem: str) -> _Fit | None:
        """The first layout that fits the end of a name."""
        elements = stem.split("/")
        for depth, pattern in self._by_depth:
            if depth >= len(elements):
                continue
            found = pattern.fullmatch("/".join(elements[-depth - 1 :]))
            if found and found.lastgroup:
                layout, groups, codes = self._rows[found.lastgroup]
                parts = {name: found[group] for name, group in groups}
                text = found.string[found.start(codes[0]) : found.end(codes[-1])] if codes else ""
                return _Fit(layout, parts, text)
        return None


def _row(row: str, layout: Layout, numbers: Mapping[str, int]) -> _Row:
    prefix = f"{row}_"
    groups = [(n.removeprefix(prefix), at) for n, at in numbers.items() if n.startswith(prefix)]
    return _Row(layout, groups, sorted(at for name, at in groups if name in CODES))


def _camera(fit: _Fit | None) -> str:
    return (fit.parts.get("camera") or "") if fit else ""


def _stem(name: str) -> str:
    return _ENDINGS.sub("", name[-NAME_CHARACTERS:].replace("\\", "/"))


def _any_time(stem: str, arrived_at: datetime, zone: tzinfo | None) -> tuple[datetime | None, str]:
    """The first believable time in a name, else the first that is a time at all."""
    first: tuple[datetime | None, str] = (None, "")
    for parts, text in found_in(stem):
        at = moment(parts, arrived_at, zone)
        if at and believable(at, arrived_at):
            return at, text
        if at and not first[0]:
            first = at, text
    return first


def _normal(triggers: Mapping[str, Trigger]) -> dict[str, Trigger]:
    return {"_".join(_parts(word)): trigger for word, trigger in triggers.items()}


def _parts(text: str) -> list[str]:
    return [each for each in _BETWEEN.split(text[-NAME_CHARACTERS:].lower()) if each]


def _word_in(text: str, own: Mapping[str, Trigger]) -> Trigger:
    """What a text says of the reason: the longest known word in it, of those the last."""
    parts = _parts(text)[-MOST_PARTS:]
    for length in (3, 2, 1):
        for start in range(len(parts) - length, -1, -1):
            word = "_".join(parts[start : start + length])
            if trigger := own.get(word) or WORDS.get(word):
                return trigger
    return ""
