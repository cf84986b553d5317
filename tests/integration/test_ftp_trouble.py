"""Broken connections, bad senders and a failing store: nothing half is ever acknowledged."""

from __future__ import annotations

import contextlib
import io
import socket
import sqlite3
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from services.ftp import executor, server, session
from shared.errors import JournalUnavailable, StoreError, StoreFull
from shared.ingest.spool import Spool
from shared.store import Part
from shared.store.part import BUFFERS
from tests.support.fakes import eventually
from tests.support.ftpdoor import PASSWORD, Raw, ftp_door, reset
from tests.support.making import picture

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler
    from pyftpdlib.ioloop import IOLoop
    from pyftpdlib.servers import FTPServer

CAMERA_PICTURE = picture(1) + bytes(40_000)


@pytest.fixture
def door(tmp_path):
    with ftp_door(tmp_path) as running:
        yield running


def nothing_kept(door) -> bool:
    """Neither in the journal nor on the disk nor in memory."""
    store = door.core.store
    held = BUFFERS - store._buffers._value
    return not (door.names() or held or list(store.incoming.iterdir()))


def cut_by_fin(raw: Raw, arrived: Callable[[], bool]) -> str:
    with raw.begin("x.jpg") as data:
        data.sendall(picture(1)[:-30])
        eventually(arrived)
    return raw.read()


def cut_by_rst(raw: Raw, arrived: Callable[[], bool]) -> str:
    data = raw.begin("x.jpg")
    data.sendall(picture(1)[:-30])
    eventually(arrived)
    reset(data)
    return raw.read()


@pytest.mark.promise("fault F2")
@pytest.mark.promise("feat B9")
@pytest.mark.promise("inv I14")
@pytest.mark.parametrize("cut", [cut_by_fin, cut_by_rst])
def test_a_cut_upload_is_not_acknowledged(door, cut):
    with door.raw() as raw:
        assert cut(raw, lambda: _received(door) > 0).startswith("451")
        assert nothing_kept(door)
        assert raw.put("x.jpg", picture(1)).startswith("226")


@pytest.mark.promise("fault F2")
@pytest.mark.parametrize("cut", [cut_by_fin, cut_by_rst])
def test_the_library_alone_would_acknowledge_it(tmp_path, cut):
    """The negative control: the same cuts, told as success by the server without our part."""
    authorizer = DummyAuthorizer()
    authorizer.add_user("porch", PASSWORD, str(tmp_path), perm="elradfmw")

    class Stock(FTPHandler):
        pass

    Stock.authorizer = authorizer
    stop = threading.Event()
    with IOLoop() as loop, FTPServer(("127.0.0.1", 0), Stock, ioloop=loop) as stock:

        def serve() -> None:
            while not stop.is_set():
                loop.poll(0.05)
                loop.sched.poll()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            with Raw(stock.address[1]) as raw:
                raw.ask("USER porch")
                raw.ask(f"PASS {PASSWORD}")

                def arrived() -> bool:
                    return "received: 138" in raw.ask("STAT")

                assert cut(raw, arrived).startswith("226")
        finally:
            stop.set()
            thread.join()


@pytest.mark.promise("fault F2")
def test_a_connection_that_breaks_as_it_is_made_is_a_cut(door):
    with door.raw() as raw:
        for number in range(30):
            data = raw.begin(f"{number}.jpg")
            reset(data)
            assert raw.read().startswith("451")
    assert nothing_kept(door)


@pytest.mark.promise("fault F2")
def test_a_reset_is_a_cut_even_when_the_picture_looks_whole(door):
    with door.raw() as raw:
        data = raw.begin("x.jpg")
        data.sendall(CAMERA_PICTURE)
        eventually(lambda: _received(door) == len(CAMERA_PICTURE))
        reset(data)
        assert raw.read().startswith("451")
    assert nothing_kept(door)


def _received(door) -> int:
    return door.about()["received_bytes"]


@pytest.mark.promise("fault F3")
def test_a_camera_that_hangs_up_after_the_last_byte_is_not_robbed(door):
    raw = door.raw()
    data = raw.begin("x.jpg")
    data.sendall(picture(1)[:-10])
    eventually(lambda: _received(door) > 0)
    raw.close()
    eventually(lambda: door.about()["connections"] == 0)
    data.sendall(picture(1)[-10:])
    data.close()
    eventually(lambda: door.names() == ["x.jpg"])


