"""A connection of the FTP server, apart from what is said on it."""

from __future__ import annotations

import socket
from unittest.mock import MagicMock

from services.ftp.stream import Stream


def test_an_answer_does_not_wait_for_the_acknowledgement_of_the_one_before() -> None:
    """Else a camera that acknowledges late, as nearly all do, waits 40 ms at each second answer."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()),
    ):
        ours, _ = listener.accept()
        with ours:
            Stream(MagicMock(READ=1, WRITE=4), ours, MagicMock(), 1024)
            assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
