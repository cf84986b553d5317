"""Limits of the API: what is too large, too slow or no sense at all is refused, in words."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from services.api import guard, server
from services.api.seldom import TELL_S, Seldom
from tests.support.api import Api, running_api
from tests.support.fakes import eventually


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with running_api(tmp_path) as running:
        yield running


@pytest.mark.promise("sec B4")
def test_large_bodies_are_refused_before_they_are_read(api):
    told = b"POST /v1/work/replay HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", api.port), timeout=10) as link:
        link.sendall(told + b"Content-Length: 300000000\r\n\r\n")
        assert b" 413 " in link.recv(4096).splitlines()[0]
    with socket.create_connection(("127.0.0.1", api.port), timeout=10) as link:
        link.sendall(told + b"Transfer-Encoding: chunked\r\n\r\n")
        link.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n" + b"10000\r\n" + b"x" * 65536 + b"\r\n")
        assert b" 413 " in link.recv(4096).splitlines()[0]


@pytest.mark.promise("sec B4")
def test_a_head_without_end_is_cut_off(api):
    with socket.create_connection(("127.0.0.1", api.port), timeout=10) as link:
        link.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        answer = b""
        try:
            for number in range(2000):
                link.sendall(b"X-%d: " % number + b"y" * 1000 + b"\r\n")
        except OSError:
            pass
        else:
            answer = link.recv(4096)
        assert not answer or b" 400 " in answer.splitlines()[0]


@pytest.mark.promise("sec B12")
@pytest.mark.parametrize(
    "line", [b"\x16\x03\x01\x02", b"GET / HTTP/9\r\n\r\n", b"NONSENSE\r\n\r\n"]
)
def test_what_is_no_http_is_refused_like_everything_else(api, line):
    with socket.create_connection(("127.0.0.1", api.port), timeout=10) as link:
        link.sendall(line)
        with link.makefile("rb") as answer:
            head, _, body = answer.read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-security-policy" in head.lower()
    assert json.loads(body)["status"] == 400


@pytest.mark.promise("sec B12")
def test_what_is_no_http_a_thousand_times_is_a_line_of_the_log(api, caplog):
    for _ in range(30):
        with closing(socket.create_connection(("127.0.0.1", api.port), timeout=10)) as link:
            link.sendall(b"\x16\x03\x01 is no HTTP\r\n\r\n")
            assert link.recv(20).startswith(b"HTTP/1.1 400")
    said = [each for each in caplog.messages if "Invalid HTTP" in each]
    assert len(said) == 1


def test_a_warning_that_was_left_out_is_counted_and_nothing_else_is_left_out():
    now = 0.0
    seldom = Seldom(lambda: now)

    def passes(text: str, level: int = logging.WARNING) -> str:
        record = logging.LogRecord("uvicorn.error", level, "", 0, text, (), None)
        return record.getMessage() if seldom.filter(record) else ""

    assert passes("odd.") == "odd."
    assert [passes("odd.") for _ in range(5)] == [""] * 5
    assert passes("other.") == "other."
    assert passes("odd.", logging.ERROR) == "odd."
    now = TELL_S
    assert passes("odd.") == "odd. And 5 times more since it was said last."


@pytest.mark.promise("sec B5")
def test_slow_heads_and_bodies_are_cut_off_and_others_do_not_notice(tmp_path, monkeypatch):
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.5)
    with running_api(tmp_path) as api:
        heads = [socket.create_connection(("127.0.0.1", api.port), 10) for _ in range(200)]
        for link in heads:
            link.sendall(b"GET / HTTP/1.1\r\nHost: loc")
        body = socket.create_connection(("127.0.0.1", api.port), timeout=10)
        body.sendall(
            b"POST /v1/work/replay HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        )
        began = time.monotonic()
        assert api.ask("/v1/health/live").status == 200
        assert time.monotonic() - began < 10
        assert b" 408 " in body.recv(4096).splitlines()[0]
        for link in heads:
            assert link.recv(100) == b""
            link.close()
        body.close()


@pytest.mark.promise("sec B4")
@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"service": 7}', b'{"unknown": 1}', b"[" * 60000, b"\xff\xfe", b"null"]
)
def test_bodies_that_make_no_sense_are_refused_in_words(api, body):
    answer = api.ask("/v1/work/replay", "POST", body, Content_Type="application/json")

    assert answer.status in (400, 422)
    assert answer.json["detail"]


@pytest.mark.promise("sec B5")
def test_the_loop_answers_while_the_journal_is_slow(api, monkeypatch):
    waiting, go = threading.Semaphore(0), threading.Event()

    def slow(*_args, **_options):
        waiting.release()
        go.wait(20)
        return []

    monkeypatch.setattr(api.context.journal.read, "snapshots", slow)
    clients = [
        threading.Thread(target=api.ask, args=("/v1/snapshots",), daemon=True) for _ in range(5)
    ]
    for client in clients:
        client.start()
    for _ in clients:
        assert waiting.acquire(timeout=10)

    began = time.monotonic()
    assert api.ask("/v1/health/live").status == 200
    assert time.monotonic() - began < 10

    go.set()
    for client in clients:
        client.join(20)
    eventually(lambda: not any(client.is_alive() for client in clients))
