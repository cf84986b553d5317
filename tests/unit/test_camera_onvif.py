"""ONVIF's messages: what we prove in ours, and what a hostile camera may write into its own."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest

from services.camera.brands.onvif import OnvifAdapter
from services.camera.brands.soap import NotSupported, Reply, envelope, security
from services.camera.failures import CameraError, CredentialsRefused, Misdirected, WrongAnswer
from shared.settings.fetch import FetchSection

SOAP = "http://www.w3.org/2003/05/soap-envelope"


def soap(body: str) -> bytes:
    return f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{body}</s:Body></s:Envelope>'.encode()


def fault(words: str) -> bytes:
    return soap(
        f"<s:Fault><s:Code><s:Subcode><s:Value>{words}</s:Value></s:Subcode></s:Code></s:Fault>"
    )


@pytest.mark.promise("feat A33")
def test_the_digest_is_the_one_of_the_standards_example() -> None:
    nonce = base64.b64decode("LKqI6G/AikKCQrN0zqZFlg==")
    created = datetime(2010, 9, 16, 7, 50, 45, tzinfo=UTC)
    header = security("user", "userpassword", created, nonce)
    assert ">tuOSpGlFlIXsozq4HFNeeGeFLEI=<" in header
    assert ">2010-09-16T07:50:45Z<" in header and ">LKqI6G/AikKCQrN0zqZFlg==<" in header


def test_a_name_is_text_and_no_xml() -> None:
    header = security('a<b>&"', "p<&>", datetime(2026, 1, 1, tzinfo=UTC))
    parsed = ElementTree.fromstring(envelope("<a/>", header))
    assert 'a<b>&"' in [each.text for each in parsed.iter()]


@pytest.mark.promise("fault C2")
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, fault("ter:NotAuthorized"), CredentialsRefused),
        (401, b"<html>", CredentialsRefused),
        (500, fault("ter:ActionNotSupported"), NotSupported),
        (400, fault("ter:NoProfile"), Misdirected),
        (500, fault("canary"), WrongAnswer),
        (404, b"", Misdirected),
        (200, b"", WrongAnswer),
        (200, b"<html><title>canary</title></html>", WrongAnswer),
        (200, b'<?xml version="1.0" encoding="UTF-16"?><a/>', WrongAnswer),
        (200, b'<!DOCTYPE a [<!ENTITY b "canary">]>' + soap("&b;"), WrongAnswer),
        (200, soap("<a>" * 20_000 + "</a>" * 20_000)[:-9], WrongAnswer),
        (200, "<?xml ?>".encode("utf-16") + soap(""), WrongAnswer),
    ],
)
def test_an_answer_that_is_none_is_an_error_of_ours(
    status: int, body: bytes, kind: type[CameraError]
) -> None:
    with pytest.raises(CameraError) as caught:
        Reply(status, body)
    assert type(caught.value) is kind
    assert "canary" not in str(caught.value)


def test_deep_and_wide_answers_are_read() -> None:
    deep = "<a>" * 20_000 + "<Uri>x</Uri>" + "</a>" * 20_000
    assert Reply(200, soap(deep)).text("Uri") == "x"
    assert Reply(200, soap("<Uri/>" * 20_000)).text("Uri") == ""
    assert Reply(200, soap("<a><Uri>y</Uri></a>")).text("none", "Uri") == ""


@pytest.mark.promise("fault C2")
@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("http://10.1.1.1/snap?a=1#x", "http://192.168.1.20/snap?a=1"),
        ("http://user:pw@10.1.1.1:81/snap", "http://192.168.1.20:81/snap"),
        ("rtsp://10.1.1.1:8554/s", "rtsp://192.168.1.20:8554/s"),
        ("file:///etc/passwd", None),
        ("gopher://10.1.1.1/", None),
        ("http://10.1.1.1:99999/", None),
        ("", None),
    ],
)
def test_an_address_that_a_camera_names_is_asked_at_the_configured_host(
    said: str, asked: str | None
) -> None:
    adapter = OnvifAdapter(FetchSection(kind="onvif", host="192.168.1.20:8899"))
    if asked:
        assert adapter._here(said) == asked
    else:
        with pytest.raises(CameraError):
            adapter._here(said)
