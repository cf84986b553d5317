"""Ports that nobody listens on now."""

from __future__ import annotations

import random
import socket
from collections import deque

_claims: deque[socket.socket] = deque(maxlen=200)
"""What other processes of the tests see: the ports this one chose lately. A server is given its
port some time after it was chosen, when somebody else may have found it free as well."""


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens on now, nor is about to in another test.

    They are below those that the system gives to outgoing connections (on Linux from 32768), so
    that none of these takes one before the server does that it is for.
    """
    ports: list[int] = []
    while len(ports) < count:
        port = random.SystemRandom().randrange(15_000, 32_000)
        claim = socket.socket(socket.AF_UNIX)
        try:
            with socket.socket() as probe:
                claim.bind(f"\0snapbus-test-port-{port}")
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        if len(_claims) == _claims.maxlen:
            _claims.popleft().close()
        _claims.append(claim)
        ports.append(port)
    return ports


def free_port() -> int:
    """One of them."""
    (port,) = free_ports(1)
    return port
