"""ONVIF's messages: SOAP 1.2 with a WS-Security password digest, and what their answers say.

Written by hand, because the five calls we need take fewer lines than a SOAP library takes packages.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Iterator
from datetime import datetime
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from services.camera.failures import CameraError, CredentialsRefused, Misdirected, WrongAnswer

MAX_BYTES = 1 << 18
CONTENT_TYPE = "application/soap+xml; charset=utf-8"
_WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
_DIGEST = f"{_WSSE}username-token-profile-1.0#PasswordDigest"
_BASE64 = f"{_WSSE}soap-message-security-1.0#Base64Binary"


class NotSupported(CameraError):
    """The camera has no such function."""

    retryable = False


def envelope(body: str, security: str = "") -> bytes:
    """A request with this body, and this header."""
    header = f"<s:Header>{security}</s:Header>" if security else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">'
        f"{header}<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def security(username: str, password: str, created: datetime, nonce: bytes = b"") -> str:
    """The header that proves the password at a time, which must be the camera's."""
    nonce = nonce or secrets.token_bytes(16)
    time = f"{created:%Y-%m-%dT%H:%M:%SZ}"
    # SHA-1 is what the standard prescribes.
    hashed = hashlib.sha1(nonce + time.encode() + password.encode(), usedforsecurity=False)
    return (
        f'<Security s:mustUnderstand="1" xmlns="{_WSSE}wssecurity-secext-1.0.xsd"><UsernameToken>'
        f"<Username>{escape(username)}</Username>"
        f'<Password Type="{_DIGEST}">{base64.b64encode(hashed.digest()).decode()}</Password>'
        f'<Nonce EncodingType="{_BASE64}">{base64.b64encode(nonce).decode()}</Nonce>'
        f'<Created xmlns="{_WSSE}wssecurity-utility-1.0.xsd">{time}</Created>'
        "</UsernameToken></Security>"
    )


class Reply:
    """An answer by the names of its elements, whatever their namespaces."""

    def __init__(self, status: int, body: bytes) -> None:
        """Raises CameraError for a fault, and for what is no SOAP."""
        text = body.decode("utf-8", "replace").strip()
        # No definitions of types and entities: those are attacks, a camera sends none.
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise WrongAnswer("the camera's answer is no ONVIF: it holds definitions")
        try:
            # Without its declaration, which may name another encoding than the text now has.
            self._root = ElementTree.fromstring(re.sub(r"^<\?xml[^>]*\?>", "", text))  # noqa: S314
        except ElementTree.ParseError:
            raise _no_soap(status) from None
        if _name(self._root) != "Envelope":
            raise _no_soap(status)
        fault = self._first("Fault")
        if fault is not None:
            raise _fault(" ".join(each.strip() for each in fault.itertext()))
        if status != 200:
            raise _no_soap(status)

    def text(self, *path: str) -> str:
        """The text of the first element below those of ``path``, or nothing."""
        found: ElementTree.Element | None = self._root
        for name in path:
            if found is None:
                break
            found = next((each for each in found.iter() if _name(each) == name), None)
        return (found.text or "").strip() if found is not None else ""

    def all(self, name: str) -> Iterator[ElementTree.Element]:
        """The elements of this name."""
        return (each for each in self._root.iter() if _name(each) == name)

    def _first(self, name: str) -> ElementTree.Element | None:
        return next(self.all(name), None)


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _no_soap(status: int) -> CameraError:
    if status == 401:
        return CredentialsRefused("the camera refuses user and password for ONVIF (401)")
    if status in (404, 405):
        return Misdirected(f"there is no ONVIF at this address ({status})")
    return WrongAnswer(f"the camera's answer is no ONVIF ({status})")


def _fault(words: str) -> CameraError:
    """The error of a fault; of its words only the kind is told, the rest may repeat the request."""
    if re.search(r"NotAuthorized|FailedAuthentication|not authorized|OperationProhibited", words):
        return CredentialsRefused("the camera refuses user and password for ONVIF")
    if re.search(r"NotSupported|ActionNotSupported|not supported|OptionalAction", words):
        return NotSupported("the camera does not support this function of ONVIF")
    if re.search(r"NoProfile|InvalidArgVal", words):
        return Misdirected("the camera has no such channel or stream")
    return WrongAnswer("the camera refuses the ONVIF request")
