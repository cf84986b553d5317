"""Keys of senders and of cameras where they meet: a stranger takes nobody's place, and a database
that hangs holds up no door."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from services.api.doors.http_door import HttpDoor
from services.scheduler.reconciler import Reconciler
from shared.ingest.spool import Spool
from shared.journal.catalogue import Candidate
from tests.support.api import Answer
from tests.support.fakes import eventually
from tests.support.httpdoor import http_doors, request, snapshot_id
from tests.support.making import core, picture


@pytest.mark.promise("sec B3", "sec B4")
@pytest.mark.parametrize("limit", ["places", "quota"])
def test_a_key_takes_no_place_of_another_camera_and_learns_nothing_of_it(
    tmp_path: Path, limit: str
):
    cameras = {"porch": {"http": {"quota": {"pictures_a_day": 2}}}, "yard": {}}
    pace = {"at_once": 1} if limit == "places" else {}
    with http_doors(tmp_path, {"cameras": cameras, "api": {"doors": pace}}) as doors:
        method, path, body, own = request("form", picture(1), "porch")
        path, strangers = f"{path}?camera=porch", doors.headers("yard")
        link = doors.link()
        with closing(link):
            if limit == "places":  # the stranger is first, and never done
                head = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Length: 9000"]
                head += [f"Authorization: {strangers['Authorization']}"]
                head += [f"Content-Type: {own['Content_Type']}", "", ""]
                link.sendall("\r\n".join(head).encode() + body[:200])
                assert link.recv(100).startswith(b"HTTP/1.1 404")
            for number in range(2):
                assert doors.send("form", picture(number)).status == 202
            answer = doors.api.ask(path, method, body, **own, **strangers)
            assert (answer.status, b"quota" in answer.body) == (404, False)


def test_cameras_that_send_no_more_take_no_memory(tmp_path: Path):
    with closing(core(tmp_path, {"cameras": {"porch": {}}})) as here:
        door = HttpDoor(here.parts)

        async def come_and_go(camera: str) -> None:
            async with door.receiving(camera, 0):
                assert door._coming == {camera: 1}

        for number in range(3):
            asyncio.run(come_and_go(f"c{number}"))
            door.quota.refusal(f"c{number}", door._quota_of("porch"))
        assert not door._coming
        quota = door.quota
        assert not (quota._coming or quota._pictures or quota._bytes)


@pytest.mark.promise("fault H5")
def test_a_database_that_hangs_holds_up_pictures_with_a_key_no_longer_than_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    awake = threading.Event()

    @contextmanager
    def hangs(*_: object) -> Iterator[None]:
        awake.wait(60)
        yield

    with http_doors(tmp_path, {"api": {"doors": {"store_threads": 1}}}) as doors:
        assert doors.send("put", picture(0)).status == 201
        journal = doors.api.context.journal
        before = type(journal._database).reading

        def reading(database: Any) -> Any:
            at_the_door = threading.current_thread().name.startswith("http")
            return hangs() if at_the_door else before(database)

        monkeypatch.setattr(type(journal._database), "reading", reading)
        monkeypatch.setattr(journal._group, "_batch", hangs)
        monkeypatch.setattr(journal._group, "_writing", hangs)
        monkeypatch.setattr(journal._group, "_patience_s", 0.3)
        answers: list[Answer] = []

        def send(number: int) -> None:
            key = {"Idempotency_Key": f"k{number}"} if number % 2 else {}
            answers.append(doors.send("put", picture(number), **key))

        senders = [threading.Thread(target=send, args=(number,)) for number in range(1, 7)]
        try:
            for sender in senders:
                sender.start()
            eventually(lambda: len(answers) == 6, timeout=10, message="all are answered")
        finally:
            awake.set()
            for sender in senders:
                sender.join()
        assert {answer.status for answer in answers} == {201}
        assert len(Spool(doors.api.context.store)) == 6


@pytest.mark.promise("fault H6")
def test_each_key_is_answered_for_itself(tmp_path: Path):
    with http_doors(tmp_path) as doors:
        first = {n: doors.send("put", picture(n), Idempotency_Key=f"{n}") for n in range(3)}
        again = [doors.send("put", picture(n), Idempotency_Key=f"{n}") for n in range(3)]
        assert [snapshot_id(each) for each in again] == [snapshot_id(first[n]) for n in range(3)]
        other = [doors.send("put", picture(9), Idempotency_Key=f"{n}") for n in range(4)]
        assert [each.status for each in other] == [422] * 3 + [201]


@pytest.mark.promise("fault H6", "fault H5", "inv I1")
def test_a_key_used_again_while_the_database_is_away_loses_no_acknowledged_picture(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    with http_doors(tmp_path) as doors:
        context = doors.api.context
        first = doors.send("put", picture(1), Idempotency_Key="k")
        context.intake._journal_away_until = float("inf")
        spooled = [doors.send("put", picture(n), Idempotency_Key="k") for n in (2, 1, 2)]
        assert [each.status for each in spooled] == [201] * 3
        waiting: list[Candidate] = list(Spool(context.store))
        context.intake._journal_away_until = float("-inf")
        for _ in range(2):  # as after a crash between recording and removing
            for each in waiting:
                Spool(context.store).put(each)
            Reconciler(context, at_once=False).reconcile()
        kept = {row.id: context.store.read(row.sha256) for row in doors.rows()}
        assert kept == {
            snapshot_id(first): picture(1), snapshot_id(spooled[0]): picture(2)
        }  # fmt: skip
        assert "was used again for another picture" in caplog.text
        assert snapshot_id(first) in caplog.text
        repeated = doors.send("put", picture(2), Idempotency_Key="k")
        assert snapshot_id(repeated) == snapshot_id(spooled[0])
        assert doors.send("put", picture(3), Idempotency_Key="k").status == 422


@pytest.mark.promise("fault H6", "inv I3", "inv I14")
def test_of_two_pictures_with_one_new_key_at_once_nothing_is_kept_of_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with http_doors(tmp_path, {"api": {"doors": {"store_threads": 2}}}) as doors:
        intake = doors.api.context.intake
        both, before = threading.Event(), type(intake).accept_all
        stored: list[object] = []

        def slow(self: Any, received: Any) -> Any:
            stored.extend(received)
            both.wait(10)
            return before(self, received)

        monkeypatch.setattr(type(intake), "accept_all", slow)
        answers: list[Answer] = []

        def send(number: int) -> None:
            answers.append(doors.send("put", picture(number), Idempotency_Key="k"))
            both.set()

        senders = [threading.Thread(target=send, args=(number,)) for number in (1, 2)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join(30)
        assert sorted(each.status for each in answers) == [201, 422]
        assert len(stored) == 1
        (row,) = doors.rows()
        store = doors.api.context.store
        assert [each.name for each in store.blobs()] == [row.sha256]
        (other,) = {picture(1), picture(2)} - {store.read(row.sha256)}
        assert doors.send("put", other, Idempotency_Key="k").status == 422
