"""What a service is: a name, its handlers, its sources; and the parts it is built from.

A handler is a function of one event that returns events. It never sees the bus: the runtime
commits what it returned together with the handled mark, then acknowledges, then publishes.
A source makes events from outside in a thread of its own.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from shared.events import Event
from shared.failpoint import reach
from shared.settings.directory import CameraDirectory

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

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set, then return in a few seconds. Raising ends the process."""


@dataclass(frozen=True, slots=True)
class Context:
    """What the runtime gives a service to build itself from."""

    settings: Settings
    store: Store
    journal: Journal
    intake: Intake
    announce: Callable[[Sequence[Event]], None]
    """Publish committed events soon. Any thread; never blocks; the reconciler stands behind it."""

    redeliver: Callable[[str, Sequence[Event]], None]
    """Publish committed events again, to the one service that owes an answer. Any thread; raises
    BrokerUnavailable when there is no broker to take them."""

    cameras: CameraDirectory
    """The cameras as they are now; ``settings.cameras`` are those of the start."""

    def record(self, events: Sequence[Event]) -> Sequence[Event]:
        """Commit events that came from outside, as those of their cameras' organisations, then
        announce them; returns those that were new. Repeating it does nothing; raises
        JournalUnavailable."""
        whose = self.cameras.organisation
        fresh = self.journal.append(
            [replace(each, organisation=whose(each.subject)) for each in events]
        )
        reach("source.recorded")
        self.announce(fresh)
        return fresh


def _nothing() -> Mapping[str, Any]:
    return {}


def _no_close() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Service:
    """One service.

    ``about`` is its state for health and the page: {"ok": bool, "summary": str, …}; it is called
    from another thread every few seconds. ``isolated``, if given, handles an event from its second
    attempt on, in a process of its own, because the event may have ended this one.
    ``look_up_first`` has the journal asked before the first delivery of an event whether it is done
    already; without it that is found when the result is committed, so only a service whose work
    costs nothing but time and has no effect outside may do without. ``ordered``: the events of one
    camera are handled one after the other, in the order of the journal; a failing one holds up
    those behind it until it is done or dead. ``history``: how far back a new subscription reaches;
    a notifier or a paid engine wants NOTHING_OLD. ``close`` runs after all threads ended.
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
    """A service that ``<setting>.enabled: false`` keeps from its job: it is healthy and does
    nothing. By its ``handlers`` it answers what others wait for, so that nothing is held up by it.
    ``setting`` is its name if empty."""
    why = f"switched off by {setting or name}.enabled"
    log.info("%s is %s", name, why, extra={"action": "switched_off"})
    return Service(name, handlers or {}, about=lambda: {"ok": True, "summary": why})
