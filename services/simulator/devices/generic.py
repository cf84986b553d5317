"""Cameras of no brand: a picture with Digest, Basic or no login, and an MJPEG stream."""

from __future__ import annotations

import time
from collections.abc import Iterator

from services.simulator.demo import Account
from services.simulator.devices.device import Mood, Reply, Request, picture, unauthorized
from services.simulator.login import DigestGuard, basic_ok
from services.simulator.pictures import Pictures

FRAME_PAUSE_S = 0.2
BOUNDARY = "frame"


class Generic:
    """Below /digest, /basic, /plain and /mjpeg."""

    name = "generic"

    def __init__(self, account: Account, pictures: Pictures, mood: Mood = "fine") -> None:
        self.mood = mood
        self._account = account
        self._pictures = pictures
        self._digest = DigestGuard(account)

    def answer(self, request: Request) -> Reply | None:
        match request.path.strip("/").split("/")[0]:
            case "digest":
                challenge = self._digest.refusal(request)
                return unauthorized(challenge) if challenge else picture(self._pictures.next())
            case "basic":
                if not basic_ok(request.authorization, self._account):
                    return unauthorized('Basic realm="camera"')
                return picture(self._pictures.next())
            case "plain":
                return picture(self._pictures.next())
            case "mjpeg":
                kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
                return Reply(kind, stream=mjpeg(self._pictures))
        return None


def mjpeg(pictures: Pictures) -> Iterator[bytes]:
    """Parts of a stream without end."""
    while True:
        time.sleep(FRAME_PAUSE_S)
        jpeg = pictures.next()
        header = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}"
        yield header.encode() + b"\r\n\r\n" + jpeg + b"\r\n"
