"""ONVIF: device and media service by SOAP with WS-Security, and a still picture with Digest.

It names its own addresses by a host that is wrong, as a camera behind a router does, and checks the
time of a login by its own clock, which may be wrong as well.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape

from services.simulator.demo import Account
from services.simulator.devices.device import Mood, Reply, Request, picture, unauthorized
from services.simulator.login import DigestGuard
from services.simulator.pictures import Pictures
from shared.events import now

ELSEWHERE = "192.0.2.77"
TOLERANCE = timedelta(seconds=5)
STILL = "/onvif/snapshot"
_FIELDS = re.compile(r"<(?:\w+:)?(Username|Password|Nonce|Created)\b[^>]*>([^<]*)<")
_NAMESPACES = (
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tt="http://www.onvif.org/ver10/schema"'
    ' xmlns:tds="http://www.onvif.org/ver10/device/wsdl"'
    ' xmlns:trt="http://www.onvif.org/ver10/media/wsdl" xmlns:ter="http://www.onvif.org/ver10/error"'
)


class Onvif:
    """A camera with a main and a sub stream for each of its ``lenses``. ``stills`` False: it has
    only streams. ``port`` is told as that of its addresses, ``stream`` as that of the stream."""

    name = "onvif"

    def __init__(
        self,
        account: Account,
        pictures: Pictures,
        mood: Mood = "fine",
        *,
        lenses: int = 1,
        stills: bool = True,
        stream: str = f"rtsp://{ELSEWHERE}:554/stream1",
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.mood = mood
        self.port = 80
        self._account = account
        self._pictures = pictures
        self._lenses = lenses
        self._stills = stills
        self._stream = stream
        self._clock = clock
        self._digest = DigestGuard(account, realm="ONVIF")
        self._nonces: set[str] = set()

    def answer(self, request: Request) -> Reply | None:
        if request.path == STILL:
            challenge = self._digest.refusal(request)
            return unauthorized(challenge) if challenge else picture(self._pictures.next())
        if request.path not in ("/onvif/device_service", "/onvif/media_service"):
            return None
        body = request.body.decode("utf-8", "replace")
        call = re.search(r"<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)", body)
        match call[1] if call else "":
            case "GetSystemDateAndTime":
                return _soap(self._time())
            case _ if not self._known(body):
                return _fault("ter:NotAuthorized", "Sender not Authorized")
            case "GetCapabilities":
                where = f"http://{ELSEWHERE}:{self.port}/onvif/media_service"
                media = f"<tt:Media><tt:XAddr>{where}</tt:XAddr></tt:Media>"
                capabilities = f"<tds:Capabilities>{media}</tds:Capabilities>"
                return _soap(
                    f"<tds:GetCapabilitiesResponse>{capabilities}</tds:GetCapabilitiesResponse>"
                )
            case "GetProfiles":
                return _soap(
                    f"<trt:GetProfilesResponse>{self._profiles()}</trt:GetProfilesResponse>"
                )
            case "GetSnapshotUri" if self._stills:
                token = re.search(r"ProfileToken>(\w+)<", body)
                where = f"http://{ELSEWHERE}:{self.port}{STILL}?profile={token[1] if token else ''}"
                return _soap(_uri("GetSnapshotUri", where))
            case "GetStreamUri":
                return _soap(_uri("GetStreamUri", self._stream))
        return _fault("ter:ActionNotSupported", "Optional Action Not Implemented")

    def _time(self) -> str:
        told = self._clock().astimezone(UTC)
        date = (
            f"<tt:Year>{told.year}</tt:Year><tt:Month>{told.month}</tt:Month>"
            f"<tt:Day>{told.day}</tt:Day>"
        )
        time = (
            f"<tt:Hour>{told.hour}</tt:Hour><tt:Minute>{told.minute}</tt:Minute>"
            f"<tt:Second>{told.second}</tt:Second>"
        )
        utc = f"<tt:UTCDateTime><tt:Time>{time}</tt:Time><tt:Date>{date}</tt:Date></tt:UTCDateTime>"
        whole = f"<tds:SystemDateAndTime>{utc}</tds:SystemDateAndTime>"
        return f"<tds:GetSystemDateAndTimeResponse>{whole}</tds:GetSystemDateAndTimeResponse>"

    def _profiles(self) -> str:
        return "".join(
            f'<trt:Profiles token="{stream}{lens}" fixed="true"><tt:Name>{stream}</tt:Name>'
            f'<tt:VideoSourceConfiguration token="c{lens}"><tt:SourceToken>v{lens}</tt:SourceToken>'
            "</tt:VideoSourceConfiguration></trt:Profiles>"
            for lens in range(1, self._lenses + 1)
            for stream in ("main", "sub")
        )

    def _known(self, body: str) -> bool:
        """Whether the message proves the password, by our clock, and for the first time."""
        given = {name: unescape(value) for name, value in _FIELDS.findall(body)}
        try:
            nonce = base64.b64decode(given.get("Nonce", ""), validate=True)
            created = datetime.fromisoformat(given.get("Created", ""))
        except (binascii.Error, ValueError):
            return False
        if abs(created - self._clock()) > TOLERANCE or given["Nonce"] in self._nonces:
            return False
        text = nonce + given["Created"].encode() + self._account.password.encode()
        digest = hashlib.sha1(text, usedforsecurity=False).digest()  # what the protocol prescribes
        right = hmac.compare_digest(base64.b64encode(digest), given.get("Password", "").encode())
        self._nonces.add(given["Nonce"])
        return right and given.get("Username") == self._account.username


def _uri(call: str, where: str) -> str:
    uri = f"<trt:MediaUri><tt:Uri>{where}</tt:Uri></trt:MediaUri>"
    return f"<trt:{call}Response>{uri}</trt:{call}Response>"


def _soap(body: str, status: int = 200) -> Reply:
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<s:Envelope {_NAMESPACES}>'
        f"<s:Body>{body}</s:Body></s:Envelope>"
    )
    return Reply("application/soap+xml; charset=utf-8", text.encode(), status)


def _fault(code: str, words: str) -> Reply:
    return _soap(
        "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode>"
        f"<s:Value>{code}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en">{words}</s:Text></s:Reason></s:Fault>',
        400,
    )
