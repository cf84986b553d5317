"""One worker of a service: takes an event, calls the handler, commits what came of it.

Order is everything: the outputs and the handled mark are committed together, then the delivery is
acknowledged, then the outputs are published. A crash between any two of these repeats work, and
repeating is harmless, because ids of events are fixed by their cause.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TypeVar

from shared.bus.relay import End, Relay
from shared.envelope import REPEATED
from shared.errors import (
    Crashed,
    ForeignEvent,
    JournalUnavailable,
    Reject,
    Retry,
    SnapshotMissing,
    StoreError,
    UndecodableMessage,
    Unreachable,
)
from shared.events import EVENTS, Event
from shared.failpoint import reach
from shared.journal import Attempt, Journal
from shared.runtime.admission import Doubt, admit, handler_of, signed
from shared.runtime.failure import failure
from shared.runtime.in_flight import InFlight
from shared.runtime.metrics import Metrics
from shared.runtime.ordering import Ordering
from shared.runtime.outbox import announce
from shared.service import Service
from shared.settings.runtime import WorkSection
from shared.stop import Stop
from shared.trace import within

log = logging.getLogger(__name__)

T = TypeVar("T")
Commit = Callable[[], Sequence[Event]]
"""Writes what became of an event, and returns the events to publish."""
JOURNAL_RETRY_S = 1.0
SUSPICIOUS = 2
"""Begun more often than this without an end, an event may be what ends its process."""


class Worker(threading.Thread):
    """A thread that handles one event at a time until ``stop`` is set."""

    def __init__(
        self,
        service: Service,
        number: int,
        *,
        relay: Relay,
        journal: Journal,
        policy: WorkSection,
        metrics: Metrics,
        in_flight: InFlight,
        stop: Stop,
        doubt: Doubt = lambda event: "",
    ) -> None:
        super().__init__(name=f"{service.name}-{number}", daemon=True)
        self._service = service
        self._relay = relay
        self._journal = journal
        self._policy = policy
        self._metrics = metrics
        self._in_flight = in_flight
        self._stop_event = stop
        self._doubt = doubt
        self._ordering = Ordering(service, journal)

    def run(self) -> None:
        end = self._relay.end(self.name)
        queue = self._service.name.encode()
        end.send(b"next", queue)
        while not self._stop_event.is_set():
            frames = end.receive(self._stop_event)
            if frames is None:
                continue
            _verb, tag, redelivered, sender, body = frames
            self._take(end, tag, body, redelivered=redelivered == b"1", sender=sender.decode())
            end.send(b"next", queue)
        end.close()

    def _take(
        self, end: End, tag: bytes, body: bytes, *, redelivered: bool, sender: str = ""
    ) -> None:
        try:
            event = admit(body, sender)
        except (UndecodableMessage, ForeignEvent) as error:
            log.error("refused a message: %s", error, extra={"action": "dead_letter"})
            end.hold(b"done", tag, b"0")
            return
        name = self._service.name
        if not self._in_flight.take(name, event.id, tag):
            return  # another worker has this event, and settles this delivery with its own
        outputs: Sequence[Event] | None = None
        accepted = b"1"
        try:
            again = redelivered or event.extra.get(REPEATED) is True
            with within(event.trace or "", event.baggage or ""):
                outputs = self._settle(event, redelivered=again)
        except ForeignEvent as error:
            self._refuse(event, error)
            # One of ours that shares this fate is delivered again by the reconciler.
            outputs, accepted = (), b"0"
        finally:
            tags = self._in_flight.release(name, event.id)
        if outputs is None:
            return  # stopping without the journal: unsettled, so the broker keeps it
        reach("worker.committed")
        for each in tags:
            end.hold(b"done", each, accepted)
        reach("worker.acked")
        announce(end, outputs, hold=True)
        reach("worker.published")
        announce(end, self._ordering.following(event), queue=name)

    def _settle(self, event: Event, *, redelivered: bool) -> Sequence[Event] | None:
        """Returns the events to publish; None: nobody knows what the journal holds."""
        with ExitStack() as suspects:
            if redelivered:
                suspects.enter_context(self._in_flight.suspects)
            attempt = self._begin(event, redelivered=redelivered)
            if attempt is None:
                return None
            reach("worker.begun")
            if not attempt.unended:
                suspects.close()
            if attempt.done:
                self._count(event, "repeated")
                return ()
            commit = self._attempt(event, attempt)
            reach("worker.handled")
            try:
                return self._insist(commit)
            except ForeignEvent:
                raise
            except Retry as error:  # a row of the service's own changed meanwhile
                return self._insist(self._failure(event, attempt, error))
            except Exception as error:
                # What the handler made can't be stored, so it failed.
                log.exception("%s: no commit", event.routing_key, extra={"action": "failed"})
                return self._insist(self._failure(event, attempt, error))

    def _begin(self, event: Event, *, redelivered: bool) -> Attempt | None:
        if not (redelivered or self._service.look_up_first):
            return Attempt(done=False, attempts=1)
        name = self._service.name
        return self._insist(lambda: self._journal.begin(name, event, redelivered=redelivered))

    def _attempt(self, event: Event, attempt: Attempt) -> Commit:
        """Call the handler; returns what is to be written of it."""
        name = self._service.name
        isolated = self._service.isolated if attempt.attempts > 1 else None
        given_up = attempt.attempts > self._policy.attempts
        if attempt.unended and (given_up or (attempt.attempts > SUSPICIOUS and not isolated)):
            text = f"it was begun {attempt.attempts - 1} times, and the process ended each time"
            # Later, so that others come first, and one that was only near each time is spared.
            return self._failure(event, attempt, Reject(text) if given_up else Retry(text))
        try:
            self._ordering.check(event)
            handler = handler_of(self._service, event)
            with self._metrics.handling(name, event.topic):
                results = (isolated or handler)(event)
            outputs = [
                signed(each, self._service, self._doubt)
                for each in results
                if isinstance(each, Event)
            ]
            changes = [each for each in results if not isinstance(each, Event)]
        except JournalUnavailable as error:
            return self._failure(event, attempt, Unreachable("journal", str(error)))
        except SnapshotMissing as error:
            return self._failure(event, attempt, Retry(str(error)))
        except StoreError as error:
            return self._failure(event, attempt, Unreachable("store", str(error)))
        except (Retry, Reject, Crashed) as error:
            return self._failure(event, attempt, error)
        except Exception as error:
            log.exception("%s failed at %s", name, event.topic, extra={"action": "failed"})
            return self._failure(event, attempt, error)
        self._count(event, "done")
        return lambda: self._journal.finish(
            name, event, outputs,
            attempts=attempt.attempts, changes=changes, waited_for=attempt.waited_for,
        )  # fmt: skip

    def _refuse(self, event: Event, error: ForeignEvent) -> None:
        text, told = "refused %s %s of source %s: %s", {"action": "dead_letter"}
        log.error(text, event.routing_key, event.id, event.source, error, extra=told)
        self._count(event, "refused")

    def _count(self, event: Event, outcome: str) -> None:
        # A topic that nobody knows comes from outside; it must not make a time series of its own.
        topic = event.topic if event.topic in EVENTS else "unknown"
        self._metrics.count(self._service.name, topic, outcome)

    def _failure(self, event: Event, attempt: Attempt, error: Exception) -> Commit:
        failed = failure(error, attempt, self._policy)
        # Of all that waits for a peer, each would say the same; its service says it once.
        waits = logging.INFO if failed.peer else logging.WARNING
        level = logging.ERROR if failed.dead else waits
        log.log(
            level,
            "%s at %s: %s",
            "gave up" if failed.dead else f"failed, again in {failed.again_s:.0f} s",
            event.routing_key,
            failed.text,
            extra={"action": "dead" if failed.dead else "retry", "attempts": failed.attempts},
        )
        self._count(event, "dead" if failed.dead else "retry")

        def commit() -> Sequence[Event]:
            self._journal.fail(
                self._service.name,
                event,
                failed.text,
                attempts=failed.attempts,
                retry_after_s=failed.again_s,
                waiting_for=failed.peer,
                waited_for=attempt.waited_for,
            )
            return ()

        return commit

    def _insist(self, call: Callable[[], T]) -> T | None:
        """Call the journal until it answers; None when told to stop first."""
        while True:
            try:
                return call()
            except JournalUnavailable as error:
                log.warning("waiting for the journal: %s", error, extra={"action": "journal_away"})
                if self._stop_event.wait(JOURNAL_RETRY_S):
                    return None
