"""Brands that need no more than a path and a login: Axis, VIGI, UniFi, ESP32-CAM, Tasmota."""

from __future__ import annotations

from services.simulator.demo import Account
from services.simulator.devices.device import Mood, Reply, Request, page, picture, unauthorized
from services.simulator.login import DigestGuard, basic_ok
from services.simulator.pictures import Pictures


class Axis:
    """VAPIX with Digest; ``lenses`` are told apart by ``camera``."""

    name = "axis"

    def __init__(
        self, account: Account, pictures: Pictures, mood: Mood = "fine", *, lenses: int = 1
    ) -> None:
        self.mood = mood
        self._pictures = pictures
        self._lenses = lenses
        self._digest = DigestGuard(account, realm="AXIS_ACCC8E000000", algorithm="SHA-256")

    def answer(self, request: Request) -> Reply | None:
        if request.path not in ("/axis-cgi/jpg/image.cgi", "/jpg/image.jpg"):
            return None
        if challenge := self._digest.refusal(request):
            return unauthorized(challenge)
        if int(request.query.get("camera", "1")) > self._lenses:
            return page("400 Bad Request", 400)
        return picture(self._pictures.next())


class Vigi:
    """A snapshot with Digest; a recorder wants a channel."""

    name = "vigi"

    def __init__(
        self, account: Account, pictures: Pictures, mood: Mood = "fine", *, channels: int = 0
    ) -> None:
        self.mood = mood
        self._pictures = pictures
        self._channels = channels
        self._digest = DigestGuard(account, realm="TP-Link IP-Camera")

    def answer(self, request: Request) -> Reply | None:
        if request.path != "/snapshot":
            return None
        if challenge := self._digest.refusal(request):
            return unauthorized(challenge)
        if self._channels and int(request.query.get("channel", "0")) not in range(
            1, self._channels + 1
        ):
            return page("404 Not Found", 404)
        return picture(self._pictures.next())


class Unifi:
    """A camera with "anonymous snapshot", and Protect with an API key, which is the password."""

    name = "unifi"
    camera_id = "64b2f3a1c0ffee0387000001"

    def __init__(
        self, account: Account, pictures: Pictures, mood: Mood = "fine", *, anonymous: bool = True
    ) -> None:
        self.mood = mood
        self._key = account.password
        self._pictures = pictures
        self._anonymous = anonymous

    def answer(self, request: Request) -> Reply | None:
        protect = "/proxy/protect/integration/v1/cameras/"
        if request.path == "/snap.jpeg":
            return picture(self._pictures.next()) if self._anonymous else page("Login", 401)
        if not request.path.startswith(protect):
            return None
        if request.headers.get("x-api-key") != self._key:
            return Reply(
                "application/json", b'{"error":{"code":401,"message":"Unauthorized"}}', 401
            )
        if request.path != f"{protect}{self.camera_id}/snapshot":
            return Reply("application/json", b'{"error":"Not Found","name":"NOT_FOUND"}', 404)
        return picture(self._pictures.next())


class Esp32:
    """The sketch CameraWebServer: no login."""

    name = "esp32"

    def __init__(
        self,
        account: Account,
        pictures: Pictures,
        mood: Mood = "fine",
        *,
        path: str = "/capture",
    ) -> None:
        self.mood = mood
        self._pictures = pictures
        self._path = path

    def answer(self, request: Request) -> Reply | None:
        return picture(self._pictures.next()) if request.path == self._path else None


class Tasmota:
    """``/wc.jpg`` or ``/snapshot.jpg``, with Basic where a password is set."""

    name = "tasmota"

    def __init__(
        self, account: Account, pictures: Pictures, mood: Mood = "fine", *, path: str = "/wc.jpg"
    ) -> None:
        self.mood = mood
        self._account = account
        self._pictures = pictures
        self._path = path

    def answer(self, request: Request) -> Reply | None:
        if request.path != self._path:
            return None
        if self._account.password and not basic_ok(request.authorization, self._account):
            return unauthorized('Basic realm="Tasmota"')
        return picture(self._pictures.next())
