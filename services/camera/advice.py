"""What to change when a camera gives no picture: said by the page, in events and by ``try``."""

from __future__ import annotations

from services.camera.failures import (
    CameraError,
    CredentialsRefused,
    Misdirected,
    TooSlow,
    Unreachable,
    Untrusted,
    WrongAnswer,
)
from shared.settings.fetch import FetchSection, Kind

_ADVICE: dict[type[CameraError], str] = {
    Unreachable: "Is it on, in this network, and is the port right?",
    TooSlow: "If it is only slow, raise 'timeout_s'.",
    WrongAnswer: "Is 'kind' right, and does the camera's own page show a picture?",
    CredentialsRefused: "Check 'username' and 'password', and that this user may see pictures.",
    Misdirected: "Check 'kind', the address and 'channel'.",
    Untrusted: "Set 'fingerprint' (task camera:try tells it), or 'verify_tls: false' for any.",
}
_OF_KIND: dict[tuple[Kind, type[CameraError]], str] = {
    ("url", Misdirected): "Check 'url': open it in a browser.",
    ("reolink", Unreachable): "Is it on, and HTTP or HTTPS switched on in its server settings?",
    ("vigi", Unreachable): "Is it on, and its snapshot service switched on?",
    ("unifi", CredentialsRefused): "Switch on anonymous snapshots, or check the key of Protect.",
    ("unifi", Misdirected): "Switch on anonymous snapshots, or check 'id' of Protect.",
    ("hikvision", CredentialsRefused): "Check 'username' and 'password'; five wrong ones lock it.",
    ("onvif", Misdirected): "Is ONVIF switched on in the camera, and its port right?",
    ("onvif", CredentialsRefused): "Many cameras want a user made for ONVIF: add one there.",
    ("esp32", WrongAnswer): "It serves one at a time: close its page, or raise 'attempts'.",
    ("rtsp", Misdirected): "Check the path of 'url'.",
    ("rtsp", WrongAnswer): "Does another player show this stream?",
    ("v4l2", Unreachable): "Is it plugged in, and 'path' right?",
    ("v4l2", Misdirected): "",
    ("file", Unreachable): "Check 'path'.",
    ("file", Misdirected): "Check 'path'.",
    ("file", WrongAnswer): "",
}


def advice(error: CameraError, fetch: FetchSection) -> str:
    """What may help against an error, in a sentence, or nothing."""
    kind = type(error)
    return _OF_KIND.get((fetch.kind, kind), _ADVICE.get(kind, ""))


def advised(error: CameraError, fetch: FetchSection) -> str:
    """The error and the advice."""
    return f"{error}. {advice(error, fetch)}".removesuffix(". ")
