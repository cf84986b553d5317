"""pika's event loop, turned from outside, and two faults of pika 1.4 while it connects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pika.adapters.select_connection import IOLoop
from pika.adapters.utils.selector_ioloop_adapter import SelectorIOServicesAdapter


class Loop(IOLoop):  # type: ignore[misc]
    """pika's event loop, turned from outside one round at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._longest_wait_s = 0.0
        self.activate_poller()

    def step(self, timeout_s: float) -> None:
        """Wait at most this long for news, and handle it and the timers that are due."""
        self._longest_wait_s = max(0.0, timeout_s)
        try:
            self.poll()
            self.process_timeouts()
        except AssertionError as error:
            # pika tells of a connection closed while it was being made with a class where an error
            # is expected, and trips over that itself; the connection is closed all the same.
            if "AMQPConnectionWorkflowAborted" not in str(error):
                raise

    def _get_remaining_interval(self) -> float:
        timer_s = super()._get_remaining_interval()
        return self._longest_wait_s if timer_s is None else min(timer_s, self._longest_wait_s)


class Sockets(SelectorIOServicesAdapter):  # type: ignore[misc]
    """What pika opens connections with on a loop."""

    def create_streaming_connection(
        self,
        protocol_factory: Callable[[], Any],
        sock: Any,
        on_done: Callable[[Any], None],
        ssl_context: Any = None,
        server_hostname: str | None = None,
    ) -> Any:
        """As pika's, for a socket that was connected a moment ago. When it was reset since, pika
        raises that into the loop, where nobody can tell whose it is; here it is told as promised.
        """
        try:
            return super().create_streaming_connection(
                protocol_factory, sock, on_done, ssl_context, server_hostname
            )
        except (ValueError, OSError) as error:
            reason = ConnectionResetError(f"reset while it was made: {error.__class__.__name__}")
            return self.call_later(0.0, lambda: on_done(reason))
