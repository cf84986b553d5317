"""What a loop does with sockets that break while a connection is made."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from shared.amqp.loop import Loop, Sockets


@pytest.mark.promise("fault P2", "fault P4")
def test_a_connection_that_is_reset_while_it_is_made_is_told_and_ends_no_thread():
    loop = Loop()
    told: list[Any] = []
    fresh = socket.socket()

    Sockets(loop).create_streaming_connection(lambda: None, fresh, told.append)

    assert told == []  # only the loop tells, so that the caller has its handle first
    loop.step(0.0)
    assert isinstance(told[0], ConnectionResetError)
    assert fresh.fileno() == -1
    loop.close()
