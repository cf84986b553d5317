"""FTPS: nothing short is acknowledged, and a camera that must be protected is."""

from __future__ import annotations

import contextlib
import hashlib
import re
import socket
import ssl
import stat
from collections.abc import Callable, Iterator
from ftplib import FTP_TLS
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from services.ftp.accounts import check
from shared import tls
from shared.errors import ConfigError
from shared.ingest import protection
from shared.settings import Settings
from shared.tls import CertificateFiles
from tests.support.fakes import eventually
from tests.support.ftpdoor import PASSWORD, Running, ftp_door
from tests.support.ftps import (
    RawTls,
    large,
    photographs,
    put_by_curl,
    put_by_ftplib,
    put_by_lftp,
    trusting,
)
from tests.support.making import picture

DATA = Path(__file__).parents[1] / "data"
Putter = Callable[[int, Path, list[str]], list[str]]
CLIENTS = [put_by_curl, put_by_ftplib, put_by_lftp]
REQUIRED: dict[str, Any] = {"porch": {"ftp": {"password": PASSWORD, "tls": "required"}}}
A_PICTURE = large(1, 80_000)


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Running]:
    with ftp_door(tmp_path) as running:
        yield running


def all_arrive_whole(put: Putter, folder: Path, count: int) -> None:
    """Every picture that was acknowledged is there, with the hash it was sent with."""
    sent = folder / "sent"
    sent.mkdir()
    hashes = photographs(sent, count)
    with ftp_door(folder / "system", cameras=REQUIRED, max_bytes=10**6) as door:
        done = put(door.port, sent, list(hashes))
        rows = door.core.journal.read.snapshots(limit=500)
        assert {row.name: row.sha256 for row in rows} == {name: hashes[name] for name in done}
        assert len(done) == count
        assert door.about()["uploads"]["cut"] == 0


@pytest.mark.promise("sec A6")
@pytest.mark.parametrize("put", CLIENTS, ids=lambda put: put.__name__)
def test_pictures_over_ftps_arrive_whole(put: Putter, tmp_path: Path):
    all_arrive_whole(put, tmp_path, 40)


@pytest.mark.prove
@pytest.mark.timeout(600)
@pytest.mark.promise("sec A6")
@pytest.mark.parametrize("put", CLIENTS, ids=lambda put: put.__name__)
def test_five_hundred_pictures_over_ftps_arrive_whole(put: Putter, tmp_path: Path):
    all_arrive_whole(put, tmp_path, 500)


@pytest.mark.promise("sec A6", "inv I14")
@pytest.mark.parametrize(
    ("content", "notify", "code"),
    [
        (A_PICTURE, True, "226"),
        (A_PICTURE[:-2], True, "451"),
        (A_PICTURE[:-30_000], False, "451"),
        (A_PICTURE[:-2], False, "451"),
        (A_PICTURE, False, "226"),
        (A_PICTURE + bytes(500), True, "226"),
        (A_PICTURE + bytes(500), False, "451"),
        (b"", False, "451"),
        (b"", True, "226"),
        (b"test", False, "451"),
    ],
)
def test_an_end_without_close_notify_is_one_only_where_the_picture_ends(
    door: Running, content: bytes, notify: bool, code: str
):
    """What may be cut is not acknowledged: more bytes may have been on their way."""
    with RawTls(door.port) as raw:
        assert raw.put_in_tls("x.bin", content, notify=notify).startswith(code)
        assert raw.ask("NOOP").startswith("200")
    assert bool(door.names()) == (code == "226" and len(content) > 10)


@pytest.mark.promise("sec A6")
def test_a_reset_in_tls_is_a_cut(door: Running):
    with RawTls(door.port) as raw:
        plain = raw.begin("x.jpg")
        data = trusting().wrap_socket(plain)
        data.sendall(A_PICTURE)
        eventually(lambda: door.about()["received_bytes"] == len(A_PICTURE))
        data.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        data.close()
        assert raw.read().startswith("451")
    assert not door.names()


@pytest.mark.promise("sec A6")
def test_a_camera_that_needs_tls_is_refused_before_its_password(tmp_path: Path):
    with ftp_door(tmp_path, cameras=REQUIRED) as door:
        with door.raw("") as plain:
            assert plain.ask("USER porch").startswith("534")
            assert plain.ask(f"PASS {PASSWORD}").startswith("503")
            assert plain.ask("PASV").startswith("530")
        with door.raw("yard") as other:  # that one need not
            assert other.put("y.jpg", picture(1)).startswith("226")
        with RawTls(door.port) as raw:
            assert raw.ask("PROT C").startswith("534")
            assert raw.put_in_tls("x.jpg", A_PICTURE, notify=True).startswith("226")