@pytest.mark.promise("fault F4")
@pytest.mark.parametrize("word", [b"ABOR", b"\xff\xf4\xff\xf2ABOR"])
def test_an_aborted_upload_leaves_nothing(door, word):
    with door.raw() as raw, raw.begin("x.jpg") as data:
        data.sendall(picture(1)[:-2])
        eventually(lambda: _received(door) > 0)
        assert raw.ask(word).startswith("426")
        assert raw.read().startswith("226")  # the abort itself, as RFC 959 has it
        eventually(lambda: nothing_kept(door))
        assert raw.put("y.jpg", picture(2)).startswith("226")
    assert door.names() == ["y.jpg"]


@pytest.mark.promise("fault F4")
def test_quitting_during_an_upload_waits_for_its_answer(door):
    with door.raw() as raw:
        data = raw.begin("x.jpg")
        data.sendall(picture(1)[:50])
        raw.send("QUIT")
        data.sendall(picture(1)[50:])
        data.close()
        assert raw.read().startswith("226")
        assert raw.read().startswith("221")
        assert raw.read() == ""
    assert door.names() == ["x.jpg"]


@pytest.mark.promise("fault F4", "fault F9")
@pytest.mark.parametrize("refused", [True, False])
def test_quitting_without_an_upload_is_answered_although_a_data_connection_is_open(
    door, monkeypatch, refused: bool
):
    def full(*_):
        raise StoreFull("no space left")

    monkeypatch.setattr(door.core.store.volume, "check_space", full)
    with door.raw() as raw, raw.data():
        assert raw.ask("NOOP").startswith("200")  # by now the server knows the data connection
        if refused:
            assert raw.ask("STOR x.jpg").startswith("452")
        raw.socket.settimeout(5)
        assert raw.ask("QUIT").startswith("221")
        assert raw.read() == ""


@pytest.mark.promise("fault F4")
def test_a_new_login_during_an_upload_lets_it_finish(door):
    with door.raw() as raw:
        data = raw.begin("x.jpg")
        data.sendall(picture(1)[:50])
        eventually(lambda: _received(door) > 0)
        assert raw.ask("REIN").startswith("230")
        assert raw.ask("PWD").startswith("530")
        data.sendall(picture(1)[50:])
        data.close()
        assert raw.read().startswith("226")
    assert door.names() == ["x.jpg"]


def test_commands_sent_ahead_are_answered_in_order(door):
    with door.raw() as raw, raw.data() as data:
        raw.send("STOR x.jpg\r\nPWD\r\nNOOP\r\nQUIT")
        assert raw.read()[:3] in ("125", "150")
        data.sendall(picture(1))
        data.close()
        codes = [raw.read()[:3] for _ in range(4)]
    assert sorted(codes) == ["200", "221", "226", "257"]
    assert codes[-1] == "221"
    assert door.names() == ["x.jpg"]


def test_a_second_upload_of_a_session_waits_for_the_first(door):
    with door.raw() as raw, raw.begin("x.jpg") as data:
        data.sendall(picture(1))
        eventually(lambda: _received(door) > 0)
        assert raw.ask("STOR y.jpg").startswith("450")
        data.close()
        assert raw.read().startswith("226")
        assert raw.ask("STOR z.jpg").startswith("425")


def test_data_may_come_before_its_command(door):
    with door.raw() as raw, raw.data() as data:
        data.sendall(picture(1))
        data.shutdown(socket.SHUT_WR)
        assert raw.ask("NOOP").startswith("200")
        assert raw.ask("STOR x.jpg")[:3] in ("125", "150")
        assert raw.read().startswith("226")
    assert door.names() == ["x.jpg"]


@pytest.mark.promise("fault F9")
@pytest.mark.parametrize(
    ("error", "code"), [(StoreFull("full"), "452"), (StoreError("I/O error"), "451")]
)
@pytest.mark.parametrize("step", ["receive", "write", "sync"])
def test_a_store_that_can_not_take_it_refuses(door, monkeypatch, step, error, code):
    def fail(*_: object) -> None:
        raise error

    with door.raw() as raw:
        with monkeypatch.context() as broken:
            if step == "receive":
                broken.setattr(door.core.store, "receive", fail)
            else:
                broken.setattr(Part, step, fail)
            assert raw.put("x.jpg", picture(1)).startswith(code)
        assert nothing_kept(door)
        assert raw.put("x.jpg", picture(1)).startswith("226")
    assert door.names() == ["x.jpg"]


