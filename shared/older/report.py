"""One line that says what became of the older names; and names that are probably misspelt."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches

from shared.older.names import NAMES, OURS
from shared.older.sources import is_older
from shared.older.translate import Translation

# Other programs have names that begin so as well, so that only what is nearly one of ours counts.
_THEIRS = re.compile(
    r"^(INPUT|OUTPUT|RABBITMQ|FTP|RUN_FTP|FEATURE_FLAG|OBJECT_DETECTION|MINIMUM|GOOGLE_DRIVE|"
    r"CRONITOR|HC_PING|OP_CONNECT|OP_VAULT|CAMERA|CAPTURE|STORAGE|DEVICE_NAME)"
)
_NEAR, _RATHER_NEAR = 0.85, 0.7


def report(made: Translation) -> str:
    """Names of one fate stand together; empty: there were none."""
    parts = []
    if made.understood:
        each = ", ".join(
            f"{', '.join(names)} ({path})" for path, names in _by_fate(made.understood)
        )
        parts.append(f"understood: {each}")
    for title, fates in (("replaced", made.replaced), ("ignored", made.ignored)):
        if fates:
            each = "; ".join(f"{', '.join(names)} ({why})" for why, names in _by_fate(fates))
            parts.append(f"{title}: {each}")
    return f"settings of older programs: {'. '.join(parts)}" if parts else ""


def misspelt(names: Collection[str]) -> Iterator[str]:
    """A text for each variable that looks like one of the older programs or, by its beginning, like
    one of ours, and is none."""
    for name in sorted(names):
        if name.startswith("SNAPBUS_"):
            if name not in OURS and not name.startswith(("SNAPBUS__", "SNAPBUS_DEFAULT__")):
                yield _told(name, get_close_matches(name, OURS, 1, _RATHER_NEAR))
        elif _THEIRS.match(name) and not is_older(name):
            for near in get_close_matches(name, NAMES, 1, _NEAR):
                yield _told(name, [near])


def _told(name: str, near: list[str]) -> str:
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"{name} is no variable that Snapbus knows, so it does nothing{hint}"


def _by_fate(fates: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {}
    for name, fate in fates.items():
        found.setdefault(fate, []).append(name)
    return list(found.items())
