"""The HTTP client as others than cameras use it: bodies, limits, and errors without secrets."""

from __future__ import annotations

import io
import time
import traceback
from collections.abc import Iterator

import pytest

from shared.http.client import Client
from shared.http.deadline import Deadline
from shared.http.errors import HttpError, Misdirected, TooLarge, TooSlow
from shared.http.login import Login
from tests.support.camera_pictures import PICTURE
from tests.support.cameras import FaultyCamera, answer, says
from tests.support.ports import free_port


@pytest.fixture(scope="module")
def server() -> Iterator[FaultyCamera]:
    with FaultyCamera() as server:
        yield server


def client(max_bytes: int = 1_000_000, login: Login | None = None) -> Client:
    return Client("the webhook", max_bytes=max_bytes, login=login)


@pytest.mark.parametrize("body", [b"x=1", io.BytesIO(b"x=1")], ids=["bytes", "file"])
def test_a_body_and_headers_are_sent(server: FaultyCamera, body: bytes | io.BytesIO) -> None:
    server.faults["/hook"] = says(answer(b"taken", status="201 Created"))
    with (
        Deadline(5) as deadline,
        client().send(
            "POST", server.url("/hook"), deadline, headers={"X-Key": "1"}, body=body
        ) as said,
    ):
        assert (said.status, b"".join(said.chunks)) == (201, b"taken")
    assert server.requests[-1].startswith("POST /hook ")
    assert "X-Key: 1" in server.requests[-1] and "Content-Length: 3" in server.requests[-1]


def test_an_answer_over_the_limit_is_refused_while_it_comes(server: FaultyCamera) -> None:
    with (
        Deadline(5) as deadline,
        client(max_bytes=100_000).get(server.url("/endless"), deadline) as said,
        pytest.raises(TooLarge, match="the webhook sent more than 100000 bytes"),
    ):
        for _ in said.chunks:
            pass
    with Deadline(5) as deadline, client(len(PICTURE)).get(server.url("/fine"), deadline) as said:
        assert b"".join(said.chunks) == PICTURE


def test_a_body_that_nobody_reads_ends_with_the_deadline(server: FaultyCamera) -> None:
    began = time.monotonic()
    with (
        Deadline(0.5) as deadline,
        pytest.raises(TooSlow, match=r"no complete answer within 0\.5 s"),
        client().send("PUT", server.url("/silent"), deadline, body=bytes(50_000_000)),
    ):
        pytest.fail("there is no answer")
    assert time.monotonic() - began < 10


def test_a_request_with_a_body_is_redirected_nowhere(server: FaultyCamera) -> None:
    server.faults["/moved"] = says(b"HTTP/1.1 307 Moved\r\nLocation: /fine\r\n\r\n")
    with Deadline(5) as deadline, client().send("POST", server.url("/moved"), deadline) as said:
        assert said.status == 307


@pytest.mark.promise("inv I16")
def test_no_error_holds_the_url_or_the_login(server: FaultyCamera) -> None:
    urls = [
        server.url(path) for path in server.faults if not path.startswith(("/drip", "/endless"))
    ]
    urls += [f"http://127.0.0.1:{free_port()}", "gopher://127.0.0.1", "http://127.0.0.1:1:1", "x"]
    secret = "".join(("can", "ary"))  # so that a traceback, which shows this line, does not hold it
    errors: list[HttpError] = []
    for url in urls:
        try:
            with (
                Deadline(0.3) as deadline,
                client(login=Login("user", secret)).get(f"{url}?key={secret}", deadline) as said,
            ):
                for _ in said.chunks:
                    pass
        except HttpError as error:
            errors.append(error)
    assert {Misdirected, TooSlow} < {type(each) for each in errors}
    assert len(errors) > 10
    for each in errors:
        assert secret not in "".join(traceback.format_exception(each))
