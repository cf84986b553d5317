"""Pictures that were acknowledged while the database was away, until it is back.

One small synced file per picture below ``<store>/spool``, named by its snapshot id; the picture
itself is in the store already. The reconciler empties it. Recording a picture twice records it
once, so a crash between recording and removing does no harm.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

from shared.errors import StoreError
from shared.events import Event
from shared.failpoint import reach
from shared.journal.catalogue import Candidate
from shared.store import Store
from shared.store.disk import sync_folder, syncing

log = logging.getLogger(__name__)


class Spool:
    """The spool of one store. Any thread, any process."""

    def __init__(self, store: Store) -> None:
        self._volume = store.volume
        self._folder = store.root / "spool"
        self._named = False

    def path(self, waiting: Candidate) -> Path:
        """The file of an entry."""
        return self._folder / f"{waiting.taken.snapshot_id}.json"

    def put(self, waiting: Candidate) -> None:
        """Write and sync an entry. Raises StoreError."""
        final = self.path(waiting)
        part = final.with_suffix(".part")
        self._volume.check_sound()
        try:
            self._folder.mkdir(exist_ok=True)
            with part.open("w", encoding="utf-8") as file:
                json.dump(_as_dict(waiting), file)
                file.flush()
                with syncing():
                    reach("spool.before_sync")
                    os.fsync(file.fileno())
            reach("spool.before_rename")
            part.replace(final)
            reach("spool.before_folder_sync")
            sync_folder(self._folder)
            if not self._named:  # the folder may be new, and its own name be lost
                sync_folder(self._folder.parent)
                self._named = True
        except OSError as error:
            for path in (part, final):  # a sender that is refused must find nothing of it later
                with suppress(OSError):
                    path.unlink(missing_ok=True)
            raise self._volume.failed(error, final) from error

    def __len__(self) -> int:
        return sum(1 for _ in self._folder.glob("*.json"))

    def __iter__(self) -> Iterator[Candidate]:
        """The entries, oldest first; damaged files are logged and stay."""
        for path in sorted(self._folder.glob("*.json")):
            try:
                yield _from_dict(json.loads(path.read_text(encoding="utf-8")))
            except FileNotFoundError:
                continue  # another process was faster
            except (ValueError, KeyError, TypeError, OSError) as error:
                log.error("%s can't be read: %s", path, error, extra={"action": "spool_damaged"})

    def drop(self, waiting: Candidate) -> None:
        """Remove an entry that is in the journal now. Raises StoreError."""
        try:
            self.path(waiting).unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{self._folder}: {error.strerror}") from error


_PLAIN = tuple(each.name for each in fields(Event) if each.init and each.name != "time")


def _as_dict(waiting: Candidate) -> dict[str, Any]:
    event = waiting.taken
    return {
        "event": {name: getattr(event, name) for name in _PLAIN}
        | {"time": event.time.isoformat(), "data": dict(event.data), "extra": dict(event.extra)},
        "keys": list(waiting.keys),
        "repeats_since": waiting.repeats_since.isoformat(),
    }


def _from_dict(raw: Any) -> Candidate:
    fields = dict(raw["event"])
    fields["time"] = datetime.fromisoformat(fields["time"])
    return Candidate(
        taken=Event(**fields),
        keys=tuple(raw["keys"]),
        repeats_since=datetime.fromisoformat(raw["repeats_since"]),
    )
