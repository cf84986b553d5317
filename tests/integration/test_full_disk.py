"""One disk for everything, and it fills up: pictures, database, broker, archive and logs.

It needs root. Without it this test fails in CI, and is skipped on a developer's machine.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from shared.admin.doctor import Doctor
from tests.support.fakes import eventually
from tests.support.ftpdoor import PASSWORD, session
from tests.support.pictures import jpeg, scene
from tests.support.postgres import PostgresServer
from tests.support.rabbit import RabbitServer
from tests.support.rights import need_rights
from tests.support.system import System
from tests.support.volume import Disk

FULL_S = 5.0
"""Long enough for every part to notice: RabbitMQ 3.10 ends after two."""
SEVERAL = ("ftp", "detector", "drive", "scheduler", "api")


@dataclass
class House:
    """A whole Snapbus on one small disk; ``servers`` are started again when they end, as
    Docker does."""

    disk: Disk
    system: System
    names: tuple[str, ...]
    servers: tuple[RabbitServer | PostgresServer, ...] = ()
    kept: set[str] = field(default_factory=set)

    def send(self, number: int) -> str:
        """Upload a picture; the answer to it. What is taken is remembered."""
        data = jpeg(scene(320 + 8 * number, 240))
        with session(self.system.ftp_port) as raw:
            with suppress(ConnectionError), raw.data() as link:
                answer = raw.ask(f"STOR {number}.jpg")
                if answer.startswith("1"):
                    link.sendall(data)  # the server hangs up on what it refuses early
            if answer.startswith("1"):
                answer = raw.read()
            assert raw.ask("QUIT").startswith("221")
        if answer.startswith("226"):
            self.kept.add(hashlib.sha256(data).hexdigest())
        return answer

    def supervise(self) -> bool:
        for server in self.servers:
            server.start()
        return True

    def archived(self) -> bool:
        files = self.system.archive.glob("2*/*/*/*.jpg")
        return sorted(hashlib.sha256(each.read_bytes()).hexdigest() for each in files) == sorted(
            self.kept
        )


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """A disk on which temporary folders are made, too."""
    need_rights("a volume of its own")
    place = Path(tempfile.mkdtemp(prefix="snapbus-full-"))
    place.chmod(0o711)  # PostgreSQL runs as a user of its own
    with closing(Disk(place / "disk", 500)) as disk:
        monkeypatch.setattr(tempfile, "tempdir", str(disk.root))
        yield disk
    shutil.rmtree(place)


@pytest.fixture(
    params=["one process", pytest.param("several and servers", marks=pytest.mark.prove)]
)
def house(request: pytest.FixtureRequest, disk: Disk) -> Iterator[House]:
    folder = disk.root / "snapbus"
    folder.mkdir()
    tree: dict[str, Any] = {
        "cameras": {"porch": {"ftp": {"password": PASSWORD}}},
        "scheduler": {"reconcile_s": 0.3, "grace_s": 3},
        "work": {"first_retry_s": 1},
    }
    with ExitStack() as closing_all:
        if request.param == "one process":
            system = closing_all.enter_context(closing(System(folder, tree)))
            found = House(disk, system, ("allinone",))
        else:
            rabbit = closing_all.enter_context(closing(RabbitServer()))
            postgres = closing_all.enter_context(closing(PostgresServer()))
            rabbit.start()
            postgres.start()
            tree["journal"] = {"url": postgres.url(postgres.add_database())}
            tree["broker"] = {"url": rabbit.url()}
            system = closing_all.enter_context(closing(System(folder, tree)))
            found = House(disk, system, SEVERAL, (rabbit, postgres))
        system.start(*found.names)
        yield found


@pytest.mark.promise("fault X1", "inv I1", "inv I6", "inv I14")
def test_a_disk_that_is_full_for_a_while_is_recovered_from_without_hands(house: House):
    for number in range(5):
        assert house.send(number).startswith("226")
    house.disk.fill()  # whatever is under way with these five

    until = time.monotonic() + FULL_S
    while time.monotonic() < until:
        assert house.send(5).startswith("452")
    assert sorted(house.system.running()) == sorted(house.names)
    assert shutil.disk_usage(house.disk.root).free == 0

    house.disk.free()
    eventually(lambda: house.supervise() and house.send(6).startswith("226"), timeout=60)
    eventually(lambda: house.supervise() and house.archived(), timeout=60)
    assert sorted(house.system.running()) == sorted(house.names)
    assert len(house.kept) == 6
    with closing(house.system.journal()) as journal:
        system = house.system
        doctor = Doctor(
            system.store, journal, {"folder": system.archive}, level="hashes", grace_s=0
        )
        found = lambda: [one.what for one in doctor.findings()]  # noqa: E731
        eventually(lambda: found() == [], timeout=30, message=f"the doctor finds {found()}")
