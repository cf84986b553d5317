"""The alarm about guessed passwords: told to people, in the log and as an event."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from shared.errors import JournalUnavailable
from shared.events import CameraGuessed, Event
from shared.ingest.guesses import Guesses, Guessing

log = logging.getLogger(__name__)

SHOWN_ADDRESSES = 10


class Alarm:
    """Called once for each time of many wrong passwords at one door; never blocks. ``record``
    commits events."""

    def __init__(self, door: str, record: Callable[[Sequence[Event]], object]) -> None:
        self._door = door
        self._record = record

    def __call__(self, guessing: Guessing) -> None:
        addresses = tuple(guessing.addresses[:SHOWN_ADDRESSES])
        log.warning(
            "somebody guesses the password of %s: %d wrong ones from %s",
            guessing.camera,
            guessing.count,
            ", ".join(addresses),
            extra={"action": f"{self._door}_guessing", "camera": guessing.camera},
        )
        data = CameraGuessed(
            camera=guessing.camera, door=self._door, count=guessing.count, addresses=addresses
        )
        event = data.event(subject=guessing.camera, cause=f"{self._door}:{uuid.uuid4()}")

        def record() -> None:  # it may wait for the database
            try:
                self._record([event])
            except JournalUnavailable as error:
                log.warning("an alarm is in the log only: %s", error)

        threading.Thread(target=record, name=f"{self._door}-alarm", daemon=True).start()


def told(guesses: Guesses) -> dict[str, Any]:
    """Whose passwords are being guessed, for the page. Any thread."""
    return {
        each.camera: {"count": each.count, "addresses": list(each.addresses[:SHOWN_ADDRESSES])}
        for each in guesses.now()
    }
