"""A stop in the middle of many uploads by HTTP."""

from __future__ import annotations

import contextlib
import hashlib
import signal
import socket
from pathlib import Path

import pytest

from services.api.server import STOP_SECONDS
from shared.store.part import BUFFERS
from tests.integration.test_ftp_crowd import is_refused
from tests.support.fakes import eventually
from tests.support.httpdoor import KINDS, request, told
from tests.support.making import picture
from tests.support.system import System

UPLOADS = 80
LATE = 24
"""Uploads from this one on end a while after the stop: forms before them wait for a result."""


def content(number: int) -> bytes:
    return picture(number) + bytes(50_000)


def kind_of(number: int) -> str:
    return KINDS[number // 2 % len(KINDS)]


def sent(number: int) -> bytes:
    """The request of an upload."""
    method, path, body, own = request(kind_of(number), content(number), "porch")
    path += "?camera=porch" if kind_of(number) == "form" else ""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in own.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@pytest.mark.promise("fault H7", "inv I1", "inv I14")
def test_stopped_with_many_uploads_open_each_is_finished_or_refused(tmp_path: Path):
    doors = {"at_once": UPLOADS, "result_s": 0.05}
    tree = {
        "cameras": {"porch": {}},
        "api": {"doors": doors},
        "intake": {"reserve_fraction": 0.0},
    }
    with contextlib.ExitStack() as stack:
        system = stack.enter_context(contextlib.closing(System(tmp_path, tree)))
        system.start("api")
        at = ("127.0.0.1", system.api_port)
        links = [
            stack.enter_context(socket.create_connection(at, timeout=20)) for _ in range(UPLOADS)
        ]
        for number, link in enumerate(links):
            link.sendall(sent(number)[:-20_000])
        eventually(lambda: len(list(system.store.incoming.iterdir())) == UPLOADS - BUFFERS)

        system.signal("api", signal.SIGTERM)
        eventually(lambda: is_refused(system.api_port), message="nobody new is let in")
        answers = dict.fromkeys(range(UPLOADS), 0)
        for number in range(0, UPLOADS, 2):  # one after the other
            with contextlib.suppress(ConnectionError):
                links[number].sendall(sent(number)[-20_000:])
            answers[number] = told(links[number])[0]
        for number in range(1, UPLOADS, 2):
            answers[number], answer = told(links[number])
            assert b"retry-after: 5" in answer.lower() and b"urn:snapbus:problem:stopping" in answer

        assert system.wait("api", timeout=10) == 0
    with contextlib.closing(system.journal()) as journal:
        rows = {row.sha256 for row in journal.read.snapshots(limit=2 * UPLOADS)}
    assert "Traceback" not in system.log("api")
    hashes = [hashlib.sha256(content(number)).hexdigest() for number in range(UPLOADS)]
    kept = {number for number, sha256 in enumerate(hashes) if sha256 in rows}
    finished = {number for number, status in answers.items() if 200 <= status < 300}
    assert {kind_of(number) for number in finished if number >= LATE} == set(KINDS)
    refused = {number for number, status in answers.items() if status == 503}
    assert set(answers) == finished | refused
    assert kept == finished
    assert len(rows) == len(kept)
    assert not list(system.store.incoming.iterdir())


@pytest.mark.promise("fault H7", "inv I1", "inv I14")
@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_is_being_stored_at_the_stop_is_answered_once_it_is(
    tmp_path: Path, kind: str
):
    """The disk takes longer than uvicorn waits."""
    tree = {
        "cameras": {"porch": {}},
        "api": {"doors": {"result_s": 0.05}},
        "intake": {"reserve_fraction": 0.0},
    }
    with contextlib.ExitStack() as stack:
        system = stack.enter_context(contextlib.closing(System(tmp_path, tree)))
        system.start("api", env={"FAILPOINT": f"intake.stored:1:sleep={STOP_SECONDS + 2}"})
        at = ("127.0.0.1", system.api_port)
        link = stack.enter_context(socket.create_connection(at, timeout=20))
        number = KINDS.index(kind) * 2
        link.sendall(sent(number))
        eventually(lambda: list(system.store.blobs()), message="it is being stored")

        system.signal("api", signal.SIGTERM)
        status, answer = told(link)
        assert 200 <= status < 300, answer
        assert system.wait("api", timeout=20) == 0
    with contextlib.closing(system.journal()) as journal:
        (row,) = journal.read.snapshots(limit=2)
    assert row.sha256 == hashlib.sha256(content(number)).hexdigest()
    assert row.id.encode() in answer
    assert "Traceback" not in system.log("api")
