"""Examines the process every few seconds: can it work, does it move, what do its services say?"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.bus.thread import Bus
from shared.errors import JournalUnavailable, StoreError
from shared.journal import Journal
from shared.runtime.follower import ConfigFollower
from shared.runtime.health import Pulse
from shared.runtime.metrics import Metrics
from shared.service import Service
from shared.store import Store

BUS_HANGS_S = 30.0
LOOKS = 12
"""How often a service is looked at within the time after which it is stuck."""
REPORT_S = 10.0
"""What a service says of itself goes to the journal when it changes, and so often when it doesn't:
at rest each write and its sync would be most of what there is to do."""
ASK_S = 6.0
"""The journal is asked at least so often whether it answers, and each time while it does not."""


EVERY_S = 2.0
EVERY_S_IN_TROUBLE = 0.5


class SelfCheck:
    """Looks at the services of one process. Belongs to the main thread."""

    def __init__(
        self,
        services: Sequence[Service],
        bus: Bus,
        store: Store,
        journal: Journal,
        metrics: Metrics,
        *,
        started_at: datetime,
        stuck_s: float,
    ) -> None:
        self._services = services
        self._bus = bus
        self._store = store
        self._journal = journal
        self._metrics = metrics
        self._started_at = started_at
        self._stuck_s = stuck_s
        self._stuck: dict[str, str] = {}
        self._looked: dict[str, float] = {}
        self._asked = -math.inf
        self._reported: dict[str, tuple[float, Mapping[str, Any]]] = {}

    def run(self, configuration: str = "") -> Pulse:
        """What was found; the services' own words go to the journal too, and why the
        ``configuration`` as it is now is not in force, which keeps nothing from being ready."""
        problems: list[str] = []
        bus = self._bus
        self._metrics.connected.set(bus.connected)
        self._metrics.refused.set(bus.refused)
        if not bus.connected:
            problems.append(f"broker: {bus.detail}")
        if time.monotonic() - bus.ticked_at > BUS_HANGS_S:
            problems.append("the bus thread hangs")
        states, processed = {}, self._metrics.processed()
        damage = self._damage()
        if damage:
            problems.append(damage)
        try:
            self._look_for_stuck()
            for service in self._services:
                about = {"ok": True, **service.about()}
                if configuration:
                    about["configuration"] = configuration
                if damage:
                    about |= {"ok": False, "summary": damage}
                states[service.name] = about
                if stuck := self._stuck.get(service.name):
                    about |= {"ok": False, "stuck": stuck}
                    problems.append(f"{service.name}: {stuck}")
                self._report(service.name, about | {"broker": bus.detail}, processed)
                states[service.name] = about | processed.get(service.name, {})
        except (StoreError, JournalUnavailable) as error:
            problems.append(str(error))
            self._asked = -math.inf
        return Pulse(tuple(problems), states)

    def _look_for_stuck(self) -> None:
        """Every ``ASK_S`` at one service at least, which also shows that the journal answers."""
        moment, patience = time.monotonic(), self._stuck_s / LOOKS
        due = [
            service
            for service in self._services
            if self._stuck.get(service.name)
            or moment - self._looked.get(service.name, -math.inf) >= patience
        ]
        if not due and moment - self._asked >= ASK_S:
            due = [*self._services[:1]]
        for service in due:
            stuck = self._journal.recovery.stuck(service.name, self._stuck_s)
            self._stuck[service.name] = stuck
            self._looked[service.name] = self._asked = moment

    def _report(
        self, name: str, about: Mapping[str, Any], processed: Mapping[str, Mapping[str, float]]
    ) -> None:
        """Figures go along; a change of theirs alone is not worth a write."""
        moment = time.monotonic()
        at, last = self._reported.get(name, (-math.inf, {}))
        if about != last or moment - at >= REPORT_S:
            self._journal.report(name, self._started_at, {**about, **processed.get(name, {})})
            self._reported[name] = moment, about

    def _damage(self) -> str:
        try:
            self._store.volume.check()
            self._store.volume.check_writable()
        except StoreError as error:
            return str(error)
        return ""


class SelfCheckThread(threading.Thread):
    """Checks the process again and again until ``stop`` is set, and follows its configuration."""

    def __init__(
        self,
        check: SelfCheck,
        follower: ConfigFollower | None,
        stop: threading.Event,
        tell: Callable[[Pulse], None],
    ) -> None:
        super().__init__(name="self-check", daemon=True)
        self._check = check
        self._follower = follower
        self._stop_event = stop
        self._tell = tell

    def run(self) -> None:
        wait_s = EVERY_S_IN_TROUBLE
        while not self._stop_event.wait(wait_s):
            problem = ""
            if self._follower:
                self._follower.look()
                problem = self._follower.problem
            pulse = self._check.run(problem)
            self._tell(pulse)
            wait_s = EVERY_S_IN_TROUBLE if pulse.problems else EVERY_S
