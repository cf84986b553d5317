"""Pictures by mail: what is taken out of which mail, and what is said to the others."""

from __future__ import annotations

import base64
import quopri
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.maildoor import PASSWORD, Running, mail, mail_door, multipart, part
from tests.support.making import picture

ONE_LINE = base64.b64encode(picture(1))
MESSAGE = b"Content-Type: message/rfc822\r\n\r\n"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Running]:
    with mail_door(tmp_path) as running:
        yield running


@pytest.mark.promise("feat B19")
def test_a_picture_comes_in_by_mail(door: Running):
    code, text = door.send(mail(picture(1), _0="snapshot_20261121_180312.jpg"))

    assert code == 250 and text.startswith(b"2.0.0 Taken as ")
    assert door.stored() == [picture(1)]
    (row,) = door.core.journal.read.snapshots(limit=5)
    assert (row.camera, row.door, row.captured_by) == ("porch", "mail", "name")
    assert row.id in text.decode()
    assert door.about()["mails"]["taken"] == 1


SHAPES = {
    "octet-stream": multipart(part(picture(1), "Content-Type: application/octet-stream")),
    "no type": multipart(part(picture(1), "X-Nothing: here")),
    "a wrong type": multipart(part(picture(1), "Content-Type: image/gif")),
    "inline, without a name": multipart(
        b"Content-Type: image/jpeg\r\nContent-Disposition: inline\r\n"
        b"Content-Transfer-Encoding: BASE64 \r\n\r\n" + ONE_LINE
    ),
    "the whole mail": b"Content-Type: image/jpeg; name=x.jpg\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\n" + ONE_LINE + b"\r\n",
    "no boundary at the end": multipart(part(picture(1)))[:-7],
    "in a multipart in a multipart": multipart(
        b"Content-Type: text/plain\r\n\r\nwords",
        multipart(b"Content-Type: text/html\r\n\r\n<p>", part(picture(1)), boundary="inner"),
    ),
    "in a mail in a mail": multipart(MESSAGE + multipart(part(picture(1)), boundary="inner")),
    "an inner boundary that begins like the outer": multipart(
        multipart(part(picture(1)), boundary="bb")
    ),
    "in one long line": multipart(
        b"Content-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.b64encode(picture(1) + bytes(90_000))
    ),
    "without padding": multipart(
        b"Content-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.b64encode(picture(1) + b"\0").rstrip(b"=")
    ),
    "quoted-printable": multipart(
        b"Content-Type: image/jpeg\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        + quopri.encodestring(picture(1), quotetabs=True).replace(b"\r", b"=0D")
    ),
    "bare line feeds": multipart(part(picture(1))).replace(b"\r\n", b"\n"),
}


@pytest.mark.promise("feat B19")
@pytest.mark.parametrize("shape", SHAPES)
def test_a_picture_is_found_in_every_kind_of_mail(door: Running, shape: str):
    with door.raw() as raw:
        assert raw.put(SHAPES[shape]).startswith("250 2.0.0 Taken as ")

    (stored,) = door.stored()
    assert stored[: len(picture(1))] == picture(1)


@pytest.mark.promise("feat B19")
def test_photographs_come_in_byte_for_byte(tmp_path: Path, test_data: Path):
    photos = [path.read_bytes() for path in sorted(test_data.glob("photos/*.jpg"))[:5]]
    with mail_door(tmp_path, max_bytes=32_000_000) as door:
        assert door.send(mail(*photos))[0] == 250
        assert door.stored() == photos


@pytest.mark.promise("feat B19")
def test_several_pictures_are_a_snapshot_each(door: Running):
    data = mail(picture(1), picture(2), picture(3), _1="b.png")

    code, text = door.send(data)

    assert code == 250 and text.count(b",") == 2
    assert door.stored() == [picture(1), picture(2), picture(3)]
    assert door.names() == ["0.jpg", "2.jpg", "b.png"]


