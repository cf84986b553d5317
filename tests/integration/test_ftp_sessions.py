"""Commands around an upload in any order, a stop in the middle, and many cameras at once."""

from __future__ import annotations

import io
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.ftp import server
from shared.errors import StoreFull
from tests.support.fakes import eventually
from tests.support.ftpdoor import PASSWORD, Raw, ftp_door
from tests.support.making import picture


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
        eventually(lambda: door.received() > 0)
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
        eventually(lambda: door.received() > 0)
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


@pytest.mark.promise("fault F14")
def test_stopping_finishes_what_has_come_and_tells_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(server, "STOP_GRACE_S", 4.0)
    with ftp_door(tmp_path) as door:
        idle, halfway, stuck = door.raw(), door.raw(), door.raw("yard")
        finishing, never = halfway.begin("x.jpg"), stuck.begin("y.jpg")
        finishing.sendall(picture(1)[:50])
        never.sendall(picture(2)[:50])
        eventually(lambda: door.received() >= 100)
        start = time.monotonic()
        door.stop.set()
        assert idle.read().startswith("421")
        with pytest.raises(OSError, match="refused"):
            eventually(lambda: Raw(door.port).close())
        finishing.sendall(picture(1)[50:])
        finishing.close()
        assert halfway.read().startswith("226")
        assert halfway.read().startswith("421")
        assert stuck.read()[:3] in ("421", "")
        door.halt()
        assert time.monotonic() - start < 20
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
