"""Uploads that end too early, however they end: nothing half is ever acknowledged."""

from __future__ import annotations

import socket
import threading
import warnings
from collections.abc import Callable

import pytest

from tests.support.fakes import eventually
from tests.support.ftpdoor import PASSWORD, Raw, reset
from tests.support.making import picture

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler
    from pyftpdlib.ioloop import IOLoop
    from pyftpdlib.servers import FTPServer

CAMERA_PICTURE = picture(1) + bytes(40_000)


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
        assert cut(raw, lambda: door.received() > 0).startswith("451")
        assert door.kept_nothing()
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
    assert door.kept_nothing()


@pytest.mark.promise("fault F2")
def test_a_reset_is_a_cut_even_when_the_picture_looks_whole(door):
    with door.raw() as raw:
        data = raw.begin("x.jpg")
        data.sendall(CAMERA_PICTURE)
        eventually(lambda: door.received() == len(CAMERA_PICTURE))
        reset(data)
        assert raw.read().startswith("451")
    assert door.kept_nothing()


@pytest.mark.promise("fault F2")
def test_a_reset_that_came_behind_the_end_is_a_cut_too(door):
    """Bytes may have been lost before it; all of it has come before the server looks."""
    with door.raw() as raw:
        data = raw.data()
        data.sendall(picture(1))
        data.shutdown(socket.SHUT_WR)
        reset(data)
        assert raw.ask("STOR x.jpg").startswith("150")
        assert raw.read().startswith("451")
    assert door.kept_nothing()


@pytest.mark.promise("fault F3")
def test_a_camera_that_hangs_up_after_the_last_byte_is_not_robbed(door):
    raw = door.raw()
    data = raw.begin("x.jpg")
    data.sendall(picture(1)[:-10])
    eventually(lambda: door.received() > 0)
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
        eventually(lambda: door.received() > 0)
        assert raw.ask(word).startswith("426")
        assert raw.read().startswith("226")  # the abort itself, as RFC 959 has it
        eventually(lambda: door.kept_nothing())
        assert raw.put("y.jpg", picture(2)).startswith("226")
    assert door.names() == ["y.jpg"]