@pytest.mark.promise("fault F9")
def test_a_full_store_refuses_before_a_byte_is_sent(door, monkeypatch):
    def full() -> None:
        raise StoreFull("full")

    monkeypatch.setattr(door.core.store.volume, "check_space", full)
    with door.raw() as raw, raw.data():
        assert raw.ask("STOR x.jpg").startswith("452")


@pytest.mark.promise("fault F10")
def test_a_locked_database_holds_up_nobody_else(door):
    """Another process holds the lock: an upload waits for a while and goes to the spool, the
    loop goes on."""
    path = door.core.settings.data / "snapbus.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with door.raw() as raw, raw.begin("x.jpg") as data:
            data.sendall(picture(1))
            data.close()
            start = time.monotonic()
            with door.raw("yard") as bystander:
                assert bystander.ask("NOOP").startswith("200")
            assert time.monotonic() - start < 2
            assert raw.read().startswith("226")
            assert time.monotonic() - start < 15
        assert len(Spool(door.core.store)) == 1
        assert door.names() == []
        other.execute("ROLLBACK")


def test_an_upload_whose_turn_comes_too_late_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(executor, "LONGEST_WAIT_S", -1.0)
    with ftp_door(tmp_path) as door, door.raw() as raw:
        assert raw.put("x.jpg", picture(1)).startswith("451")
        assert nothing_kept(door)


def test_the_journal_may_be_away_for_tests_too(door, monkeypatch):
    def away(*_: object) -> None:
        raise JournalUnavailable("away")

    monkeypatch.setattr(door.core.journal, "append", away)
    with door.raw() as raw:
        assert raw.put("test.txt", b"").startswith("451")


@pytest.mark.promise("inv I1")
def test_a_bug_while_storing_is_no_acknowledgement_and_no_end(door, monkeypatch, caplog):
    def bug(*_: object) -> None:
        raise ZeroDivisionError

    with door.raw() as raw:
        with monkeypatch.context() as broken:
            broken.setattr(Part, "sync", bug)
            assert raw.put("x.jpg", picture(1)).startswith("451 Internal error")
        assert raw.put("y.jpg", picture(2)).startswith("226")
    assert "ZeroDivisionError" in caplog.text


def test_a_bug_in_the_loop_ends_one_session_only(door, monkeypatch, caplog):
    def bug(*_: object) -> None:
        raise ZeroDivisionError

    with door.raw() as victim, door.raw("yard") as other:
        with monkeypatch.context() as broken:
            broken.setattr(session.Session, "store", bug)
            assert victim.put("x.jpg", picture(1)).startswith("451")
        with monkeypatch.context() as broken:
            broken.setattr(session.Session, "_begin", bug)
            with victim.data():
                assert victim.ask("STOR x.jpg") == ""
        assert other.put("y.jpg", picture(2)).startswith("226")
        with monkeypatch.context() as broken:
            broken.setattr(session.Session, "_stored", bug)
            with other.begin("z.jpg") as data:
                data.sendall(picture(3))
            assert other.read() == ""  # stored, but nobody was told: it will be sent again
    with door.raw("yard") as raw:
        assert "known" in raw.put("z.jpg", picture(3))
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.promise("fault F7")
def test_a_stalled_upload_is_given_up(tmp_path):
    with ftp_door(tmp_path, {"stall_s": 0.3}) as door, door.raw() as raw:
        with raw.begin("x.jpg") as data:
            data.sendall(picture(1)[:20])
            assert raw.read().startswith("421")
            assert raw.read() == ""
        eventually(lambda: nothing_kept(door))


@pytest.mark.promise("fault F7")
def test_an_upload_in_drops_is_given_up(tmp_path):
    with ftp_door(tmp_path, {"stall_s": 0.2, "upload_s": 0.5}) as door, door.raw() as raw:
        with raw.begin("x.jpg") as data:

            def drip() -> bool:
                with contextlib.suppress(OSError):
                    data.sendall(b"\xff\xd8\xff"[:1])
                return door.about()["uploads"]["cut"] == 1

            eventually(drip)
        assert raw.read().startswith("421")


