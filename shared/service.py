"""What a service is: a name, its handlers, its sources; and the parts it is built from.

A handler is a function of one event that returns events. It never sees the bus: the runtime
commits what it returned together with the handled mark, then acknowledges, then publishes.
A source makes events from outside in a thread of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from shared.events import CameraTested, Event
from shared.failpoint import reach
from shared.settings.directory import CameraDirectory
from shared.stop import Stop

if TYPE_CHECKING:
    from shared.ingest.intake import Intake
    from shared.journal import Journal
    from shared.journal.owned import Change
    from shared.settings import Settings
    from shared.store import Store

log = logging.getLogger(__name__)

Handler = Callable[[Event], "Sequence[Event | Change]"]
"""Returns events, and changes of the service's own tables. Raises Retry, Unreachable or Reject for
known failures; anything else is retried and logged with traceback."""

LAST_DAY = timedelta(days=1)
NOTHING_OLD = timedelta(0)


class Source(Protocol):
    """Makes events from outside: a clock, a server, a folder."""

    @property
    def name(self) -> str:
        """Names the thread and the log lines."""

    def run(self, stop: Stop) -> None:
        """Work until ``stop`` is set, then return in a few seconds. Raising ends the process."""


@dataclass(frozen=True, slots=True)
class Context:
    """What the runtime gives a service to build itself from."""

    settings: Settings
    store: Store
    journal: Journal
    intake: Intake
    announce: Callable[[Sequence[Event]], None]
    """Publishes committed events soon. Any thread; never blocks; the reconciler publishes what is
    lost on the way."""

    redeliver: Callable[[str, Sequence[Event]], None]
    """Publishes committed events again, to the queue of one service. Any thread; raises
    BrokerUnavailable."""

    cameras: CameraDirectory
    """The cameras as they are now; ``settings.cameras`` are those of the start."""

    def record(self, events: Sequence[Event]) -> Sequence[Event]:
        """Commit events of a source, with what the configuration says of their cameras, and
        announce those that are new, which it returns. A repeat does nothing. Raises
        JournalUnavailable."""
        fresh = self.journal.append([self._whole(each) for each in events])
        reach("source.recorded")
        self.announce(fresh)
        return fresh

    def _whole(self, event: Event) -> Event:
        whose = self.cameras.organisation(event.subject)
        if event.topic != CameraTested.topic:
            return replace(event, organisation=whose)
        data = {**event.data, **self.cameras.device(event.subject)}
        return replace(event, organisation=whose, data=data)


def _nothing() -> Mapping[str, Any]:
    return {}


def _no_close() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Service:
    """One service.

    * ``isolated``: handles an event from its second attempt on, in a process of its own, because
      the event may have ended this one.
    * ``look_up_first``: whether the journal is asked, before a first delivery is handled, if it is
      done. Without it only the commit finds a repeat, so an effect outside needs it.
    * ``ordered``: handle the events of one camera one by one, in the order of the journal; a
      failing one holds up the later ones until it is done or dead.
    * ``history``: how far back a new subscription reaches; NOTHING_OLD for notifiers and paid
      engines.
    * ``about``: state for health and the page, {"ok": bool, "summary": str, …}; called from
      another thread every few seconds.
    * ``close``: runs after all threads have ended.
    """

    name: str
    handlers: Mapping[str, Handler] = field(default_factory=dict)
    sources: Sequence[Source] = ()
    workers: int = 1
    isolated: Handler | None = None
    look_up_first: bool = True
    ordered: bool = False
    history: timedelta = LAST_DAY
    about: Callable[[], Mapping[str, Any]] = _nothing
    close: Callable[[], None] = _no_close


def switched_off(
    name: str, handlers: Mapping[str, Handler] | None = None, setting: str = ""
) -> Service:
    """A healthy service without its job, for ``<setting>.enabled: false``. ``handlers`` answer the
    events that others wait for. ``setting`` defaults to ``name``."""
    why = f"switched off by {setting or name}.enabled"
    log.info("%s is %s", name, why, extra={"action": "switched_off"})
    return Service(name, handlers or {}, about=lambda: {"ok": True, "summary": why})
