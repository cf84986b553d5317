"""Snapbus at work where each service has its own account on RabbitMQ, as Compose runs it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from ftplib import FTP

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from shared.bus.accounts import HOME
from shared.envelope import encode
from shared.event import Event, now
from shared.events import SnapshotRequested
from shared.journal import Journal
from tests.support.fakes import eventually
from tests.support.house import HouseRabbit
from tests.support.pictures import jpeg, scene
from tests.support.postgres import PostgresServer
from tests.support.system import SERVICES, System

pytestmark = pytest.mark.timeout(300)  # eight processes and a broker

WIDTHS = iter(range(320, 640, 8))


@pytest.fixture(scope="module")
def system(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer, house: HouseRabbit
) -> Iterator[System]:
    """All services; the tests share them, as their start takes longer than the tests do."""
    folder = tmp_path_factory.mktemp("services")
    still = folder / "still.jpg"
    still.write_bytes(jpeg(scene(next(WIDTHS), 240)))
    postgres.start()
    database = postgres.add_database()
    tree = {
        "journal": {"url": postgres.url(database)},
        "cameras": {
            "porch": {"ftp": {"password": "porch-pw"}},
            "gate": {"fetch": {"kind": "file", "path": str(still)}},
        },
        "archives": {"nas": {"folder": "nas"}},
        "scheduler": {"reconcile_s": 0.5, "grace_s": 2},
    }
    with closing(System(folder, tree)) as system:
        for name in SERVICES:
            start(system, house, name, wait=False)
        for name in SERVICES:
            system.wait_ready(name, timeout=120)
        yield system
    postgres.remove_database(database)


def start(system: System, house: HouseRabbit, name: str, *, wait: bool = True) -> None:
    system.start(name, env={"SNAPBUS__BROKER__URL": house.url_of(name)}, wait=wait)


@pytest.fixture
def journal(system: System) -> Iterator[Journal]:
    with closing(system.journal()) as journal:
        yield journal


@pytest.fixture
def root(house: HouseRabbit) -> Iterator[BlockingChannel]:
    with closing(pika.BlockingConnection(pika.URLParameters(house.url()))) as connection:
        yield connection.channel()


def upload(system: System) -> str:
    """The id of a picture that was sent by FTP."""
    with FTP(timeout=20) as ftp:
        ftp.connect("127.0.0.1", system.ftp_port)
        ftp.login("porch", "porch-pw")
        answer = ftp.storbinary("STOR a.jpg", io.BytesIO(jpeg(scene(next(WIDTHS), 240))))
    assert "taken as" in answer
    return answer.split()[-1].rstrip(".")


def filed(journal: Journal, snapshot_id: str) -> bool:
    """Whether both archives hold it."""
    snapshot = journal.read.snapshot(snapshot_id)
    filings = snapshot.filings if snapshot else ()
    return {each.archive for each in filings if each.path} == {"folder", "nas"}


@pytest.mark.promise("sec M1", "find M6")
def test_pictures_are_taken_analysed_and_filed_and_what_got_lost_is_delivered_again(
    system: System, house: HouseRabbit, journal: Journal, root: BlockingChannel
) -> None:
    first = upload(system)
    eventually(lambda: filed(journal, first), timeout=60)

    asked = SnapshotRequested(camera="gate", reason="event").event(subject="gate", cause="bell")
    with closing(pika.BlockingConnection(pika.URLParameters(house.url_of(HOME)))) as home:
        home.channel().basic_publish("snapbus.requests", asked.routing_key, encode(asked))
    eventually(lambda: any(each.camera == "gate" for each in journal.read.snapshots()), timeout=60)

    system.stop("drive")
    second = upload(system)
    eventually(lambda: len(journal.read.story(second)) == 2, timeout=60)
    eventually(lambda: not journal.recovery.unpublished(now(), 10), timeout=60)
    for queue in ("drive", "drive-nas"):
        root.queue_purge(queue)
    start(system, house, "drive")
    eventually(lambda: filed(journal, second), timeout=60)

    eventually(lambda: not journal.recovery.unpublished(now(), 10), timeout=60)
    assert journal.recovery.items() == []
    for name in SERVICES:
        assert system.problems(name) == []
        assert "ACCESS_REFUSED" not in system.log(name)


@pytest.mark.promise("sec M2", "find M6")
@pytest.mark.parametrize("user", ["tests", None], ids=["another account", "nobody"])
def test_what_a_service_committed_is_believed_of_it_alone(
    system: System, journal: Journal, root: BlockingChannel, user: str | None
) -> None:
    """The detector does not look into the journal before it works."""
    snapshot_id = upload(system)
    eventually(lambda: filed(journal, snapshot_id), timeout=60)
    other = upload(system)
    eventually(lambda: filed(journal, other), timeout=60)
    story = [each.event for each in journal.read.story(snapshot_id)]
    theirs = [each.event for each in journal.read.story(other)]
    forged = [
        replace(story[0], data={**theirs[0].data}),
        replace(story[1], data={**story[1].data, "detections": [], "engine": "forged"}),
    ]

    root.queue_purge("snapbus.dead")
    for each in forged:
        properties = pika.BasicProperties(user_id=user)
        root.basic_publish("snapbus", each.routing_key, encode(each), properties)

    # The second reaches the queues of both archives and of the watched folders.
    letters = [eventually(lambda: root.basic_get("snapbus.dead", auto_ack=True)[2]) for _ in "1234"]
    assert sorted(letters) == sorted(encode(each) for each in (forged[0], *[forged[1]] * 3))
    told = f"the account {user or '?'} may not say"
    assert f"{told} snapshot.taken.porch {story[0].id}" in system.log("detector")
    assert f"{told} snapshot.analyzed.porch {story[1].id}" in system.log("drive")
    after: list[Event] = [each.event for each in journal.read.story(snapshot_id)]
    assert after == story
