"""The ZeroMQ inproc sockets by which the threads of a process talk with its bus thread.

The bus thread owns the hub (a ROUTER), every other thread an end of its own (a DEALER); a socket
belongs to the thread that made it. Ids and small JSON travel here, never pictures, never pickles.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Sequence

import zmq

from shared.stop import Stop

ADDRESS = "inproc://relay"
END = b"\0"
"""Ends an order that others follow in the same message; no frame of an order is like it."""


class Relay:
    """The relay of one process. ``end`` may be called from any thread, ``hub`` from one."""

    def __init__(self) -> None:
        self._context = zmq.Context()
        self._ends = threading.local()

    def hub(self) -> Hub:
        """The bus thread's side."""
        return Hub(self._context)

    def end(self, name: str = "") -> End:
        """The calling thread's side; made at its first call, and the same ever after."""
        end: End | None = getattr(self._ends, "end", None)
        if end is None:
            end = self._ends.end = End(self._context, name or uuid.uuid4().hex)
        return end

    def close(self) -> None:
        """Close what is left, when all threads but this one have ended."""
        self._context.destroy(linger=0)


def orders(frames: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """What a message from an end asks for, one after the other."""
    begin = 0
    while END in frames[begin:]:
        end = frames.index(END, begin)
        yield frames[begin:end]
        begin = end + 1
    yield frames[begin:]


class Hub:
    """Receives from all ends and answers each by its name. Belongs to the bus thread."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        self._socket = context.socket(zmq.ROUTER)
        self._socket.set_hwm(0)  # what is in flight is bounded by prefetch and the broker's window
        self._socket.bind(ADDRESS)

    @property
    def descriptor(self) -> int:
        """Readable when something may have come; then receive until there is nothing."""
        return int(self._socket.getsockopt(zmq.FD))

    def receive(self) -> tuple[bytes, list[bytes]] | None:
        """The next message and the name of its sender, or None at once."""
        try:
            sender, *frames = self._socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return None
        return sender, frames

    def send(self, receiver: bytes, frames: Sequence[bytes]) -> None:
        """Send to an end; one that has closed gets nothing, and nobody is told."""
        self._socket.send_multipart([receiver, *frames])

    def close(self) -> None:
        self._socket.close(linger=0)


class End:
    """One thread's side of the relay."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], name: str) -> None:
        self._socket = context.socket(zmq.DEALER)
        self._socket.set_hwm(0)
        self._socket.setsockopt(zmq.IDENTITY, name.encode())
        self._socket.connect(ADDRESS)
        self._poller = zmq.Poller()
        self._poller.register(self._socket, zmq.POLLIN)
        self._held: tuple[bytes, ...] = ()

    def hold(self, *frames: bytes) -> None:
        """Send to the bus thread with the next ``send``: it wakes once for all of them."""
        self._held += (*frames, END)

    def send(self, *frames: bytes) -> None:
        """Send to the bus thread, after what was held."""
        self._socket.send_multipart((*self._held, *frames))
        self._held = ()

    def receive(self, until: float | Stop) -> list[bytes] | None:
        """The next message from the bus thread; None when none came in so many seconds, or before
        the word to stop."""
        if isinstance(until, Stop):
            self._poller.register(until, zmq.POLLIN)
        wait_ms = None if isinstance(until, Stop) else int(until * 1000)
        if self._socket not in dict(self._poller.poll(wait_ms)):
            return None
        return self._socket.recv_multipart()

    def close(self) -> None:
        self._socket.close(linger=0)

    def __del__(self) -> None:
        self.close()  # its thread has ended: nobody else has it
