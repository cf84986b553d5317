"""The meaning of what a camera answers in place of a picture.

Cameras answer errors with status 200 and a web page, XML or JSON. The numbers are those of the
vendors' documents: Foscam's CGI results, Reolink's ``rspCode``. Of their words only known ones are
repeated, since an error page may hold the request, and with it the password.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus

from services.camera.failures import CameraError, CredentialsRefused, Misdirected, WrongAnswer
from shared.errors import NotAPicture
from shared.http.errors import HttpError
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
_WORDS = """
    400 bad request; 401 unauthorized; 403 forbidden; 404 not found; 500 internal server error;
    503 service unavailable; bad request; badauthorization; busy; device busy; devicebusy;
    deviceerror; document error: unauthorized; error; error 404; file not found; forbidden; index;
    internal server error; invalid operation; invalid xml content; invalid xml format; ip camera;
    ip camera & login; ipcamera login; live view; login; login failed; lowprivilege;
    methodnotallowed; net viewer; network camera; no permission; nopermission; not authorized;
    not found; not support; notsupport; nvr login; please login first; reboot required;
    service unavailable; sign in; unauthorized; web service; web viewer
"""
"""Titles and words of cameras' error pages, in lower case."""
_KNOWN = frozenset(" ".join(words.split()) for words in _WORDS.split(";"))
_REOLINK: dict[int, tuple[type[CameraError], str]] = {
    -4: (WrongAnswer, "it does not understand the request; is the channel right?"),
    -5: (WrongAnswer, "too many sessions are open: close its app or page, or wait an hour"),
    -6: (CredentialsRefused, "please login first"),
    -7: (CredentialsRefused, "user or password is wrong"),
    -8: (WrongAnswer, "it took too long inside the camera"),
    -9: (Misdirected, "this model can't do that"),
    -21: (CredentialsRefused, "the session has ended"),
    -26: (CredentialsRefused, "this user may not take pictures"),
    -27: (CredentialsRefused, "there is no such user"),
}
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_XML_TEXT = re.compile(r"<(statusString|subStatusCode|faultstring|message|error)>([^<]{1,200})")
_JSON_TEXT = re.compile(r'"(?:detail|message|error|msg|reason)"\s*:\s*"([^"]{1,200})"')
_JSON_CODE = re.compile(r'"rspCode"\s*:\s*(-?\d{1,6})\b')
_RESULT = re.compile(r"<result>\s*(-?\d{1,6})\s*</result>")
_LOCKED = re.compile(r"<lockStatus>\s*lock\s*<", re.IGNORECASE)
_UNKNOWN = re.compile(
    r"<(?:statusString|subStatusCode)>\s*(?:invalid operation|notsupport|methodnotallowed"
    r"|badurlformat)",
    re.IGNORECASE,
)
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
        words = [found[2] for found in _XML_TEXT.finditer(text)]
        return WrongAnswer(_with("the camera answered with XML in place of a picture", words))
    if text.startswith("<"):
        words = [found[1] for found in _TITLE.finditer(text)]
        return WrongAnswer(
            _with("the camera answered with a web page in place of a picture", words)
        )
    try:
        sniff(head)
    except NotAPicture as error:
        return WrongAnswer(f"the camera's answer is {error}")
    return WrongAnswer("the camera's answer is no picture")


def refusal(status: int, chunks: Iterator[bytes]) -> CameraError:
    """The error for an answer whose status is not 200, by that and the start of its body."""
    return refused(status, beginning(chunks))


def beginning(chunks: Iterator[bytes]) -> bytes:
    """The first bytes of an error page; what breaks while it is read, ends it."""
    head = b""
    with suppress(HttpError):
        for chunk in chunks:
            head += chunk
            if len(head) >= HEAD:
                break
    return head[:HEAD]


def refused(status: int, head: bytes) -> CameraError:
    """The error for a status other than 200 and these first bytes of the body."""
    phrase = next((f" {each.phrase}" for each in HTTPStatus if each == status), "")
    said = f"{status}{phrase}"
    text = head.decode("utf-8", "replace")
    if status == 401 and _LOCKED.search(text):
        return CredentialsRefused(f"the camera has locked this user after wrong passwords ({said})")
    if status == 401:
        return CredentialsRefused(f"the camera refuses user and password ({said})")
    # Hikvision answers what a model has not with 400 or 403.
    if status in (404, 405, 410, 501) or (status in (400, 403) and _UNKNOWN.search(text)):
        return Misdirected(f"the camera has no picture at this address ({said})")
    if status == 403:
        return CredentialsRefused(f"the camera denies this user the picture ({said})")
    if status in (429, 500, 503):
        return WrongAnswer(f"the camera is too busy or broken ({said})")
    return WrongAnswer(f"the camera answered {said}")


def _foscam(result: int) -> CameraError:
    kind, meaning = _FOSCAM.get(result, (WrongAnswer, "an error without known meaning"))
    return kind(f"the camera refuses: {meaning} (result {result})")


def reolink_code(head: bytes) -> int:
    """The ``rspCode`` of a Reolink's error; 0 for an answer without one."""
    found = _JSON_CODE.search(head[:HEAD].decode("utf-8", "replace"))
    return int(found[1]) if found else 0


def reolink(code: int) -> CameraError:
    """The error for an ``rspCode``."""
    kind, meaning = _REOLINK.get(code, (WrongAnswer, "an error without known meaning"))
    return kind(f"the camera refuses: {meaning} (rspCode {code})")


def _json(text: str) -> CameraError:
    if code := _JSON_CODE.search(text):
        return reolink(int(code[1]))
    words = [found[1] for found in _JSON_TEXT.finditer(text)]
    return WrongAnswer(_with("the camera answered with JSON in place of a picture", words))


def _with(what: str, words: list[str]) -> str:
    """What the camera answered, with those of its words that are known."""
    plain = [one_line(html.unescape(_TAG.sub(" ", each)), 120) for each in words]
    known = dict.fromkeys(each for each in plain if each.lower() in _KNOWN)
    return f"{what}: {', '.join(known)}" if known else what
