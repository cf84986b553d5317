"""Fixtures of several integration tests: RabbitMQ's users, a Snapbus in a process, cameras."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pika
import pytest

from services.camera import camera as cameras
from shared.bus.rabbit.broker import RabbitBroker
from tests.support.asking import Place
from tests.support.camera_pictures import PHOTOS
from tests.support.cameras import FaultyCamera
from tests.support.ftpdoor import Running, ftp_door
from tests.support.house import Checkout, HouseRabbit
from tests.support.listeners import Make, Party
from tests.support.processes import Process


@pytest.fixture
def make(amqp_url: str) -> Iterator[Make]:
    """Makes parties of the test's virtual host; the options are those of RabbitBroker."""
    with contextlib.ExitStack() as closing:

        def party(url: str = amqp_url, queue: str = "detector", **options: Any) -> Party:
            broker = RabbitBroker(url, **options)
            closing.callback(broker.close)
            if queue:
                broker.consume(queue, ["snapshot.taken"], 10)
            return Party(broker)

        yield party


@pytest.fixture
def stranger(amqp_url: str) -> Iterator[Any]:
    """A channel of another program that knows nothing of us but the address."""
    with contextlib.closing(pika.BlockingConnection(pika.URLParameters(amqp_url))) as link:
        yield link.channel()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Process]:
    """On SQLite with the broker in the process."""
    process = Process(tmp_path)
    yield process
    if process.process and process.process.poll() is None:
        process.kill()


@pytest.fixture
def served(tmp_path: Path, amqp_url: str, postgres_url: str) -> Iterator[Process]:
    """On PostgreSQL with RabbitMQ."""
    process = Process(tmp_path, journal={"url": postgres_url}, broker={"url": amqp_url})
    yield process
    if process.process and process.process.poll() is None:
        process.kill()


@pytest.fixture(params=["local", "served"])
def process(request) -> Process:
    found: Process = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Where pictures go; pauses between attempts are short."""
    monkeypatch.setattr(cameras, "FIRST_PAUSE_S", 0.01)
    place = Place(tmp_path)
    yield place
    place.journal.close()


@pytest.fixture
def camera() -> Iterator[FaultyCamera]:
    """A camera that does at each of its paths what ``FAULTS`` says."""
    with FaultyCamera() as camera:
        yield camera


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Running]:
    """An FTP server that cameras porch and yard may push to."""
    with ftp_door(tmp_path) as running:
        yield running


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of three pictures."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, picture in enumerate(PHOTOS):
        (folder / f"{number}.jpg").write_bytes(picture)
    return folder


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """One with a second archive and an existing system, after `task configure`."""
    checkout = Checkout(tmp_path_factory.mktemp("checkout"))
    (checkout.folder / ".env").write_text("COMPOSE_PROFILES=legacy\n")
    config = checkout.folder / "config/snapbus.yml"
    config.write_text(config.read_text("utf-8") + "\narchives:\n  nas: {folder: nas}\n")
    checkout.configure()
    return checkout


@pytest.fixture(scope="module")
def house(checkout: Checkout) -> Iterator[HouseRabbit]:
    """A RabbitMQ with the accounts of the checkout."""
    with contextlib.closing(HouseRabbit(checkout)) as house:
        house.start()
        yield house