@pytest.mark.promise("fault F7")
def test_a_silent_connection_is_closed(tmp_path):
    with ftp_door(tmp_path, {"timeout_s": 0.3}) as door:
        with door.raw("") as stranger:
            assert stranger.read().startswith("421")
        with door.raw() as raw:
            assert raw.read().startswith("421")
        eventually(lambda: door.about()["connections"] == 0)


@pytest.mark.promise("fault F8")
@pytest.mark.promise("feat B10")
def test_connections_are_limited_for_each_address_and_in_total(tmp_path):
    limits = {"max_connections": 4, "max_connections_per_ip": 3}
    with ftp_door(tmp_path, limits) as door, contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(door.raw(""))
        assert stack.enter_context(door.raw("")).greeting.startswith("421")

        def from_(address: str) -> str:
            with socket.create_connection(
                ("127.0.0.1", door.port), timeout=10, source_address=(address, 0)
            ) as other:
                return other.recv(100).decode()[:3]

        assert from_("127.0.0.2") == "220"
        stack.close()
        eventually(lambda: door.about()["connections"] == 0)
        with door.raw() as raw:
            assert raw.put("x.jpg", picture(1)).startswith("226")


@pytest.mark.promise("fault F8")
def test_six_hundred_silent_sockets_do_not_keep_another_camera_out(tmp_path):
    with ftp_door(tmp_path) as door, contextlib.ExitStack() as stack:
        for _ in range(600):
            silent = stack.enter_context(socket.socket())
            silent.bind(("127.0.0.9", 0))
            silent.connect(("127.0.0.1", door.port))
        with door.raw() as raw:
            assert raw.put("x.jpg", picture(1)).startswith("226")


@pytest.mark.promise("fault F14")
def test_stopping_finishes_what_has_come_and_tells_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(server, "STOP_GRACE_S", 1.0)
    with ftp_door(tmp_path) as door:
        idle, halfway, stuck = door.raw(), door.raw(), door.raw("yard")
        finishing, never = halfway.begin("x.jpg"), stuck.begin("y.jpg")
        finishing.sendall(picture(1)[:50])
        never.sendall(picture(2)[:50])
        eventually(lambda: _received(door) >= 100)
        start = time.monotonic()
        door.stop.set()
        assert idle.read().startswith("421")
        with pytest.raises(OSError, match="refused"):
            eventually(lambda: Raw(door.port).close(), timeout=1)
        finishing.sendall(picture(1)[50:])
        finishing.close()
        assert halfway.read().startswith("226")
        assert halfway.read().startswith("421")
        assert stuck.read()[:3] in ("421", "")
        door.halt()
        assert time.monotonic() - start < 5
        never.close()
        for raw in (idle, halfway, stuck):
            raw.close()
        assert door.names() == ["x.jpg"]
        eventually(lambda: not list(door.core.store.incoming.iterdir()))


@pytest.mark.promise("inv I1")
def test_many_cameras_at_once_are_all_answered_rightly(tmp_path):
    cameras = {f"cam{number}": {"ftp": {"password": PASSWORD}} for number in range(12)}
    with ftp_door(tmp_path, {"store_threads": 4}, cameras) as door:

        def camera(number: int) -> int:
            done = 0
            for turn in range(5):
                with door.client(f"cam{number}") as ftp:
                    ftp.storbinary(f"STOR {turn}.jpg", io.BytesIO(picture(number * 100 + turn)))
                    done += 1
            return done

        with ThreadPoolExecutor(12) as all_cameras:
            assert sum(all_cameras.map(camera, range(12))) == 60
        assert len(door.names()) == 60
        assert door.about()["uploads"]["taken"] == 60


@pytest.mark.promise("feat B8")
def test_an_outer_name_that_can_not_be_resolved_is_told(tmp_path, caplog, monkeypatch):
    real = socket.getaddrinfo

    def nowhere(host: str, *more: Any, **named: Any) -> Any:
        if host == "camera.invalid":
            raise socket.gaierror(-2, "Name or service not known")
        return real(host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with ftp_door(tmp_path, {"host": "127.0.0.1", "masquerade_address": "camera.invalid"}):
        eventually(lambda: "camera.invalid can't be resolved" in caplog.text)