@pytest.mark.promise("sec A6")
def test_a_camera_that_needs_tls_sends_no_picture_in_the_clear(tmp_path: Path):
    with ftp_door(tmp_path, cameras=REQUIRED) as door, RawTls(door.port, "") as raw:
        assert raw.ask("USER porch").startswith("331")
        assert raw.ask(f"PASS {PASSWORD}").startswith("230")
        with raw.data():
            assert raw.ask("STOR x.jpg").startswith("522")
            assert raw.ask("LIST").startswith("522")


def test_where_every_camera_needs_tls_unknown_users_are_answered_alike(tmp_path: Path):
    cameras = {name: REQUIRED["porch"] for name in ("porch", "yard")}
    with ftp_door(tmp_path, cameras=cameras) as door, door.raw("") as raw:
        assert raw.ask("USER porch") == raw.ask("USER nobody")


def test_a_camera_may_be_kept_to_plain_ftp(tmp_path: Path):
    cameras = {"porch": {"ftp": {"password": PASSWORD, "tls": "plain"}}}
    with ftp_door(tmp_path, cameras=cameras) as door:
        with RawTls(door.port, "") as raw:
            assert raw.ask("USER porch").startswith("534")
        with door.raw() as raw:
            assert raw.put("x.jpg", picture(1)).startswith("226")


@pytest.mark.promise("sec A6")
def test_what_was_sent_ahead_in_the_clear_is_forgotten(door: Running):
    """Else a stranger on the line could put commands into a protected session."""
    with door.raw("") as raw:
        raw.socket.sendall(b"AUTH TLS\r\nUSER porch\r\n")
        assert raw.read().startswith("234")
        tls = trusting().wrap_socket(raw.socket)
        tls.sendall(f"PASS {PASSWORD}\r\n".encode())
        assert tls.recv(100).startswith(b"503")
        tls.close()


@pytest.mark.promise("sec A6")
def test_a_login_in_the_clear_does_not_count_in_tls(door: Running):
    with door.raw() as raw:
        assert raw.ask("AUTH TLS").startswith("234")
        tls = trusting().wrap_socket(raw.socket)
        tls.sendall(b"PWD\r\n")
        assert tls.recv(100).startswith(b"530")
        tls.close()


