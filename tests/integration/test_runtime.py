"""The runtime in real processes: it starts, waits, stops, dies and comes back without a loss.

The services here are real ones with a handler that can be told to be slow, to fail, or to end
its process; small in number, so that one process has everything that counts.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.journal import Journal
from shared.settings import load
from tests.fakes import eventually
from tests.making import picture
from tests.postgres import PostgresServer
from tests.proxy import Proxy
from tests.servers import RabbitServer, free_ports

ROOT = Path(__file__).parents[2]


class Process:
    """tests/integration/runtime_services.py as a process of its own."""

    def __init__(self, folder: Path, **tree: Any) -> None:
        self.folder = folder
        self.inbox = folder / "inbox"
        self.inbox.mkdir(parents=True, exist_ok=True)
        (self.port,) = free_ports(1)
        base = {
            "data": str(folder / "data"),
            "health": {"port": self.port, "stuck_s": 1.0},
            "log": {"format": "json"},
            "scheduler": {"reconcile_s": 0.2, "grace_s": 2.0},
            "work": {"first_retry_s": 0.2, "stop_grace_s": 2.0},
        }
        self.config = folder / "snapbus.yml"
        self.config.write_text(yaml.safe_dump(base | tree))
        self.settings = load(self.config, environ={}, secrets=folder)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **env: str) -> Process:
        with (self.folder / "log").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.runtime_services", str(self.config)],
                cwd=ROOT,
                env=os.environ | {"INBOX": str(self.inbox)} | env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        return self

    @property
    def running(self) -> subprocess.Popen[bytes]:
        assert self.process is not None
        return self.process

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def get(self, path: str) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=2) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)
        except OSError as error:
            return 0, str(error)

    def ready(self) -> Process:
        def is_ready() -> bool:
            assert self.running.poll() is None, self.log()
            return self.get("/ready")[0] == 200

        eventually(is_ready, timeout=40, message="it is ready")
        return self

    def send(self, *numbers: int) -> None:
        """Hand pictures over; the file is gone once the picture is acknowledged."""
        for number in numbers:
            part = self.inbox / f"{number}.part"
            part.write_bytes(picture(number))
            part.rename(self.inbox / f"{number}.jpg")

    def taken(self) -> None:
        eventually(lambda: not list(self.inbox.iterdir()), timeout=20)

    def has_left(self, fewer_than: int) -> bool:
        """Whether so few pictures wait to be taken."""
        return len(list(self.inbox.iterdir())) < fewer_than

    def kill(self) -> None:
        self.running.kill()
        self.running.wait(10)

    def stop(self, seconds: float = 10.0) -> float:
        """SIGTERM; returns how long it took."""
        began = time.monotonic()
        self.running.terminate()
        assert self.running.wait(seconds) == 0, self.log()
        return time.monotonic() - began

    def journal(self) -> Journal:
        return Journal.open(self.settings.journal_url, owner=False)

    def states(self) -> dict[str, int]:
        journal = self.journal()
        try:
            return journal.read.counts().get("porch", {})
        finally:
            journal.close()

    def filed(self) -> list[str]:
        """The hashes of what is in the archive, each file once."""
        files = (self.folder / "data" / "archive").rglob("*.jpg")
        return sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)

    def all_filed(self, count: int, timeout: float = 40) -> None:
        """Every picture is archived, in one file, by one effect, and nothing is unpublished."""
        wanted = sorted(hashlib.sha256(picture(n)).hexdigest() for n in range(count))
        eventually(lambda: self.states() == {"archived": count}, timeout=timeout)
        assert self.filed() == wanted
        journal = self.journal()
        try:
            eventually(lambda: journal.read.lag().unpublished == 0, timeout=timeout)
            for snapshot in journal.read.snapshots(limit=1000):
                topics = [each.event.topic for each in journal.read.story(snapshot.id)]
                assert topics == ["snapshot.taken", "snapshot.analyzed", "snapshot.archived"]
        finally:
            journal.close()


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


@pytest.mark.promise("inv I6", "inv I8", "feat K9")
def test_pictures_go_through_and_sigterm_leaves_nothing_open(process: Process):
    process.start().ready().send(*range(5))
    process.taken()
    process.all_filed(5)
    assert process.stop() < 10
    log = [json.loads(line) for line in process.log().splitlines()]
    assert [line["event"] for line in log if line.get("action") == "stopped"] == ["stopped"]
    assert not [line for line in log if line["level"] in ("error", "critical")]
    journal = process.journal()
    assert journal.read.lag().unpublished == 0  # also what was confirmed in the last moment
    journal.close()


@pytest.mark.promise("feat K9")
def test_sigterm_does_not_wait_for_ever_for_a_slow_handler(local: Process):
    local.start(SLOW="60").ready().send(0)
    local.taken()
    eventually(lambda: "working" in local.log())
    assert local.stop() < 5
    local.start().ready()
    local.all_filed(1)


@pytest.mark.promise("inv I1", "inv I4", "inv I6", "inv I8", "fault P1", "fault D1")
def test_killed_again_and_again_everything_is_finished_once(process: Process):
    count = 0
    for _round in range(2):
        process.start(SLOW="0.05")
        for _ in range(15):
            process.send(count)
            count += 1
        # Somewhere in the middle of taking and handling, another place each time.
        eventually(partial(process.has_left, 1 + count % 7), timeout=30)
        process.kill()
    process.start().ready()
    process.taken()
    process.all_filed(count)
    process.stop()


@pytest.mark.promise("inv I6", "fault D3")
def test_an_event_that_kills_its_process_ends_dead_and_its_neighbours_do_not(local: Process):
    local.send(0, 1, 2, 3)
    local.start(POISON="2.jpg", SNAPBUS__WORK__ATTEMPTS="2")

    def neighbours_are_done() -> bool:
        if local.running.poll() is not None:  # as Docker does, whatever it ended of
            assert local.running.returncode == -signal.SIGKILL
            local.start(POISON="2.jpg", SNAPBUS__WORK__ATTEMPTS="2")
        if not (local.settings.data / "snapbus.db").is_file() or list(local.inbox.iterdir()):
            return False
        journal = local.journal()
        with contextlib.closing(journal):
            dead = journal.recovery.items(("dead",))
        return bool(dead) and local.states() == {"archived": 3, "taken": 1}

    eventually(neighbours_are_done, timeout=60)
    journal = local.journal()
    (dead,) = journal.recovery.items()
    assert (dead.service, dead.status) == ("detector", "dead")
    assert "the process ended each time" in dead.error
    assert journal.recovery.replay() == 1
    journal.close()
    local.stop()
    local.start().ready()
    local.all_filed(4)


@pytest.mark.promise("fault D10")
@pytest.mark.parametrize("part", ["source", "worker"])
def test_a_thread_that_dies_ends_the_process(local: Process, part: str):
    local.start(DIES=part)
    local.send(0)
    assert local.running.wait(20) == 1
    assert "crashed" in local.log() or "source_failed" in local.log()


def test_what_a_source_finds_wrong_in_the_configuration_is_told_without_a_traceback(local: Process):
    local.start(DIES="port")
    assert local.running.wait(20) == 2
    assert "can't be used: inbox.port: is in use. Choose another." in local.log()
    assert "Traceback" not in local.log()


def test_live_ready_and_stuck_are_different_things(local: Process):
    local.start(SLOW="2.5").ready()
    assert local.get("/live")[0] == 200
    local.send(0)
    status, told = eventually(lambda: (r := local.get("/ready"))[0] == 503 and r)
    assert status == 503
    assert told["problems"] == [told["problems"][0]]
    assert told["problems"][0].startswith("detector: owes 1 events and has finished nothing for")
    assert local.get("/live")[0] == 200
    local.ready()
    local.all_filed(1)


@pytest.mark.promise("fault B2")
def test_without_the_journal_it_waits_and_goes_on(served: Process, postgres: PostgresServer):
    served.start(SLOW="0.5").ready().send(0)
    served.taken()
    postgres.stop()
    status, _ = eventually(lambda: (r := served.get("/ready"))[0] == 503 and r, timeout=30)
    assert (status, served.get("/live")[0]) == (503, 200)
    assert postgres.password not in served.log()
    postgres.start()
    served.ready()
    served.send(1)
    served.all_filed(2)
    served.kill()
    postgres.stop()
    served.start()
    eventually(lambda: served.get("/ready")[0] == 503, timeout=30)
    eventually(lambda: '"action": "waiting"' in served.log())
    postgres.start()
    served.ready()
    served.stop()


@pytest.mark.promise("inv I6", "feat D6")
def test_without_the_broker_pictures_are_taken_and_all_comes_through_later(
    tmp_path: Path, amqp_url: str, postgres_url: str, rabbit: RabbitServer
):
    with contextlib.closing(Proxy(rabbit.port)) as link:
        url = amqp_url.replace(f":{rabbit.port}/", f":{link.port}/")
        served = Process(tmp_path, journal={"url": postgres_url}, broker={"url": url})
        served.start(SLOW="0.2")
        try:
            served.ready().send(0, 1)
            served.taken()
            link.cut()
            eventually(lambda: served.get("/ready")[0] == 503, timeout=30)
            served.send(2, 3)
            served.taken()
            assert served.states().get("taken")
            link.heal()
            served.ready()
            served.all_filed(4)
            served.stop()
        finally:
            served.kill()


def test_a_second_process_on_sqlite_is_told_who_has_it(local: Process, tmp_path: Path):
    local.start().ready()
    other = Process(tmp_path / "other", data=str(tmp_path / "data"))
    other.start()
    assert other.running.wait(20) == 2
    assert f"in use by process {local.running.pid}" in other.log()
    local.stop()
