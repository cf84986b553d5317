"""The SQLite file that holds a simulated account: its files, their bytes, its tokens."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from services.simulator.google.file import File, Property

_TABLES = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE IF NOT EXISTS files (id TEXT PRIMARY KEY, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS contents (id TEXT PRIMARY KEY, bytes BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS words (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Shelf:
    """One thread at a time. ``path`` None: in memory, gone with this object."""

    def __init__(self, path: Path | None) -> None:
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._rows = sqlite3.connect(
            path or ":memory:", check_same_thread=False, isolation_level=None
        )
        self._rows.executescript(_TABLES)

    def files(self) -> Iterator[File]:
        """All files, in the order in which they came."""
        for (state,) in self._rows.execute("SELECT state FROM files ORDER BY rowid"):
            yield _file(json.loads(state))

    def keep(self, file: File, content: bytes | None = None) -> None:
        """Hold this state of a file, and its bytes, if they are new."""
        state = json.dumps(asdict(file) | {"starred": sorted(file.starred)})
        self._rows.execute(
            "INSERT INTO files VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state",
            (file.id, state),
        )
        if content is not None:
            self._rows.execute("INSERT OR REPLACE INTO contents VALUES (?, ?)", (file.id, content))

    def drop(self, id: str) -> None:
        """Forget a file."""
        for table in ("files", "contents"):
            self._rows.execute(f"DELETE FROM {table} WHERE id = ?", (id,))  # noqa: S608  fixed names

    def content(self, id: str) -> bytes:
        """The bytes of a file; none for a folder."""
        row = self._rows.execute("SELECT bytes FROM contents WHERE id = ?", (id,)).fetchone()
        return bytes(row[0]) if row else b""

    def word(self, name: str) -> Any:
        """What was noted under a name; None for nothing."""
        row = self._rows.execute("SELECT value FROM words WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else None

    def note(self, name: str, value: Any) -> None:
        """Note something for the next start."""
        self._rows.execute("INSERT OR REPLACE INTO words VALUES (?, ?)", (name, json.dumps(value)))

    def close(self) -> None:
        self._rows.close()


def _file(state: dict[str, Any]) -> File:
    properties = tuple(Property(**each) for each in state.pop("properties"))
    return File(starred=frozenset(state.pop("starred")), properties=properties, **state)
