"""The connection to the RabbitMQ of the existing system: triggers come, messages go.

Exchanges are declared as its programs declare them, neither durable nor deleted when unused, and
the queue of triggers ends with the connection, as theirs do: what comes while we are away is lost,
and would be stale. What we send is confirmed, which they do not ask for.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from shared.amqp.declared import Binding, Exchange, Topology
from shared.amqp.link import Incoming, Link
from shared.amqp.loop import Loop
from shared.amqp.parameters import parameters
from shared.errors import HandlerError, Reject, Retry, Unreachable
from shared.stop import Stop

log = logging.getLogger(__name__)

HOUSE = "house"
"""The peer that work waits for, and who asked for the pictures of its triggers."""
PREFETCH = 2
"""Each may be as large as a picture, and is whole in memory until it was read."""
CONFIRM_S, BLOCKED_S, STEP_S, CLOSE_S = 15.0, 15.0, 0.5, 2.0
_TOO_LARGE = re.compile(r"message size.*max size (\d+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of the house; ``ticket`` is for ``House.settle``. ``left_out`` are the bytes of a
    body that was too large to be received."""

    key: str
    body: bytes
    ticket: tuple[int, int]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class _Sent:
    outcome: Future[None]
    size: int


class House:
    """A source. ``send``, ``mention`` and ``settle`` may be called by any thread."""

    name = HOUSE

    def __init__(
        self, url: str, exchange: str, keys: Collection[str], heard: Callable[[Heard], None]
    ) -> None:
        """``heard`` is called in the source's thread, with at most ``PREFETCH`` messages that are
        not settled; ``keys`` are those of triggers. Raises ConfigError."""
        self._exchange, self._control = exchange, f"{exchange}_control"
        self._keys, self._heard = keys, heard
        outward = parameters(url, "snapbus tells the house", BLOCKED_S, setting="legacy.url")
        inward = parameters(url, "snapbus hears the house", BLOCKED_S, setting="legacy.url")
        self.place = f"{outward.host}:{outward.port}"
        self._loop = Loop()
        self._teller = Link(self._loop, outward, self._set_up_teller, self._lost_teller)
        self._hearer = Link(self._loop, inward, self._set_up_hearer, self._lost_hearer)
        self._troubles = dict.fromkeys((self._teller, self._hearer), "not connected yet")
        self._sent: dict[int, _Sent] = {}
        self._tag = 0
        self._connections = 0
        self._closed = False

    @property
    def trouble(self) -> str:
        """Why it can't be spoken with now; empty: it can."""
        return next((each for each in self._troubles.values() if each), "")

    def run(self, stop: Stop) -> None:
        self._loop.add_handler(stop.fileno(), lambda *_: None, Loop.READ)
        for link in self._troubles:
            link.connect()
        while not stop.is_set():
            self._loop.step(STEP_S)
        self._loop.remove_handler(stop.fileno())
        self._close()

    def send(self, key: str, body: bytes, message_id: str) -> None:
        """Tell the house, and wait for its RabbitMQ to confirm. Raises Unreachable while it is
        away, Retry or Reject for what it does not take."""
        if trouble := self._troubles[self._teller]:
            raise _away(trouble)
        outcome: Future[None] = Future()
        send = partial(self._send, key, body, message_id, outcome)
        self._loop.add_callback_threadsafe(send)
        try:
            outcome.result(CONFIRM_S)
        except TimeoutError:
            raise _away(f"no confirm in {CONFIRM_S:g} s") from None

    def mention(self, key: str, body: bytes) -> None:
        """Tell the house if it is there; nobody waits for it."""
        if not self._troubles[self._teller]:
            self._loop.add_callback_threadsafe(partial(self._send, key, body, "", Future()))

    def settle(self, heard: Heard) -> None:
        """This message is dealt with, and another may come."""
        self._loop.add_callback_threadsafe(partial(self._settle, heard.ticket))

    def _send(self, key: str, body: bytes, message_id: str, outcome: Future[None]) -> None:
        if self._closed or self._troubles[self._teller] or not self._teller.usable:
            outcome.set_exception(_away(self._troubles[self._teller] or "closing"))
            return
        self._tag += 1
        self._sent[self._tag] = _Sent(outcome, len(body))
        self._teller.send(self._exchange, key, message_id, body)

    def _set_up_teller(self) -> None:
        self._tag = 0
        self._teller.declare(Topology((Exchange(self._exchange, "topic", durable=False),)))
        self._teller.confirm(self._answered, lambda *_: None, partial(self._is_ready, self._teller))

    def _set_up_hearer(self) -> None:
        self._connections += 1
        self._hearer.declare(Topology((Exchange(self._control, "direct", durable=False),)))
        bindings = [Binding("", self._control, key) for key in self._keys]
        ready = partial(self._is_ready, self._hearer)
        self._hearer.listen(bindings, PREFETCH, self._delivered, ready)

    def _delivered(self, _queue: str, message: Incoming) -> None:
        ticket = (self._connections, message.tag)
        self._heard(Heard(message.key, message.body, ticket, message.left_out))

    def _settle(self, ticket: tuple[int, int]) -> None:
        connection, tag = ticket
        if connection == self._connections and self._hearer.usable:
            self._hearer.acknowledge(tag, accepted=True)

    def _answered(self, tag: int, multiple: bool, taken: bool) -> None:
        for each in [each for each in self._sent if each == tag or (multiple and each < tag)]:
            outcome = self._sent.pop(each).outcome
            if taken:
                outcome.set_result(None)
            else:
                outcome.set_exception(Retry("the RabbitMQ of the house could not take it"))

    def _is_ready(self, link: Link) -> None:
        self._troubles[link] = ""
        if not self.trouble:
            log.info("speaking with the house at %s", self.place, extra={"action": "house"})

    def _lost_teller(self, reason: str) -> None:
        self._troubles[self._teller] = reason
        too_large = _TOO_LARGE.search(reason)
        sent, self._sent = self._sent, {}
        for each in sent.values():
            error: HandlerError = _away(reason)
            if too_large and each.size > int(too_large[1]):
                error = Reject(f"the RabbitMQ of the house takes at most {too_large[1]} bytes")
            each.outcome.set_exception(error)

    def _lost_hearer(self, reason: str) -> None:
        self._troubles[self._hearer] = reason

    def _close(self) -> None:
        self._closed = True
        for link in self._troubles:
            link.close()
        self._loop.step(CLOSE_S)
        for link in self._troubles:
            link.abort()
        self._loop.step(0)
        self._lost_teller("closing")
        self._loop.close()


def _away(reason: str) -> Unreachable:
    return Unreachable(HOUSE, f"the house can't be told: {reason}")
