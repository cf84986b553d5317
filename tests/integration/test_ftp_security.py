"""Hostile senders: names, guesses, lines and foreign connections."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import socket
import time

import pytest

from services.ftp import control
from services.ftp.accounts import logins_of
from services.ftp.app import ServerSource, build
from shared.errors import ConfigError
from shared.ingest import accounts
from shared.ingest.names import NameReader
from shared.settings import Settings
from shared.settings.ftp import FtpSection
from shared.stop import Stop
from tests.support.fakes import eventually
from tests.support.ftpdoor import PASSWORD, Raw, ftp_door
from tests.support.making import core, picture


@pytest.mark.promise("sec A1")
@pytest.mark.parametrize(
    "name",
    [
        b"../../../../tmp/x.jpg",
        b"a/../../b.jpg",
        b"\\..\\w.jpg",
        b"/abs/x.jpg",
        b"x" * 255 + b".jpg",
        b"x" * 1900,
        "é.jpg".encode(),
        "e\u0301.jpg".encode(),
        "\u202egpj.exe".encode(),
        b"-rf.jpg",
        b".hidden.jpg",
        b"nul\x00.jpg",
        b"tab\t.jpg",
        b"bell\x07\x1b[31m.jpg",
        b"return\r.jpg",
        b"\xff\xfe.jpg",
        b"\xfe\xff.jpg",
        b"<img src=x onerror=alert(1)>.jpg",
        b"'; drop table snapshots; --.jpg",
        b"%s%n%d.jpg",
    ],
)
def test_no_name_is_a_path(door, tmp_path, name, caplog):
    caplog.set_level("DEBUG")
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    with door.raw() as raw:
        assert raw.put(name, picture(1)).startswith("226")
        assert raw.put(b"bad" + name[:1000], b"nothing" * 500).startswith("553")
        assert raw.ask("NOOP").startswith("200")
    (stored,) = door.names()
    assert stored.isprintable() or "\u202e" in stored
    new = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert all(
        re.fullmatch(r"[0-9a-f]{64}|snapbus\.db(-wal|-shm)?|ftp-known\.(json|part)", path.name)
        for path in new
    )
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", caplog.text.replace("\n", ""))


@pytest.mark.promise("sec A2")
def test_a_name_that_is_a_link_on_the_disk_is_not_followed(door, tmp_path):
    """Links that somebody put into our folders lead a sender nowhere: names are no files."""
    outside = tmp_path / "outside"
    outside.write_text("untouched")
    data = door.core.settings.data
    for folder in (data, data / "store", door.core.store.incoming):
        (folder / "link.jpg").symlink_to(outside)
    with door.raw() as raw:
        for name in ("link.jpg", "store/link.jpg", f"{data}/link.jpg"):
            assert raw.put(name, picture(1)).startswith("226")
            assert raw.ask(f"DELE {name}").startswith("250")
            assert raw.ask(f"RNFR {name}").startswith("550")
    assert outside.read_text() == "untouched" and (data / "link.jpg").is_symlink()


@pytest.mark.promise("sec A1")
def test_two_names_that_are_no_text_do_not_overwrite_each_other(door):
    with door.raw() as raw:
        assert raw.put(b"\xff\xff.jpg", picture(1)).startswith("226")
        assert raw.put(b"\xfe\xfe.jpg", picture(2)).startswith("226")
    assert len(door.names()) == 2


@pytest.mark.promise("sec A1")
def test_folders_of_any_name_answer_in_one_line(door):
    with door.raw() as raw:
        for name in (b"a\x00b", b"a\rb", b'a"b', b"\xff", b".." * 50, b"x/" * 900):
            assert raw.ask(b"MKD " + name)[:3] in ("257", "550")
            assert raw.ask(b"CWD " + name)[:3] in ("250", "550")
            assert raw.ask("PWD").startswith("257")
            assert raw.ask(b"RNFR " + name)[:3] in ("350", "550")
            assert raw.ask("CWD /").startswith("250")


@pytest.mark.promise("sec A10")
def test_the_log_holds_no_control_characters(door, caplog):
    caplog.set_level("DEBUG")
    with door.raw("") as raw:
        raw.ask(b"USER evil\x1b[2J\r\x00name")
        assert raw.ask(b"PASS \x1b\x07").startswith("530")
    with door.raw() as raw:
        raw.put(b"\x1b[2J\x07.avi", b"RIFF\0\0\0\0AVI " + bytes(2000))
        raw.ask(b"\x1b[2JNOOP")
    messages = [record.getMessage() for record in caplog.records]
    assert any("evil" in message for message in messages)
    assert not [message for message in messages if re.search(r"[\x00-\x1f\x7f]", message)]


@pytest.mark.promise("inv I16")
def test_passwords_are_not_logged(door, caplog):
    caplog.set_level("DEBUG")
    with door.raw() as raw:
        raw.put("x.jpg", picture(1))
        raw.ask(f"PASS {PASSWORD}")
    with door.raw("") as raw:
        raw.ask("USER porch")
        raw.ask("PASS secret-guess")
    everything = caplog.text + json.dumps(
        [record.__dict__ for record in caplog.records], default=str
    )
    assert PASSWORD not in everything and "secret-guess" not in everything


@pytest.mark.promise("sec A5")
@pytest.mark.promise("feat B2")
def test_wrong_passwords_and_unknown_users_get_the_same_late_answer(door):
    answers = set()
    for user in ("porch", "nobody"):
        with door.raw("") as raw:
            start = time.monotonic()
            answers.add((raw.ask(f"USER {user}"), raw.ask("PASS wrong")))
            assert time.monotonic() - start > accounts.ANSWER_S * 0.9
    assert len(answers) == 1


@pytest.mark.promise("sec A5")
def test_after_three_wrong_passwords_the_connection_is_closed(tmp_path, monkeypatch):
    monkeypatch.setattr(accounts, "ANSWER_S", 0.01)
    with ftp_door(tmp_path) as door, door.raw("") as raw:
        for _ in range(3):
            raw.ask("USER porch")
            assert raw.ask("PASS wrong").startswith("530")
        assert raw.read() == ""


@pytest.mark.promise("sec A5")
def test_guessing_on_fifty_connections_is_slow_and_does_not_stop_cameras(tmp_path):
    limits = {"max_connections_per_ip": 60}
    with ftp_door(tmp_path, limits) as door, contextlib.ExitStack() as stack:
        with door.raw() as camera:
            camera.put("x.jpg", picture(1))
        start = time.monotonic()
        guessers = [stack.enter_context(door.raw("")) for _ in range(50)]
        for raw in guessers:
            raw.send("USER yard\r\nPASS guess")
        with door.raw() as camera:
            assert camera.put("y.jpg", picture(2)).startswith("226")
        told = [raw for raw in guessers if raw.read().startswith("331") and _soon(raw)]
        assert len(told) < 20 + (time.monotonic() - start)


def _soon(raw: Raw) -> bool:
    """Whether the guess was checked and answered within a moment."""
    raw.socket.settimeout(0.02)
    try:
        return raw.read().startswith("530")
    except (TimeoutError, OSError):
        return False


def test_nothing_is_done_before_the_login(door):
    with door.raw("") as raw:
        for line in (
            "PASV",
            "EPSV",
            "STOR x.jpg",
            "MKD a",
            "LIST",
            "PORT 127,0,0,1,200,1",
            "STAT /",
        ):
            assert raw.ask(line)[:3] in ("530", "503")


@pytest.mark.promise("sec A9")
def test_an_endless_line_is_answered_once_and_ends_the_session(door):
    with door.raw() as raw:
        with contextlib.suppress(OSError):
            raw.socket.sendall(b"A" * 1_000_000)
        answers = b""
        with contextlib.suppress(OSError):
            while chunk := raw.socket.recv(65536):
                answers += chunk
        assert answers.count(b"500 ") <= 1
    with door.raw() as raw:
        assert raw.ask("NOOP").startswith("200")


@pytest.mark.promise("sec A9")
def test_a_hundred_thousand_commands_unread_do_not_fill_the_memory(door):
    with door.raw() as raw:
        raw.socket.settimeout(5)
        with contextlib.suppress(OSError):
            for _ in range(100):
                raw.socket.sendall(b"NOOP\r\n" * 1000 + b"HELP\r\n" * 1000)
    with door.raw() as raw:
        assert raw.ask("NOOP").startswith("200")
    eventually(lambda: door.about()["connections"] == 0)


@pytest.mark.promise("sec A9")
def test_half_a_command_and_empty_lines_do_no_harm(door):
    with door.raw() as raw:
        raw.socket.sendall(b"NO")
        raw.socket.sendall(b"OP\r\n")
        assert raw.read().startswith("200")
        for line in ("", " ", "   NOOP", "XYZZY", "STOR", "EPSV nonsense", "TYPE", "SITE", "\x00"):
            assert raw.ask(line)[:1] in "25"


@pytest.mark.promise("sec A9")
def test_too_many_commands_during_an_upload_end_the_session(tmp_path):
    with ftp_door(tmp_path) as door, door.raw("") as raw:
        raw.ask("USER porch")
        raw.socket.sendall(b"PASS wrong\r\n" + b"NOOP\r\n" * (control.MOST_PIPELINED + 5))
        assert raw.read().startswith("421")


@pytest.mark.promise("sec A4")
def test_a_foreign_address_can_not_take_over_a_passive_port(door):
    with door.raw() as raw:
        port = int(raw.ask("EPSV").split("|")[3])
        with socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.7", 0)):
            assert raw.read().startswith("425")
        with socket.create_connection(("127.0.0.1", port)) as data:
            assert raw.ask("STOR x.jpg").startswith("1")
            data.sendall(picture(1))
        assert raw.read().startswith("226")


@pytest.mark.parametrize(
    ("shed", "says"),
    [
        ({}, r"cameras\.shed\.ftp\.password.*camera_shed_ftp_password"),
        ({"username": "porch", "password": "x"}, "account of 'porch' already"),
    ],
)
def test_an_account_nobody_could_use_is_a_configuration_error(shed, says):
    tree = {"cameras": {"porch": {"ftp": {"password": "x"}}, "shed": {"ftp": shed}}}
    with pytest.raises(ConfigError, match=says):
        logins_of(Settings.model_validate(tree).cameras, FtpSection(), NameReader())


def test_a_port_in_use_is_a_configuration_error(door, tmp_path):
    tree = {
        "cameras": {"a": {"ftp": {"password": "x"}}},
        "ftp": {"host": "127.0.0.1", "port": door.port},
    }
    other = core(tmp_path / "other", tree)
    with (
        contextlib.closing(other.journal),
        pytest.raises(ConfigError, match=r"ftp\.port: .*in use"),
    ):
        build(other.parts).sources[0].run(Stop())


@pytest.mark.promise("feat B6")
def test_without_cameras_or_switched_off_there_is_no_server(tmp_path):
    for number, (tree, says) in enumerate(
        (
            ({}, "no camera delivers by FTP"),
            (
                {"ftp": {"enabled": False}, "cameras": {"a": {"ftp": {"password": "x"}}}},
                "switched off",
            ),
        )
    ):
        behind = core(tmp_path / str(number), tree)
        with contextlib.closing(behind.journal):
            service = build(behind.parts)
            stop = Stop()
            stop.set()
            for source in service.sources:
                assert isinstance(source, ServerSource)
                source.run(stop)  # with a camera it would listen, and end then
                assert source.server.port == 0
            assert says in service.about()["summary"]


def test_the_library_logs_nothing_by_itself(door, caplog):
    caplog.set_level("DEBUG")
    with door.raw() as raw:
        raw.put("x.jpg", picture(1))
        raw.ask("QUIT")
    noisy = [r for r in caplog.records if r.name == "pyftpdlib" and r.levelno > logging.DEBUG]
    assert not noisy
