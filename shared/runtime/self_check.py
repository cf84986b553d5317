"""Examines the process every few seconds: can it work, does it move, what do its services say?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime

from shared.bus.thread import Bus
from shared.errors import JournalUnavailable, StoreError
from shared.journal import Journal
from shared.runtime.health import Pulse
from shared.runtime.metrics import Metrics
from shared.service import Service
from shared.store import Store

BUS_HANGS_S = 30.0


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

    def run(self) -> Pulse:
        """What was found; the services' own words go to the journal too."""
        problems: list[str] = []
        bus = self._bus
        self._metrics.connected.set(bus.connected)
        self._metrics.refused.set(bus.refused)
        if not bus.connected:
            problems.append(f"broker: {bus.detail}")
        if time.monotonic() - bus.ticked_at > BUS_HANGS_S:
            problems.append("the bus thread hangs")
        states = {}
        damage = self._damage()
        if damage:
            problems.append(damage)
        try:
            for service in self._services:
                about = {"ok": True, **service.about()}
                if damage:
                    about |= {"ok": False, "summary": damage}
                states[service.name] = about
                if stuck := self._journal.recovery.stuck(service.name, self._stuck_s):
                    about |= {"ok": False, "stuck": stuck}
                    problems.append(f"{service.name}: {stuck}")
                self._journal.report(service.name, self._started_at, about | {"broker": bus.detail})
        except (StoreError, JournalUnavailable) as error:
            problems.append(str(error))
        return Pulse(tuple(problems), states)

    def _damage(self) -> str:
        try:
            self._store.volume.check()
            self._store.volume.check_writable()
        except StoreError as error:
            return str(error)
        return ""
