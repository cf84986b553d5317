"""The meaning of what a camera answers in place of a picture.

Cameras answer errors with status 200 and a web page, XML or JSON. The numbers are those of the
vendors' documents: Foscam's CGI results, Reolink's ``rspCode``.
"""

from __future__ import annotations

import html
import re

from services.camera.failures import CameraError, CredentialsRefused, Misdirected, WrongAnswer
from shared.errors import NotAPicture
from shared.picture.format import sniff
from shared.text import one_line

HEAD = 8192
"""How many bytes of an error page are read."""

_FOSCAM: dict[int, tuple[type[CameraError], str]] = {
    -1: (WrongAnswer, "the request has a wrong format"),
    -2: (CredentialsRefused, "user or password is wrong"),
    -3: (CredentialsRefused, "this user may not take pictures"),
    -4: (WrongAnswer, "it could not execute the command"),
    -5: (WrongAnswer, "it took too long inside the camera"),
}
_REOLINK_LOGIN = {-6, -7, -27}
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_XML_TEXT = re.compile(r"<(statusString|subStatusCode|faultstring|message|error)>([^<]{1,200})")
_JSON_TEXT = re.compile(r'"(?:detail|message|error|msg|reason)"\s*:\s*"([^"]{1,200})"')
_JSON_CODE = re.compile(r'"rspCode"\s*:\s*(-?\d+)')
_RESULT = re.compile(r"<result>\s*(-?\d+)\s*</result>")
_TAG = re.compile(r"<[^>]*>")


def page(head: bytes) -> CameraError:
    """The error for an answer that is no picture, by its first bytes."""
    if not head:
        return WrongAnswer("the camera answered with nothing at all")
    text = head[:HEAD].decode("utf-8", "replace").strip()
    # Reolink sends JSON as text/html, so the content decides, not the declared type.
    if text.startswith(("{", "[")):
        return _json(text)
    if found := _RESULT.search(text):
        return _foscam(int(found[1]))
    if re.match(r"<(\?xml|\w+:?Envelope|ResponseStatus|CGI_Result)", text, re.IGNORECASE):
        said = ": ".join(dict.fromkeys(found[2] for found in _XML_TEXT.finditer(text)))
        return WrongAnswer(_with("the camera answered with XML in place of a picture", said))
    if text.startswith("<"):
        title = _TITLE.search(text)
        said = f"title {_clean(title[1])!r}" if title else ""
        return WrongAnswer(_with("the camera answered with a web page in place of a picture", said))
    try:
        sniff(head)
    except NotAPicture as error:
        return WrongAnswer(f"the camera's answer is {error}")
    return WrongAnswer("the camera's answer is no picture")


def status(code: int, reason: str) -> CameraError:
    """The error for an HTTP status other than 200."""
    said = _clean(f"{code} {reason}")
    if code == 401:
        return CredentialsRefused(f"the camera refuses user and password ({said})")
    if code == 403:
        return CredentialsRefused(f"the camera denies this user the picture ({said})")
    if code in (404, 405, 410):
        return Misdirected(f"the camera has no picture at this address ({said})")
    if code in (429, 500, 503):
        return WrongAnswer(f"the camera is too busy or broken ({said})")
    return WrongAnswer(f"the camera answered {said}")


def _foscam(result: int) -> CameraError:
    kind, meaning = _FOSCAM.get(result, (WrongAnswer, "an error without known meaning"))
    return kind(f"the camera refuses: {meaning} (result {result})")


def _json(text: str) -> CameraError:
    said = _JSON_TEXT.search(text)
    code = _JSON_CODE.search(text)
    details = [said[1]] if said else []
    details += [f"rspCode {code[1]}"] if code else []
    words = _with("the camera answered with JSON in place of a picture", ", ".join(details))
    if code and int(code[1]) in _REOLINK_LOGIN:
        return CredentialsRefused(words)
    return WrongAnswer(words)


def _with(what: str, said: str) -> str:
    said = _clean(said)
    return f"{what}: {said}" if said else what


def _clean(text: str) -> str:
    """One short line without markup or control characters."""
    return one_line(html.unescape(_TAG.sub(" ", text)), 120)