@pytest.mark.promise("feat B19")
@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('filename="../../etc/passwd.jpg"', "../../etc/passwd.jpg"),
        ("filename*=utf-8''t%C3%BCr.jpg", "tür.jpg"),
        ('filename="=?utf-8?b?dMO8ci5qcGc=?="', "tür.jpg"),
        ('filename="=?no-such-charset?b?dMO8?="', "=?no-such-charset?b?dMO8?="),
        ('filename="a\x1b[31m.jpg"', "a\ufffd[31m.jpg"),
        (f'filename="{"x" * 1900}.jpg"', "x" * 251 + ".jpg"),
        (f'filename="{"x" * 3000}.jpg"', ""),
    ],
    ids=["a path", "RFC 2231", "RFC 2047", "unknown charset", "a terminal's", "long", "too long"],
)
def test_what_the_sender_calls_a_picture_is_data(door: Running, header: str, name: str):
    data = multipart(
        b"Content-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n"
        b"Content-Disposition: attachment; " + header.encode() + b"\r\n\r\n" + ONE_LINE
    )
    with door.raw() as raw:
        assert raw.put(data).startswith("250")
    assert door.names() == [name]


CUT = picture(1)[:-2]
LARGE = picture(1) + bytes(200_000)
DEEP = part(picture(1))
for number in range(30):
    DEEP = multipart(DEEP, boundary=f"level{number}.")
REFUSED = {
    "HTML": (multipart(part(b"<html><body>Login")), "554 5.6.0 Refused: image/jpeg 'x.jpg'"),
    "empty": (multipart(part(b"")), "554 5.6.0 Refused: image/jpeg 'x.jpg': empty"),
    "a cut picture": (multipart(part(CUT)), "554 5.6.0 Refused: the JPEG is cut off"),
    "one of two is cut": (multipart(part(picture(2)), part(CUT)), "554 5.6.0 Refused: the JPEG"),
    "one of two is HTML": (multipart(part(picture(2)), part(b"<html>")), "554 5.6.0 Refused: ima"),
    "damaged base64": (
        multipart(part(picture(1)).replace(b"/9j", b"/9j*")),
        "554 5.6.0 Refused: image/jpeg 'x.jpg': its base64 is damaged",
    ),
    "base64 after its end": (
        multipart(part(picture(1)) + base64.b64encode(b"x") + b"\r\nAAAA"),
        "554 5.6.0 Refused: image/jpeg 'x.jpg': its base64 is damaged",
    ),
    "an unknown encoding": (
        multipart(b"Content-Type: image/jpeg\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nx"),
        "554 5.6.0 Refused: image/jpeg: its encoding 'x-uuencode' is not known",
    ),
    "too large": (multipart(part(LARGE)), "552 5.3.4 Refused: more than 100000 bytes"),
    "a film only": (
        multipart(part(b"....ftypmp42", "Content-Type: video/mp4", "clip.mp4")),
        "554 5.6.0 Refused: no JPEG or PNG is in this mail, only video/mp4 'clip.mp4'.",
    ),
    "too many": (multipart(*map(part, map(picture, range(21)))), "554 5.6.0 Refused: it has more"),
    "too deep": (DEEP, "554 5.6.0 Refused: it has more than 20 multiparts"),
    "too many parts": (multipart(*[b"\r\nx"] * 300), "554 5.6.0 Refused: it has more than 200"),
    "a long header": (
        b"X-Long: " + b"x" * 900_000 + b"\r\n" + multipart(part(picture(1))),
        "554 5.6.0 Refused: a header is too long",
    ),
    "many headers": (
        b"X-Many: x\r\n" * 9000 + multipart(part(picture(1))),
        "554 5.6.0 Refused: a header is too long",
    ),
}


