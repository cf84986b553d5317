"""A stream by RTSP over TCP: its first whole picture, taken by a process of its own (frame.py)."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

from services.camera.brands.adapter import Adapter, Still
from services.camera.brands.program import output
from services.camera.brands.url import quoted
from services.camera.failures import (
    CameraError,
    CredentialsRefused,
    Misdirected,
    TurnsTaken,
    Unreachable,
    WrongAnswer,
    as_camera_error,
)
from shared.http.deadline import Deadline
from shared.settings.fetch import FetchSection

PORT = 554
SILENCE_S = 5.0
"""A stream that says nothing for so long is given up."""
AT_ONCE = 4
"""So many processes at most; each takes 80 MB, and 200 MB for a picture of 3840 x 2160."""
WAIT = 0.1
"""So much of a camera's time may pass in waiting for a turn; the rest is enough for a sound one."""
COMMAND = (sys.executable, "-m", "services.camera.frame")
_TURNS = threading.BoundedSemaphore(AT_ONCE)

MEANINGS: dict[int, tuple[type[CameraError], str]] = {
    10: (CredentialsRefused, "the camera refuses user and password for its stream"),
    11: (Misdirected, "the camera has no stream at this address"),
    12: (Unreachable, "the camera closed the connection"),
    13: (Unreachable, "the camera's stream is silent"),
    14: (Misdirected, "the camera's stream has no video"),
    15: (WrongAnswer, "the camera's stream ends at once, or can't be decoded"),
    16: (Misdirected, "the camera redirects to another place: not followed"),
}
"""What each exit status of frame.py says, by ``frame.ENDS``."""


class RtspAdapter:
    """The picture that a stream begins with."""

    def __init__(self, url: str, username: str, password: str, warm_up: int = 0) -> None:
        """``url`` holds no login."""
        self._url = url
        self._username = username
        self._password = password
        self._warm_up = warm_up

    @contextmanager
    def open(self, deadline: Deadline) -> Iterator[Still]:
        with as_camera_error():
            self._knock(deadline)
            if not _TURNS.acquire(timeout=WAIT * deadline.remaining_s):
                raise TurnsTaken(f"{AT_ONCE} streams are being read; this one comes after them")
            try:
                with output(COMMAND, deadline, _meaning, self._job(deadline)) as chunks:
                    yield Still("", chunks, "RTSP" if self._username else "")
            finally:
                _TURNS.release()

    def close(self) -> None:
        """Nothing is kept."""

    def _knock(self, deadline: Deadline) -> None:
        """See whether somebody speaks RTSP there, so that a dead camera takes no process and no
        turn. Raises CameraError and HttpError."""
        parts = urlsplit(self._url)
        place = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
        with deadline.connect(parts.hostname or "", parts.port or PORT) as wire:
            wire.settimeout(min(SILENCE_S, deadline.remaining_s))
            try:
                wire.sendall(f"OPTIONS {place} RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode())
                said = wire.recv(64)
            except OSError:
                said = None
        if deadline.over:
            raise deadline.too_slow()
        if said is None:
            raise Unreachable("the camera's stream is silent")
        if not said:
            raise Unreachable("the camera closed the connection")
        if not said.startswith(b"RTSP/"):
            raise Misdirected("there is no RTSP at this port")

    def _job(self, deadline: Deadline) -> bytes:
        parts = urlsplit(self._url)
        place = parts.netloc
        if self._username:
            place = f"{quoted(self._username)}:{quoted(self._password)}@{place}"
        job = {
            "url": urlunsplit((parts.scheme, place, parts.path, parts.query, "")),
            "seconds": deadline.remaining_s,
            "silence": min(SILENCE_S, deadline.remaining_s),
            "warm_up": self._warm_up,
        }
        return json.dumps(job).encode()


def _meaning(status: int) -> CameraError:
    kind, text = MEANINGS.get(status, MEANINGS[15])
    return kind(text)


def adapter(fetch: FetchSection) -> Adapter:
    """``url`` is that of the stream."""
    password = fetch.password.get_secret_value()
    return RtspAdapter(fetch.url, fetch.username, password, fetch.warm_up)
