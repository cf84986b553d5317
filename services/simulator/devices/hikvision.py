"""Hikvision: ISAPI with Digest, a lock after five wrong passwords, and errors as XML."""

from __future__ import annotations

import re
import time
from typing import Literal

from services.simulator.demo import Account
from services.simulator.devices.device import Mood, Reply, Request, picture
from services.simulator.login import DigestGuard, basic_ok
from services.simulator.pictures import Pictures

Model = Literal["camera", "recorder", "old"]
TRIES = 5
LOCKED_S = 1800.0
XMLNS = 'version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"'
PATHS: dict[Model, str] = {
    "camera": r"/ISAPI/Streaming/channels/(\d+)0[12]/picture",
    "recorder": r"/ISAPI/ContentMgmt/StreamingProxy/channels/(\d+)0[12]/picture",
    "old": r"/Streaming/channels/(\d+)/picture",
}


class Hikvision:
    """A camera, a recorder of several, or a very old camera, which knows only Basic."""

    name = "hikvision"

    def __init__(
        self,
        account: Account,
        pictures: Pictures,
        mood: Mood = "fine",
        *,
        model: Model = "camera",
        channels: int = 1,
    ) -> None:
        self.mood = mood
        self._account = account
        self._pictures = pictures
        self._model = model
        self._channels = channels
        self._digest = DigestGuard(account, realm="IP Camera(12345)")
        self.wrong = 0
        self._locked_until = float("-inf")

    def answer(self, request: Request) -> Reply | None:
        if not request.path.startswith(("/ISAPI/", "/Streaming/")):
            return None
        if refusal := self._refusal(request):
            return refusal
        found = re.fullmatch(PATHS[self._model], request.path)
        if not found:
            return _status(403, 4, "Invalid Operation", "notSupport")
        if not 1 <= int(found[1]) <= self._channels:
            return _status(400, 6, "Invalid XML Content", "badParameters")
        return picture(self._pictures.next())

    def _refusal(self, request: Request) -> Reply | None:
        """None for who may see. A wrong password counts, a request without one does not."""
        if self._model == "old":
            challenge = 'Basic realm="DVRNVRDVS"'
            allowed = basic_ok(request.authorization, self._account)
        else:
            challenge = self._digest.refusal(request)
            allowed = not challenge
        locked = time.monotonic() < self._locked_until
        if allowed and not locked:
            self.wrong = 0
            return None
        if request.authorization and "stale" not in challenge and not locked:
            self.wrong += 1
            if self.wrong >= TRIES:
                self._locked_until, locked = time.monotonic() + LOCKED_S, True
        return self._unauthorized(challenge, locked=locked)

    def _unauthorized(self, challenge: str, *, locked: bool) -> Reply:
        challenge = challenge or self._digest.challenge()
        words = (
            f"<userCheck {XMLNS}><statusValue>401</statusValue>"
            "<statusString>Unauthorized</statusString>"
            f"<lockStatus>{'lock' if locked else 'unlock'}</lockStatus>"
            f"<retryLoginTime>{max(0, TRIES - self.wrong)}</retryLoginTime></userCheck>"
        )
        return Reply("application/xml", words.encode(), 401, {"WWW-Authenticate": challenge})


def _status(status: int, code: int, words: str, sub: str) -> Reply:
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ResponseStatus {XMLNS}>'
        f"<statusCode>{code}</statusCode><statusString>{words}</statusString>"
        f"<subStatusCode>{sub}</subStatusCode></ResponseStatus>"
    )
    return Reply("application/xml", text.encode(), status)
