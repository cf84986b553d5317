"""Dahua: a CGI with Digest (older ones: Basic) that is busy for a moment after each picture."""

from __future__ import annotations

import time

from services.simulator.demo import Account
from services.simulator.devices.device import Mood, Reply, Request, picture, unauthorized
from services.simulator.login import DigestGuard, basic_ok
from services.simulator.pictures import Pictures


class Dahua:
    """A camera, or a recorder of ``channels``; a camera of ``channels`` 0 knows none by number."""

    name = "dahua"

    def __init__(
        self,
        account: Account,
        pictures: Pictures,
        mood: Mood = "fine",
        *,
        channels: int = 1,
        busy_s: float = 0.0,
        basic: bool = False,
    ) -> None:
        self.mood = mood
        self._account = account
        self._pictures = pictures
        self._channels = channels
        self._busy_s = busy_s
        self._basic = basic
        self._digest = DigestGuard(account, realm="Login to 3K0A1B2C")
        self._ready_at = 0.0

    def answer(self, request: Request) -> Reply | None:
        if request.path != "/cgi-bin/snapshot.cgi":
            return None
        if challenge := self._challenge(request):
            return unauthorized(challenge)
        channel = request.query.get("channel", "1" if self._channels else "")
        if channel and (not channel.isdecimal() or not 1 <= int(channel) <= self._channels):
            return Reply("text/plain", b"Error\r\nBad Request!\r\n", 404)
        if time.monotonic() < self._ready_at:
            return Reply("text/plain", b"Error\r\nDevice Busy!\r\n", 503)
        self._ready_at = time.monotonic() + self._busy_s
        return picture(self._pictures.next())

    def _challenge(self, request: Request) -> str:
        if self._basic:
            fine = basic_ok(request.authorization, self._account)
            return "" if fine else 'Basic realm="Login to 3K0A1B2C"'
        return self._digest.refusal(request)
