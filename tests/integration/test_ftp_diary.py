"""What the log tells of sessions, and what a camera's test button leaves."""

from __future__ import annotations

import io
import logging
from contextlib import suppress
from ftplib import error_perm

import pytest

from tests.support.fakes import eventually
from tests.support.ftpdoor import Running
from tests.support.making import picture


def told(caplog: pytest.LogCaptureFixture, action: str) -> list[logging.LogRecord]:
    return [each for each in caplog.records if getattr(each, "action", "") == action]


@pytest.mark.promise("feat B5")
def test_all_that_a_session_does_is_told(door: Running, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    with door.client() as ftp:
        ftp.storbinary("STOR snap/1.jpg", io.BytesIO(picture(1)))
        with pytest.raises(error_perm, match="read back"):
            ftp.retrbinary("RETR snap/1.jpg", bytes)
        with suppress(error_perm):
            ftp.storbinary("STOR film.avi", io.BytesIO(b"RIFF\0\0\0\0AVI " + bytes(2000)))
    with door.raw("") as raw:
        raw.ask("NOOP")
    (unknown,) = eventually(lambda: told(caplog, "ftp_connected"))
    assert "127.0.0.1" in unknown.getMessage() and "without a login" in unknown.getMessage()
    for action in (
        "ftp_login",
        "snapshot_taken",
        "ftp_download_refused",
        "upload_refused",
        "ftp_logout",
    ):
        (record,) = told(caplog, action)
        assert record.__dict__["camera"] == "porch", action
        assert "porch" in record.getMessage()
    (taken,), (left,) = told(caplog, "snapshot_taken"), told(caplog, "ftp_logout")
    assert taken.__dict__["file"] == "snap/1.jpg"
    assert left.__dict__["uploads"] == 1 and "1 uploads taken" in left.getMessage()
    (login,) = told(caplog, "ftp_login")
    assert "connected from 127.0.0.1" in login.getMessage()


@pytest.mark.promise("feat B5")
def test_wrong_passwords_and_connections_without_a_place_are_told(
    door: Running, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    with door.raw("") as raw:
        raw.ask("USER porch")
        assert raw.ask("PASS wrong").startswith("530")
    (refused,) = told(caplog, "ftp_login_failed")
    assert "porch" in refused.getMessage() and "wrong" not in caplog.text.replace("wrong user", "")


@pytest.mark.promise("sec A1", "feat B5")
def test_names_in_the_log_are_clean(door: Running, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    with door.raw() as raw:
        raw.send(b"RETR a\x1b[31m\xff\x07b" + b"x" * 1000)
        assert raw.read().startswith("550")
    (record,) = told(caplog, "ftp_download_refused")
    assert record.getMessage().isprintable()
    assert len(record.getMessage()) < 400


PIXEL_JPEG = bytes.fromhex(
    "ffd8ffe000104a46494600010101004800480000ffdb00430003020202020203020202030303030406040404040408"
    "060605060908080a0a090809090a0c0f0c0a0b0e0b09090d110d0e0f101011100a0c12131210130f101010ffc9000b"
    "080001000101011100ffcc000600101005ffda0008010100003f00d2cf20ffd9"
)
PIXEL_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8ffff"
    "3f0005fe02fe0def46b80000000049454e44ae426082"
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("test.txt", b""),
        ("test.txt", b"FTP test"),
        ("DVRWorkDirectory", b""),
        ("cam/DVRWorkDirectory", b"\0\0"),
        ("ftptest", b"ok"),
        ("probe.jpg", b""),
        ("image.jpg", PIXEL_JPEG),
        ("test.png", PIXEL_PNG),
    ],
)
@pytest.mark.promise("fault F7")
def test_what_a_test_button_uploads_is_answered_well_and_told(
    door: Running, name: str, content: bytes
):
    with door.raw() as raw:
        assert raw.put(name, content).startswith("226")
        assert raw.ask(f"SIZE {name}") == f"213 {len(content)}"
        assert raw.ask(f"DELE {name}").startswith("250")
    assert door.names() == []
    (event,) = door.core.told
    assert (event.topic, event.subject, event.data["name"]) == ("camera.tested", "porch", name)


@pytest.mark.parametrize("name", ["latest.jpg", "attest.jpg", "contest.png"])
def test_a_cut_picture_is_no_test_by_the_end_of_its_name(door: Running, name: str):
    with door.raw() as raw:
        assert raw.put(name, b"not a picture").startswith("553")
    assert door.core.told == []
