"""Takes triggers of the house: each becomes a request for a picture, or is ignored for a reason.

The house is not trusted with more than that. A trigger asks only cameras that the configuration
names; an address in it is used only for one that is configured to be told its address, and only in
the networks that are configured for that.
"""

from __future__ import annotations

import hashlib
import logging
import queue
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from services.legacy import wire
from services.legacy.address import address
from services.legacy.devices import Devices
from services.legacy.house import HOUSE, Heard, House
from shared.amqp.bounded import MOST_BYTES
from shared.errors import JournalUnavailable, SnapbusError
from shared.events import Event, SnapshotRequested, now
from shared.failpoint import reach
from shared.service import Context
from shared.settings.legacy import LegacySection
from shared.settings.told import remember
from shared.stop import Stop
from shared.text import one_line
from shared.trace import within

log = logging.getLogger(__name__)

LABEL = 255
JOURNAL_RETRY_S, WAKE_S, MINUTE_S = 1.0, 0.5, 60.0


class Ignored(SnapbusError):
    """A trigger is not followed; the text says why, without a secret."""


@dataclass(frozen=True, slots=True)
class Read:
    """What is kept of a message, whose body may be large: its trigger, or why it has none."""

    trigger: wire.Trigger | None
    sha256: str
    why: str = ""


def read(body: bytes) -> Read:
    """The trigger in a message, if there is one."""
    sha256 = hashlib.sha256(body).hexdigest()
    try:
        return Read(wire.trigger(body), sha256)
    except wire.Unreadable as error:
        return Read(None, sha256, str(error))


def _too_large(size: int) -> Read:
    return Read(None, "", f"it has {size} bytes; at most {MOST_BYTES} are taken")


class Triggers:
    """A source. ``hear`` may be called by any thread."""

    name = "triggers"

    def __init__(
        self,
        context: Context,
        section: LegacySection,
        devices: Devices,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._context = context
        self._section = section
        self._devices = devices
        self._clock = clock
        self._waiting: queue.SimpleQueue[tuple[Heard, Read]] = queue.SimpleQueue()
        self._lately: Mapping[str, deque[float]] = {}
        self._valid = timedelta(seconds=section.valid_s)
        self.house: House | None = None
        self.counts: Counter[str] = Counter()

    def hear(self, heard: Heard) -> None:
        """Take a message of the house."""
        found = _too_large(heard.left_out) if heard.left_out else read(heard.body)
        self._waiting.put((replace(heard, body=b""), found))

    def run(self, stop: Stop) -> None:
        while not stop.is_set():
            try:
                heard, found = self._waiting.get(timeout=WAKE_S)
            except queue.Empty:
                continue
            self._follow(heard, found, stop)
            if self.house:
                self.house.settle(heard)

    def _follow(self, heard: Heard, found: Read, stop: Stop) -> None:
        try:
            event = self.request(found)
            while not self._recorded(event):
                if stop.wait(JOURNAL_RETRY_S):
                    return
        except Ignored as error:
            self.counts["ignored"] += 1
            told = {"action": "trigger_ignored", "key": heard.key}
            log.warning("a trigger is ignored: %s", error, extra=told)
            return
        self.counts["taken"] += 1

    def _recorded(self, event: Event) -> bool:
        try:
            reach("legacy.before_request")
            self._context.record([event])
            reach("legacy.requested")
        except JournalUnavailable as error:
            log.warning("a trigger waits: %s", error, extra={"action": "journal_away"})
            self._check_age(event.parsed(SnapshotRequested).asked_at, event.subject)
            return False
        return True

    def request(self, found: Read) -> Event:
        """The request that a trigger leads to; the same bytes lead to the same one. Raises
        Ignored."""
        if found.trigger is None:
            raise Ignored(found.why)
        # The request goes on with the trace of who sent the trigger.
        with within(found.trigger.traceparent, found.trigger.baggage):
            return self._request(found.trigger, f"{HOUSE} {found.sha256}")

    def _request(self, trigger: wire.Trigger, cause: str) -> Event:
        label = one_line(trigger.device_label, LABEL)
        camera = self._devices.wanted(trigger.device_key, trigger.device_label)
        if camera is None:
            known = ", ".join(self._devices.known) or "none"
            called = one_line(trigger.device_key, LABEL)
            raise Ignored(f"no camera that can be asked is called {called!r}; those are: {known}")
        self._check_age(trigger.asked_at, label)
        self._limit(camera)
        self._learn_address(camera, trigger)
        by = one_line(trigger.by, LABEL) or "the house"
        told = {"action": "trigger", "camera": camera}
        log.info("%s wants a picture of %s", by, camera, extra=told)
        data = SnapshotRequested(
            camera=camera,
            reason="event",
            requested_by=HOUSE,
            expires_at=min(trigger.asked_at, self._clock()) + self._valid,
            asked_at=trigger.asked_at,
            device_label=label,
        )
        return data.event(subject=camera, cause=cause)

    def _check_age(self, asked_at: datetime | None, label: str) -> None:
        age = self._clock() - asked_at if asked_at else self._valid
        if age > self._valid:
            raise Ignored(
                f"the one for {label} is {age.total_seconds():.0f} s old, more than "
                f"{self._section.valid_s:g}; if it was not, compare the clocks of both machines"
            )

    def _learn_address(self, camera: str, trigger: wire.Trigger) -> None:
        fetch = self._devices.camera(camera).fetch
        if fetch is None or fetch.kind != "told" or not trigger.params:
            return
        try:
            found = address(trigger.params, self._section.networks)
        except ValueError as error:
            raise Ignored(f"the address in it for {camera}: {error}") from None
        assert fetch.path is not None  # the section insists on it
        try:
            if remember(Path(fetch.path), found):
                told = {"action": "address_told", "camera": camera}
                log.info("%s is at %s:%d now", camera, found.host, found.port, extra=told)
        except OSError as error:
            log.warning("the address of %s can't be kept: %s", camera, error.strerror)

    def _limit(self, camera: str) -> None:
        most, at = self._section.triggers_a_minute, time.monotonic()
        lately = self._lately.get(camera) or deque()
        self._lately = {**self._lately, camera: lately}
        while lately and lately[0] < at - MINUTE_S:
            lately.popleft()
        if len(lately) >= most:
            raise Ignored(f"there were {most} for {camera} in a minute (legacy.triggers_a_minute)")
        lately.append(at)
