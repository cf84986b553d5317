"""Ports that nobody listens on now."""

from __future__ import annotations

import contextlib
import random
import socket


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens on now.

    They are below those that the system gives to outgoing connections (on Linux from 32768), so
    that none of these takes one before the server does that it is for.
    """
    with contextlib.ExitStack() as stack:
        ports: list[int] = []
        while len(ports) < count:
            port = random.SystemRandom().randrange(15_000, 32_000)
            probe = stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                ports.append(port)
        return ports


def free_port() -> int:
    """One of them."""
    (port,) = free_ports(1)
    return port
