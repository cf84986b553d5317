"""What a camera sends in place of a picture is told in words, and its kind decides what is next."""

from __future__ import annotations

import pytest

from services.camera import explain
from services.camera.failures import CameraError, CredentialsRefused, Misdirected, WrongAnswer
from tests.support.cameras import FOSCAM_WRONG, LOGIN_PAGE, REOLINK

HIKVISION = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<ResponseStatus version="2.0">'
    b"<statusCode>4</statusCode><statusString>Invalid Operation</statusString>"
    b"<subStatusCode>lowPrivilege</subStatusCode></ResponseStatus>"
)


@pytest.mark.promise("fault C2")
@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b"", WrongAnswer, "nothing at all"),
        (LOGIN_PAGE, WrongAnswer, "web page in place of a picture: IP Camera & Login"),
        (b"<p>hello</p>", WrongAnswer, "a web page"),
        (
            REOLINK,
            CredentialsRefused,
            "refuses: please login first (rspCode -6)",
        ),
        (b'{"error": "busy"}', WrongAnswer, "busy"),
        (b"[]", WrongAnswer, "JSON"),
        (FOSCAM_WRONG, CredentialsRefused, "user or password is wrong (result -2)"),
        (FOSCAM_WRONG.replace(b"-2", b"-3"), CredentialsRefused, "may not take pictures"),
        (FOSCAM_WRONG.replace(b"-2", b"-4"), WrongAnswer, "could not execute"),
        (FOSCAM_WRONG.replace(b"-2", b"-99"), WrongAnswer, "(result -99)"),
        (HIKVISION, WrongAnswer, "Invalid Operation, lowPrivilege"),
        (b"GIF89a" + bytes(50), WrongAnswer, "GIF"),
        (b"cannot open device", WrongAnswer, "text"),
        (bytes(range(200, 256)), WrongAnswer, "not a JPEG or PNG"),
    ],
)
def test_an_error_page_is_told_in_words(body: bytes, kind: type[CameraError], words: str) -> None:
    error = explain.page(body)
    assert type(error) is kind
    assert words in str(error)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (401, CredentialsRefused),
        (403, CredentialsRefused),
        (404, Misdirected),
        (500, WrongAnswer),
        (503, WrongAnswer),
        (204, WrongAnswer),
    ],
)
def test_a_status_that_is_not_200_is_an_error(code: int, kind: type[CameraError]) -> None:
    error = explain.refused(code, b"")
    assert type(error) is kind
    assert str(error).isprintable()


@pytest.mark.promise("find M2")
@pytest.mark.parametrize(
    "body",
    [
        b"<html><title>wrong: CANARY</title>",
        b"<title>GET /cgi?pwd=CANARY</title>" + b"A" * 9000,
        b'{"error": "no such user CANARY", "rspCode": -6}',
        b"<?xml version='1.0'?><ResponseStatus><statusString>CANARY</statusString>",
        b"CANARY",
        b"<CGI_Result><result>-2</result><pwd>CANARY</pwd></CGI_Result>",
    ],
)
def test_nothing_that_a_camera_says_is_repeated_but_known_words(body: bytes) -> None:
    error = str(explain.page(body))
    assert "CANARY" not in error
    assert error.isprintable() and len(error) < 220
