"""Mail in bad times: cut connections, slow and silent senders, full disks, locked databases."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.mail import smtp, state
from services.mail.delivery import Delivery
from services.mail.reply import Reply
from shared.errors import JournalUnavailable, StoreError, StoreFull
from shared.ingest import places
from shared.ingest.spool import Spool
from shared.store import Part
from tests.support.fakes import eventually
from tests.support.maildoor import (
    PASSWORD,
    Raw,
    Running,
    logged_in,
    mail,
    mail_door,
    multipart,
    part,
)
from tests.support.making import picture
from tests.support.system import System
from tests.support.usage import Peak


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Running]:
    with mail_door(tmp_path) as running:
        yield running


def idle(door: Running) -> bool:
    return bool(door.about()["connections"] == 0) and door.kept_nothing()


@pytest.mark.promise("fault M2", "inv I14")
@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("missing", [1, 2, 3, 4, 5, 100])
def test_a_mail_whose_end_is_missing_leaves_nothing(door: Running, end: str, missing: int):
    data = mail(picture(1)) + b"\r\n.\r\n"
    with door.raw() as raw:
        raw.begin()
        raw.send(data[:-missing])
        if end == "reset":
            raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    eventually(lambda: idle(door))


@pytest.mark.promise("fault M3", "inv I1")
def test_who_hangs_up_before_the_answer_gets_it_the_next_time(
    door: Running, monkeypatch: pytest.MonkeyPatch
):
    stored, go_on = threading.Event(), threading.Event()
    sync = Part.sync

    def slow(one: Part) -> None:
        stored.set()
        go_on.wait(10)
        sync(one)

    monkeypatch.setattr(Part, "sync", slow)
    data = mail(picture(1), message_id="<1@x>")
    with door.raw() as raw:
        raw.begin()
        raw.send(data + b"\r\n.\r\n")
        assert stored.wait(10)
    eventually(lambda: door.about()["connections"] == 0)
    go_on.set()
    eventually(lambda: door.names() == ["0.jpg"])
    assert door.send(data)[1].startswith(b"2.0.0 Known as ")
    assert door.about()["mails"] == {"taken": 1, "repeated": 1, "tests": 0, "refused": 0}


@pytest.mark.promise("fault M4")
def test_rset_and_a_new_greeting_forget_the_mail_but_not_the_login(door: Running):
    with door.raw() as raw:
        for word in ("RSET", "EHLO again", "HELO again"):
            assert raw.ask("MAIL FROM:<a@b>").startswith("250")
            assert raw.ask("RCPT TO:<porch@x>").startswith("250")
            assert raw.ask(word).startswith("250")
            assert raw.ask("DATA").startswith("503")
        assert raw.put(mail(picture(1))).startswith("250")


@pytest.mark.promise("fault M6")
def test_a_mail_that_says_it_is_too_large_is_refused_before_it_comes(tmp_path: Path):
    with mail_door(tmp_path, {"max_bytes": 100_000}) as door, door.raw() as raw:
        assert "250-SIZE 100000" in raw.ask("EHLO x")
        assert raw.ask("MAIL FROM:<a@b> SIZE=100001").startswith("552")
        assert raw.ask("MAIL FROM:<a@b> SIZE=100000").startswith("250")


@pytest.mark.promise("fault M6", "inv I17")
@pytest.mark.parametrize("filler", [b"AAAA\r\n", b"   \r\n", b"x", b"--b\r\n"])
def test_a_mail_that_is_too_large_is_refused_at_its_end_or_cut_off(tmp_path: Path, filler: bytes):
    with mail_door(tmp_path, {"max_bytes": 100_000}) as door:
        with door.raw() as raw:
            answer = raw.put(multipart(part(picture(1)) + filler * (150_000 // len(filler))))
            assert answer.startswith(("552 5.3.4 Refused: more than 100000 bytes", "554"))
            assert door.kept_nothing()
            assert raw.put(mail(picture(1))).startswith("250")
        with door.raw() as raw:
            raw.begin()
            with contextlib.suppress(ConnectionError):
                for _ in range(100):
                    raw.send(filler * (150_000 // len(filler)))
                raw.read()
                pytest.fail("it was heard to its end")


@pytest.mark.promise("fault M7")
def test_silent_and_slow_senders_are_sent_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(smtp, "LOGIN_S", 0.3)
    with mail_door(tmp_path, {"stall_s": 0.3, "timeout_s": 0.5}) as door:
        with Raw(door.port) as silent:
            assert silent.read() == "421 4.4.2 Log in sooner."
        with Raw(door.port) as half:
            half.send(b"EHL")
            assert half.read() == "421 4.4.2 Log in sooner."
        with door.raw() as raw:
            assert raw.read() == "421 4.4.2 Nothing came for too long."
        with door.raw() as raw:
            raw.begin()
            raw.send(mail(picture(1)))
            assert raw.read() == "421 4.4.2 The mail did not come in time."
        eventually(lambda: idle(door))


@pytest.mark.promise("fault M7")
def test_a_mail_that_comes_byte_by_byte_is_given_up(tmp_path: Path):
    with mail_door(tmp_path, {"mail_s": 0.5}) as door, door.raw() as raw:
        raw.begin()
        with contextlib.suppress(ConnectionError):
            for _ in range(400):
                raw.send(b"x")
                time.sleep(0.05)
            pytest.fail("it was heard to its end")
        eventually(lambda: idle(door))


def test_who_reads_no_answer_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(smtp, "LOGIN_S", 2.0)
    monkeypatch.setattr(smtp, "GRACE_S", 0.2)
    monkeypatch.setattr(smtp, "CALLS", {"*": 10**9})
    with mail_door(tmp_path) as door, socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        sock.settimeout(0.5)
        sock.connect(("127.0.0.1", door.port))
        with contextlib.suppress(OSError):
            while True:
                sock.sendall(b"VRFY x\r\n" * 10_000)
        # 7: closed. An answer that is not read would keep the connection as it is.
        told = lambda: sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)  # noqa: E731
        eventually(lambda: told() == b"\7")


@pytest.mark.promise("fault M7")
def test_silence_in_the_middle_of_tls_is_no_place_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(smtp, "LOGIN_S", 0.3)
    monkeypatch.setattr("services.mail.server.HANDSHAKE_S", 0.3)
    with mail_door(tmp_path) as door:
        with Raw(door.port) as raw, socket.create_connection(("127.0.0.1", door.server.tls_port)):
            raw.ask("STARTTLS")
            eventually(lambda: door.about()["connections"] == 0)
        with Raw(door.port) as raw:
            raw.ask("STARTTLS")
            raw.send(b"no TLS at all\r\n")
            eventually(lambda: door.about()["connections"] == 0)
        with Raw(door.port) as raw:
            raw.ask("STARTTLS")
        eventually(lambda: door.about()["connections"] == 0)


@pytest.mark.promise("fault M8")
def test_one_address_takes_no_more_than_its_places_and_keeps_no_camera_out(tmp_path: Path):
    most = {"max_connections": 8, "max_connections_per_ip": 4}
    with mail_door(tmp_path, most) as door, contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(Raw(door.port))
        with Raw(door.port) as fifth:
            assert fifth.greeting == "421 Too many connections from your address."
        time.sleep(1.1)  # those who have not logged in by now make room
        with door.raw() as raw:
            assert raw.put(mail(picture(1))).startswith("250")


@pytest.mark.promise("fault M8")
def test_an_address_with_a_camera_has_four_times_as_many_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(places, "YIELD_S", 60.0)  # till then nobody makes room
    most = {"max_connections_per_ip": 2}
    with mail_door(tmp_path, most) as door, contextlib.ExitStack() as stack:
        stack.enter_context(door.raw())
        answers = [stack.enter_context(Raw(door.port)).greeting[:3] for _ in range(8)]
        assert answers == ["220"] * 7 + ["421"]


def connected(door: Running, address: str, stack: contextlib.ExitStack) -> str:
    """The code that a connection from there is greeted with."""
    link = socket.create_connection(("127.0.0.1", door.port), 10, source_address=(address, 0))
    return stack.enter_context(link).recv(100)[:3].decode()


@pytest.mark.promise("fault M8")
def test_places_are_limited_in_all_and_one_is_kept_for_an_address_with_a_camera(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(places, "YIELD_S", 60.0)  # till then nobody makes room
    with mail_door(tmp_path, {"max_connections": 3}) as door, contextlib.ExitStack() as stack:
        with door.raw():
            pass
        eventually(lambda: door.about()["connections"] == 0)
        said = [connected(door, f"127.0.0.{number}", stack) for number in (2, 3, 4)]
        assert said == ["220", "220", "421"]
        with door.raw() as raw:
            assert raw.put(mail(picture(1))).startswith("250")
            assert connected(door, "127.0.0.1", stack) == "421"


@pytest.mark.promise("fault M8")
@pytest.mark.parametrize("command", ["NOOP", "EHLO x", "AUTH CRAM-MD5", "HELP"])
def test_commands_are_counted(door: Running, command: str):
    with door.raw("") as raw:
        answers: list[str] = []
        while not answers or not answers[-1].startswith("421"):
            answers.append(raw.ask(command))
    assert 10 < len(answers) <= 21


@pytest.mark.promise("fault M8", "inv I17")
def test_lines_without_end_are_no_command(door: Running):
    with door.raw("") as raw:
        assert raw.ask("NOOP " + "x" * 5000).startswith("500")
        assert raw.ask("NOOP " + "x" * 500_000).startswith("500")
        assert raw.ask("NOOP").startswith("250")
        raw.send(b"\xff\xfe\0\r\n")
        assert raw.read().startswith("500")
        assert "too many" in [raw.ask("WHAT?") for _ in range(5)][-1].lower()


@pytest.mark.promise("fault M9", "inv I14")
@pytest.mark.parametrize(
    ("error", "code"), [(StoreFull("full"), "452"), (StoreError("I/O error"), "451")]
)
@pytest.mark.parametrize("step", ["check_space", "receive", "write", "sync"])
def test_a_store_that_can_not_take_it_refuses(
    door: Running, monkeypatch: pytest.MonkeyPatch, step: str, error: Exception, code: str
):
    def fail(*_: object) -> None:
        raise error

    with door.raw() as raw:
        with monkeypatch.context() as broken:
            match step:
                case "check_space":
                    broken.setattr(door.core.store.volume, step, fail)
                    assert raw.ask("MAIL FROM:<a@b>").startswith(code)
                case "receive":
                    broken.setattr(door.core.store, step, fail)
                case _:
                    broken.setattr(Part, step, fail)
            if step != "check_space":
                assert raw.put(mail(picture(1))).startswith(code)
        assert door.kept_nothing()
        assert raw.put(mail(picture(1))).startswith("250")
    assert door.names() == ["0.jpg"]


@pytest.mark.promise("fault M9", "fault M5")
def test_what_was_stored_before_the_disk_was_full_is_known_when_the_mail_comes_again(
    door: Running, monkeypatch: pytest.MonkeyPatch
):
    commit, data = door.core.store.commit, mail(picture(1), picture(2), message_id="<1@x>")

    def half(parts):
        first, _second = commit(parts[:1]), parts[1].discard()
        return [*first, StoreFull("full")]

    with door.raw() as raw:
        with monkeypatch.context() as broken:
            broken.setattr(door.core.store, "commit", half)
            assert raw.put(data).startswith("452")
        assert raw.put(data).startswith("250 2.0.0 Taken as ")
    assert door.names() == ["0.jpg", "1.jpg"]


@pytest.mark.promise("fault M10")
def test_a_locked_database_holds_up_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shared.journal.database.BUSY_S", 6.0)
    begun, finished = threading.Event(), Delivery._finished

    def noted(one: Delivery) -> Reply:
        begun.set()
        return finished(one)

    monkeypatch.setattr(Delivery, "_finished", noted)
    with (
        mail_door(tmp_path) as door,
        contextlib.closing(sqlite3.connect(tmp_path / "snapbus.db", isolation_level=None)) as other,
    ):
        with door.raw() as raw, door.raw("yard") as bystander:
            other.execute("BEGIN EXCLUSIVE")
            raw.begin()
            raw.send(mail(picture(1)) + b"\r\n.\r\n")
            assert begun.wait(10)
            start = time.monotonic()
            assert bystander.ask("NOOP").startswith("250")
            assert time.monotonic() - start < 5
            assert raw.read().startswith("250")
        assert len(Spool(door.core.store)) == 1
        assert door.names() == []
        other.execute("ROLLBACK")


@pytest.mark.promise("fault M10")
def test_a_mail_whose_turn_comes_too_late_is_refused(
    door: Running, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(state, "LONGEST_WAIT_S", -1.0)
    code, text = door.send(mail(picture(1)))
    assert (code, text[:15]) == (451, b"4.3.2 Too busy ")
    assert door.kept_nothing()


@pytest.mark.promise("fault M10")
def test_a_test_is_not_confirmed_while_the_journal_is_away(
    door: Running, monkeypatch: pytest.MonkeyPatch
):
    def away(*_: object) -> None:
        raise JournalUnavailable("away")

    monkeypatch.setattr(door.core.journal, "append", away)
    assert door.send(mail())[0] == 451


@pytest.mark.promise("inv I1")
def test_a_bug_of_ours_is_no_acknowledgement_and_no_end(
    door: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def bug(*_: object) -> None:
        raise ZeroDivisionError

    with door.raw() as raw:
        with monkeypatch.context() as broken:
            broken.setattr(Part, "sync", bug)
            assert raw.put(mail(picture(1))).startswith("451 4.3.0 Internal error")
        with monkeypatch.context() as broken:
            broken.setattr(smtp, "receive", bug)
            assert raw.put(mail(picture(1))).startswith("451 4.3.0 Internal error")
    assert door.send(mail(picture(1)))[0] == 250
    assert caplog.text.count("ZeroDivisionError") >= 2


@pytest.mark.promise("fault M12")
def test_a_mail_that_is_coming_when_the_server_stops_is_finished_or_refused(door: Running):
    with door.raw() as begun, door.raw() as done:
        begun.begin()
        done.begin()
        done.send(mail(picture(1)))
        door.stop.set()
        done.send(b"\r\n.\r\n")
        assert done.read().startswith("250")
        assert begun.read().startswith("421")
    door.halt()
    assert door.names() == ["0.jpg"]
    assert not list(door.core.store.incoming.iterdir())


@pytest.mark.promise("sec A8")
@pytest.mark.parametrize(
    "quota", [{"pictures_a_day": 3}, {"bytes_a_day": 3 * len(picture(1)) + 10}]
)
def test_a_camera_over_its_quota_is_refused_and_others_are_not(
    tmp_path: Path, quota: dict[str, int]
):
    cameras = {"porch": {"mail": {"password": PASSWORD, "quota": quota}}}
    with mail_door(tmp_path, cameras=cameras) as door:
        assert door.send(mail(picture(0), picture(1)))[0] == 250
        assert door.send(mail(picture(2), picture(3)))[0] == 552
        assert door.send(mail(picture(4)))[0] == 250
        with door.raw() as raw:
            answer = raw.ask("MAIL FROM:<a@b>")
            if answer.startswith("250"):
                raw.ask("RSET")
                answer = raw.put(mail(picture(5)))
            assert answer.startswith("552") and "cameras.porch.mail.quota" in answer
        assert door.send(mail(picture(6)), "yard")[0] == 250
        assert door.about()["over_quota"] == ["porch"]
    assert len(door.names()) == 4


@pytest.mark.promise("inv I17")
def test_mails_of_many_megabytes_at_the_same_time_need_little_memory(tmp_path: Path):
    tree = {"cameras": {"porch": {"mail": {"password": PASSWORD}}}}
    data, said = mail(picture(1) + bytes(20_000_000)), []

    def send(port: int) -> None:
        with logged_in(port) as raw:
            raw.socket.settimeout(60)
            said.append(raw.put(data)[:3])

    with contextlib.closing(System(tmp_path, tree)) as system:
        system.start("mail")
        eventually(lambda: "mail_started" in system.log("mail"))
        senders = [threading.Thread(target=send, args=(system.mail_port,)) for _ in range(3)]
        with Peak(system._processes["mail"].pid) as peak:
            for each in senders:
                each.start()
            for each in senders:
                each.join()
    assert said == ["250"] * 3
    assert peak.most_mb - peak.idle_mb < 60, "three mails of 27 MB"
