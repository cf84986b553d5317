"""How events change what the journal knows of copies in archives, and of holds."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select, update

from shared.events import ORIGINAL, Event
from shared.journal.schema import filings, holds, superseded
from shared.journal.statements import insert_new, upsert

NAME_CHARACTERS = 64
_DAY = re.compile(r"([0-9]{4})/([0-9]{2})/([0-9]{2})/")


def name(event: Event, field: str, default: str = "") -> str:
    """A name that fits its column; another program may have put the event on the bus."""
    return str(event.data.get(field, default))[:NAME_CHARACTERS]


def row(event: Event) -> dict[str, Any]:
    """The row of ``filings`` that an event of an archive tells."""
    data = event.data
    path = str(data.get("path", ""))
    state = "skipped" if event.topic == "snapshot.skipped" else "archived"
    return {
        "snapshot_id": event.snapshot_id,
        "archive": name(event, "archive", "folder"),
        "kind": name(event, "kind", ORIGINAL),
        "state": state,
        "path": path,
        "policy": name(event, "policy"),
        "link": data.get("link"),
        "key": data.get("key"),
        "sha256": str(data.get("sha256", "")),
        "size": int(data.get("size", 0)),
        "day": _day_of(path),
        "line": None,
    }


def _day_of(path: str) -> str:
    """The day of a path in an archive; empty: it has none that exists."""
    found = _DAY.match(path)
    try:
        return date.fromisoformat("-".join(found.groups())).isoformat() if found else ""
    except ValueError:
        return ""


def not_archived(_new: Any) -> ColumnElement[bool]:
    return filings.c.state != "archived"


def again(connection: Connection, event: Event) -> None:
    """A copy was put back. Other bytes, or another path, make another line of a manifest; the one
    that told of the old copy stays what it was."""
    new = row(event)
    del new["line"]
    mine = and_(*(filings.c[each] == new[each] for each in ("snapshot_id", "archive", "kind")))
    other = or_(*(filings.c[each] != new[each] for each in ("path", "sha256", "size")))
    # Nothing is read here: in a batch of PostgreSQL answers come later.
    names = [column.name for column in superseded.c]
    old = select(*(filings.c[name] for name in names)).where(
        mine, other, filings.c.line.is_not(None)
    )
    connection.execute(insert(superseded).from_select(names, old))
    connection.execute(update(filings).where(mine, other).values(line=None))
    upsert(connection, filings, [new])


def hold(connection: Connection, event: Event) -> None:
    """Who holds a snapshot, or no longer does; the last word of each holder counts."""
    held = {"snapshot_id": event.snapshot_id, "holder": name(event, "holder", "page")}
    if event.data.get("kept") is True:
        insert_new(connection, holds, held)
    else:
        same = and_(*(holds.c[each] == value for each, value in held.items()))
        connection.execute(delete(holds).where(same))
