"""Which account has logged in from which address, kept over restarts: else a camera would have to
prove itself anew, perhaps while two hundred addresses guess at its password."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import date
from pathlib import Path

from shared.events import now

log = logging.getLogger(__name__)

FILE = "{door}-known.json"
"""In the data folder."""
MOST = 10_000
FORGET_DAYS = 90
SAVE_S = 5.0
"""What is new is written so much later, with what else came meanwhile."""

Pair = tuple[str, str]
"""An address and a user name."""


class KnownPairs:
    """Belongs to the thread of the server; another one writes. A pair costs one write a day."""

    def __init__(
        self, door: str, data: Path, today: Callable[[], date] = lambda: now().date()
    ) -> None:
        self._file = data / FILE.format(door=door)
        self._told = {"action": f"{door}_known"}
        self._today = today
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._days: OrderedDict[Pair, int] = OrderedDict()
        self._timer: threading.Timer | None = None

    def load(self) -> list[Pair]:
        """Those of before; none when there is no such file, or it is damaged. Blocks."""
        try:
            rows = json.loads(self._file.read_text(encoding="utf-8"))
            found = [
                ((str(address), str(name)), date.fromisoformat(day).toordinal())
                for address, name, day in rows
            ]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError) as error:
            log.warning(
                "addresses of cameras have to be learned anew: %s: %s",
                self._file,
                error,
                extra=self._told,
            )
            return []
        oldest = self._today().toordinal() - FORGET_DAYS
        kept = sorted((day, pair) for pair, day in found if day >= oldest)[-MOST:]
        self._days = OrderedDict((pair, day) for day, pair in kept)
        return list(self._days)

    def note(self, address: str, username: str) -> None:
        """This account logged in from there."""
        pair, today = (address, username), self._today().toordinal()
        if self._days.get(pair) == today:
            return
        with self._lock:
            self._days[pair] = today
            self._days.move_to_end(pair)
            while len(self._days) > MOST:
                self._days.popitem(last=False)
            if self._timer is None:
                self._timer = threading.Timer(SAVE_S, self._save)
                self._timer.name, self._timer.daemon = "known", True
                self._timer.start()

    def close(self) -> None:
        """Write what is new."""
        if timer := self._timer:
            timer.cancel()
            self._save()

    def _save(self) -> None:
        with self._writing:
            with self._lock:
                self._timer = None
                days = list(self._days.items())
            rows = [[*pair, date.fromordinal(day).isoformat()] for pair, day in days]
            part = self._file.with_suffix(".part")
            try:
                with part.open("w", encoding="utf-8") as file:
                    json.dump(rows, file)
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(self._file)
            except OSError as error:
                log.warning("addresses of cameras are not kept: %s", error, extra=self._told)
