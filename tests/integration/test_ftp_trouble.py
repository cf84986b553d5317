"""A store or a journal that fails, or a bug of ours: the sender is told that it is not safe."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import time
from typing import Any

import pytest

from services.ftp import session
from shared.errors import JournalUnavailable, StoreError, StoreFull
from shared.ingest import gathering
from shared.ingest.spool import Spool
from shared.store import Part
from tests.support.fakes import eventually
from tests.support.ftpdoor import ftp_door
from tests.support.making import picture


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
        assert door.kept_nothing()
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
def test_a_locked_database_holds_up_nobody_else(tmp_path, monkeypatch):
    """Another process holds the lock: an upload waits for a while and goes to the spool, the
    loop goes on."""
    monkeypatch.setattr("shared.journal.database.BUSY_S", 6.0)
    with (
        ftp_door(tmp_path) as door,
        contextlib.closing(sqlite3.connect(tmp_path / "snapbus.db", isolation_level=None)) as other,
    ):
        other.execute("BEGIN EXCLUSIVE")
        with door.raw() as raw, raw.begin("x.jpg") as data:
            data.sendall(picture(1))
            data.close()
            start = time.monotonic()
            with door.raw("yard") as bystander:
                assert bystander.ask("NOOP").startswith("200")
            assert time.monotonic() - start < 5
            assert raw.read().startswith("226")
            assert time.monotonic() - start < 30
        assert len(Spool(door.core.store)) == 1
        assert door.names() == []
        other.execute("ROLLBACK")


@pytest.mark.promise("fault F10")
def test_an_upload_whose_turn_comes_too_late_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(gathering, "LONGEST_WAIT_S", -1.0)
    with ftp_door(tmp_path) as door, door.raw() as raw:
        assert raw.put("x.jpg", picture(1)).startswith("451")
        assert door.kept_nothing()


@pytest.mark.promise("fault F10")
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
            broken.setattr(session.Session, "begin", bug)
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