@pytest.mark.promise("sec A6")
def test_nothing_older_than_tls_1_2_is_spoken(door: Running):
    context = trusting()
    with pytest.warns(DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with door.raw("") as raw:
        assert raw.ask("AUTH TLS").startswith("234")
        with pytest.raises(ssl.SSLError):
            context.wrap_socket(raw.socket)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_picture_and_a_list_by_either_version(door: Running, version: ssl.TLSVersion):
    context = trusting()
    context.minimum_version = context.maximum_version = version
    with FTP_TLS(context=context, timeout=20) as ftp:
        ftp.connect("127.0.0.1", door.port)
        ftp.login("porch", PASSWORD)
        ftp.prot_p()
        assert ftp.storbinary("STOR x.jpg", BytesIO(A_PICTURE)).startswith("226")
        assert ftp.nlst() == ["x.jpg"]


@pytest.mark.promise("sec A6")
def test_a_handshake_that_does_not_end_is_given_up(door: Running, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(protection, "HANDSHAKE_S", 0.3)
    with door.raw("") as raw:
        assert raw.ask("AUTH TLS").startswith("234")
        raw.socket.sendall(b"\x16\x03\x01\x02\x00\x01")  # the beginning of one
        assert raw.read() == ""
    eventually(lambda: door.about()["connections"] == 0)


def test_what_is_no_tls_ends_the_session_and_nothing_else(door: Running):
    with door.raw("") as raw:
        assert raw.ask("AUTH TLS").startswith("234")
        raw.socket.sendall(b"USER porch\r\n" * 50)
        with contextlib.suppress(OSError):
            while raw.socket.recv(1000):
                pass
    with door.raw() as other:
        assert other.put("x.jpg", picture(1)).startswith("226")


@pytest.mark.promise("sec A6")
def test_handshakes_of_one_address_are_spread():
    now = 100.0
    file = DATA / "self_signed.pem"
    guard = protection.Protection("ftp", CertificateFiles("x", file, file), lambda: now)
    waits = [guard.wait_s("10.0.0.1") for _ in range(3 * protection.AT_ONCE)]
    assert waits[: protection.AT_ONCE] == [0.0] * protection.AT_ONCE
    assert waits[-1] == pytest.approx(2 * protection.AT_ONCE * protection.SPACING_S)
    assert guard.wait_s("10.0.0.2") == 0


@pytest.mark.promise("sec A6")
def test_the_first_start_makes_a_certificate_that_stays(tmp_path: Path, caplog):
    caplog.set_level("INFO")
    seen = set()
    for _ in range(2):
        with ftp_door(tmp_path) as door, RawTls(door.port, "") as raw:
            assert isinstance(raw.socket, ssl.SSLSocket)
            der = raw.socket.getpeercert(binary_form=True)
            told = door.about()["certificate_sha256"]
            file = door.core.settings.data / "ftp-certificate.pem"
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            seen.add((der, told))
    ((der, told),) = seen
    assert der and re.fullmatch(r"([0-9A-F]{2}:){31}[0-9A-F]{2}", told)
    assert hashlib.sha256(der).hexdigest() == told.replace(":", "").lower()
    assert told in caplog.text
    assert "PRIVATE" not in caplog.text


def test_a_certificate_of_ones_own_is_used_and_checked(tmp_path: Path):
    with ftp_door(tmp_path / "other") as door:
        made = (door.core.settings.data / "ftp-certificate.pem").read_text()
    key, mark, certificate = made.partition("-----BEGIN CERTIFICATE")
    files = {"certificate": tmp_path / "c.pem", "certificate_key": tmp_path / "k.pem"}
    files["certificate"].write_text(mark + certificate)
    files["certificate_key"].write_text(key)
    own = {name: str(path) for name, path in files.items()}
    with ftp_door(tmp_path / "a", own) as door, RawTls(door.port) as raw:
        assert raw.put_in_tls("x.jpg", A_PICTURE, notify=True).startswith("226")
    check(Settings.model_validate({"ftp": own}))
    files["certificate_key"].write_text("no key")
    with pytest.raises(ConfigError, match=r"ftp\.certificate.*can't be used"):
        check(Settings.model_validate({"ftp": own}))


def fingerprint(port: int) -> str:
    """That of the certificate which a session gets now."""
    with RawTls(port, "") as raw:
        assert isinstance(raw.socket, ssl.SSLSocket)
        return hashlib.sha256(raw.socket.getpeercert(binary_form=True) or b"").hexdigest()


@pytest.mark.promise("sec A6")
def test_a_renewed_certificate_is_taken_without_a_restart_and_half_of_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tls, "LOOK_S", 0.0)
    first, second = (
        (DATA / f"{name}.pem").read_bytes() for name in ("self_signed", "certificate_good")
    )
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    certificate.write_bytes(first)
    key.write_bytes(first)
    own = {"certificate": str(certificate), "certificate_key": str(key)}
    with ftp_door(tmp_path / "system", own) as door, RawTls(door.port) as before:
        old = fingerprint(door.port)
        certificate.write_bytes(second)  # its key is still to come
        assert fingerprint(door.port) == old
        key.write_bytes(second)
        new = fingerprint(door.port)
        assert new != old
        assert door.about()["certificate_sha256"].replace(":", "").lower() == new
        # Who is connected goes on, and its next data connection is served too.
        assert before.put_in_tls("x.jpg", A_PICTURE, notify=True).startswith("226")


@pytest.mark.promise("find L6", "sec A4")
def test_who_takes_the_passive_port_without_tls_stores_nothing_as_a_camera_in_tls(door: Running):
    thiefs, own = large(7, 50_000), large(8, 50_000)
    with door.raw() as plain:  # over plain FTP he does: SECURITY.md says so
        with plain.data() as thief:
            thief.sendall(thiefs)
            assert plain.ask("STOR x.jpg").startswith("150")
        assert plain.read().startswith("226")
    before = door.names()
    with RawTls(door.port) as raw:
        with raw.data() as thief:
            thief.sendall(thiefs)
            raw.send("STOR y.jpg")
        answers = [raw.read()]
        if answers[0].startswith("150"):
            answers.append(raw.read())
        assert answers[-1][:3] in ("425", "451")
        assert door.names() == before
        assert raw.put_in_tls("y.jpg", own, notify=True).startswith("226")
    assert door.stored("y.jpg") == own
