"""A database that hangs: doors go on acknowledging, processes still stop, nothing is lost."""

from __future__ import annotations

import hashlib
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from shared.ingest.spool import Spool
from tests.support.fakes import eventually
from tests.support.pictures import jpeg, scene
from tests.support.postgres import PostgresServer
from tests.support.proxy import Proxy
from tests.support.rabbit import RabbitServer
from tests.support.system import System


@pytest.fixture(scope="module")
def link(postgres: PostgresServer) -> Iterator[Proxy]:
    """What stands between the services and PostgreSQL."""
    postgres.start()
    with closing(Proxy(postgres.port)) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def system(
    tmp_path_factory: pytest.TempPathFactory,
    postgres: PostgresServer,
    rabbit: RabbitServer,
    link: Proxy,
) -> Iterator[System]:
    """The tests share it, as its start takes longer than they do."""
    rabbit.start()
    vhost, database = rabbit.add_vhost(), postgres.add_database()
    tree = {
        "journal": {"url": postgres.url(database).replace(f":{postgres.port}/", f":{link.port}/")},
        "broker": {"url": rabbit.url(vhost)},
        "cameras": {"porch": {"ftp": {"password": "porch-pw"}}},
        "scheduler": {"reconcile_s": 0.3, "grace_s": 2},
    }
    with closing(System(tmp_path_factory.mktemp("services"), tree)) as system:
        system.start("ftp", "detector", "drive", "scheduler")
        yield system
        link.heal()
    rabbit.remove_vhost(vhost)
    postgres.remove_database(database)


def picture(number: int) -> bytes:
    """A sound picture, another one for each number."""
    return jpeg(scene(320 + 8 * number, 240))


def upload(system: System, number: int) -> str:
    """Send a picture with curl, which fails unless the answer is 226; returns its hash."""
    data = picture(number)
    url = f"ftp://porch:porch-pw@127.0.0.1:{system.ftp_port}/{number}.jpg"
    subprocess.run(
        ["curl", "--silent", "--show-error", "-T", "-", url], input=data, check=True, timeout=40
    )
    return hashlib.sha256(data).hexdigest()


def archived(system: System) -> set[str]:
    files = system.archive.glob("2*/*/*/*.jpg")
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.promise("inv I1", "inv I6", "fault F10", "fault B2")
def test_pictures_sent_to_a_slow_or_frozen_database_are_acknowledged_and_come_through(
    system: System, link: Proxy
):
    link.slow(latency_s=0.05)
    sent = archived(system) | {upload(system, 1)}
    assert len(Spool(system.store)) == 0
    link.freeze()

    sent |= {upload(system, number) for number in (2, 3, 4)}

    assert len(Spool(system.store)) == 3
    link.heal()
    eventually(lambda: archived(system) == sent, timeout=60, message="all are archived")
    assert len(Spool(system.store)) == 0


@pytest.mark.promise("inv I1", "feat K9", "fault F10")
def test_a_process_stops_in_time_and_starts_without_its_database(system: System, link: Proxy):
    sent = archived(system) | {upload(system, 5)}
    eventually(lambda: archived(system) == sent, timeout=60)
    link.freeze()
    sent.add(upload(system, 6))

    began = time.monotonic()
    assert system.stop("ftp", "detector", "scheduler", timeout=30) == [0, 0, 0]
    assert time.monotonic() - began < 25  # Docker kills after 30
    link.cut()
    system.start("ftp", "detector", "scheduler", wait=False)
    eventually(lambda: upload_succeeds(system, 7), timeout=60, message="FTP without a database")
    sent.add(hashlib.sha256(picture(7)).hexdigest())
    link.heal()

    eventually(lambda: archived(system) == sent, timeout=90, message="all are archived")


def upload_succeeds(system: System, number: int) -> bool:
    try:
        upload(system, number)
    except subprocess.CalledProcessError:
        return False
    return True