@pytest.mark.promise("feat B19", "fault M6", "inv I14")
@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_says_why_and_leaves_nothing(door: Running, what: str):
    data, answer = REFUSED[what]
    with door.raw() as raw:
        assert raw.put(data).startswith(answer)
        assert door.kept_nothing()
        assert door.told("camera.tested") == []
        assert raw.put(mail(picture(9))).startswith("250"), "the session goes on"
    assert door.about()["mails"] == {"taken": 1, "repeated": 0, "tests": 0, "refused": 1}
    assert door.about()["last_refusal"].startswith("porch: Refused: ")


@pytest.mark.promise("feat B19")
def test_what_is_no_picture_beside_one_is_left_out_and_that_is_said(door: Running):
    film = part(b"....ftypmp42", "Content-Type: video/mp4", "clip.mp4")

    code, text = door.send(multipart(part(picture(1)), film))

    assert code == 250
    assert text.endswith(b"Left out, no JPEG or PNG: video/mp4 'clip.mp4'.")
    assert len(door.names()) == 1


@pytest.mark.promise("feat B19")
@pytest.mark.parametrize(
    "data",
    [
        mail(subject="=?utf-8?q?Test_der_T=C3=BCr?="),
        b"Subject: Test der =?latin-1?q?T=FCr?=\r\n\r\nIt works.\r\n",
        b"Subject: Test der T\xc3\xbcr\r\nContent-Type: text/html\r\n\r\n<p>It works.",
    ],
    ids=["multipart", "latin-1", "raw utf-8"],
)
def test_the_mail_of_a_test_button_is_told_as_a_test(door: Running, data: bytes):
    code, text = door.send(data)

    assert (code, text) == (250, b"2.0.0 Received; this was a test, no picture is in it.")
    (tested,) = [event for event in door.core.told if event.topic == "camera.tested"]
    assert tested.subject == "porch"
    assert tested.data["door"] == "mail" and tested.data["name"] == "Test der Tür"
    assert door.kept_nothing()


@pytest.mark.promise("fault M5")
def test_the_same_mail_again_is_known_and_an_equal_picture_of_another_mail_is_new(door: Running):
    first = mail(picture(1), picture(1), message_id="<1@cam>")
    assert door.send(first)[1].startswith(b"2.0.0 Taken as ")
    taken = sorted(row.id for row in door.core.journal.read.snapshots(limit=9))
    assert len(taken) == 2, "two equal pictures in one mail are two"

    assert door.send(first) == (250, f"2.0.0 Known as {taken[0]}, {taken[1]}.".encode())
    assert door.send(mail(picture(1), message_id="<2@cam>"))[1].startswith(b"2.0.0 Taken as ")
    assert door.send(mail(picture(2), message_id="<1@cam>"))[1].startswith(b"2.0.0 Taken as ")
    assert door.send(first, "yard", "yard@x")[1].startswith(b"2.0.0 Taken as "), "another camera's"
    assert len(door.names()) == 6
    assert door.about()["mails"]["repeated"] == 1


@pytest.mark.promise("fault M5")
def test_without_a_message_id_the_date_tells_a_repeat(door: Running):
    at_one = multipart(part(picture(1)), header="Date: Sat, 21 Nov 2026 01:00:00 +0000\r\n")
    at_two = multipart(part(picture(1)), header="Date: Sat, 21 Nov 2026 02:00:00 +0000\r\n")

    said = [door.send(each)[1].split()[1] for each in (at_one, at_one, at_two)]

    assert said == [b"Taken", b"Known", b"Taken"]
    (row, _other) = door.core.journal.read.snapshots(limit=5)
    assert row.captured_by == "arrival", "the zones of cameras are wrong too often"


def test_the_zone_of_the_camera_counts_for_times_in_names(tmp_path: Path):
    zone = {"porch": {"mail": {"password": PASSWORD, "timezone": "Asia/Tokyo"}}}
    with mail_door(tmp_path, cameras=zone) as door:
        door.send(mail(picture(1), _0="20251121090000.jpg"))
        (row,) = door.core.journal.read.snapshots(limit=5)
    assert row.captured_at.isoformat() == "2025-11-21T00:00:00+00:00"
