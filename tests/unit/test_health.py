"""Health: live, ready, stuck, and what the container's check makes of it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.errors import ConfigError
from shared.runtime import health
from shared.runtime.health import STALE_S, HealthServer, Pulse, check
from shared.runtime.metrics import Metrics
from tests.support.fakes import eventually
from tests.support.ports import free_ports
from tests.support.system import ROOT


class Process:
    """Something whose pulse a test sets."""

    def __init__(self) -> None:
        self.pulse = Pulse()
        self.metrics = Metrics()
        self.server = HealthServer("127.0.0.1", 0, lambda: self.pulse, self.metrics.render)

    def get(self, path: str) -> tuple[int, bytes]:
        url = f"http://127.0.0.1:{self.server.port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()


@pytest.fixture
def process() -> Iterator[Process]:
    process = Process()
    process.server.start()
    yield process
    process.server.stop()


def test_a_healthy_process_is_live_and_ready(process: Process):
    process.pulse = Pulse(services={"ftp": {"ok": True}})
    assert process.get("/live")[0] == 200
    status, body = process.get("/ready")
    assert status == 200
    assert json.loads(body) == {"ok": True, "problems": [], "services": {"ftp": {"ok": True}}}
    assert check(process.server.port) == []


@pytest.mark.promise("sec N2")
def test_a_process_with_problems_lives_but_is_not_ready(process: Process):
    process.pulse = Pulse(problems=("drive: owes 3 events",))
    assert process.get("/live")[0] == 200
    assert process.get("/ready")[0] == 503
    assert check(process.server.port) == ["drive: owes 3 events"]


def test_a_process_that_does_not_examine_itself_any_more_is_dead(process: Process):
    process.pulse = Pulse(taken_at=time.monotonic() - STALE_S - 1)
    assert process.get("/live")[0] == 503
    assert check(process.server.port) == ["the process hangs"]


def test_metrics_are_prometheus_text(process: Process):
    process.metrics.handled.labels("drive", "snapshot.analyzed", "done").inc()
    status, body = process.get("/metrics")
    assert status == 200
    assert b'snapbus_events_handled_total{outcome="done",service="drive"' in body
    assert process.get("/other")[0] == 404


def container_check(port: int) -> tuple[int, str]:
    """The status and the words of the health check of a container."""
    done = subprocess.run(
        [ROOT / "shared/runtime/healthcheck"],
        env={**os.environ, "SNAPBUS__HEALTH__PORT": str(port)},
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    return done.returncode, done.stdout


def test_the_check_of_a_container_says_what_is_wrong(process: Process):
    assert container_check(process.server.port) == (0, "")
    process.pulse = Pulse(problems=("drive: owes 3 events",))
    status, said = container_check(process.server.port)
    assert status == 1
    assert "drive: owes 3 events" in said
    (port,) = free_ports(1)
    assert container_check(port)[0] == 1


def test_a_process_that_is_young_or_ill_tells_its_watcher_at_once(process: Process):
    for pulse, expected in ((Pulse(), 200), (Pulse(problems=("x",)), 503), (Pulse(), 200)):
        process.pulse = pulse
        assert [process.get("/watch")[0] for _ in range(3)] == [expected] * 3  # or it timed out


def test_a_watcher_of_what_is_well_waits_and_is_told_when_that_ends(process: Process, monkeypatch):
    monkeypatch.setattr(health, "WELL_S", 0.0)
    monkeypatch.setattr(health, "LOOK_S", 0.02)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(process.get, "/watch")
        with pytest.raises(TimeoutError):
            asked.result(0.2)
        process.pulse = Pulse(problems=("broker: away",))
        assert asked.result(3)[0] == 503


def test_a_watcher_is_answered_in_time_when_nothing_happens(process: Process, monkeypatch):
    monkeypatch.setattr(health, "WELL_S", 0.0)
    monkeypatch.setattr(health, "LOOK_S", 0.02)
    monkeypatch.setattr(health, "WATCH_S", 0.2)
    began = time.monotonic()
    assert process.get("/watch")[0] == 200
    assert time.monotonic() - began > 0.2


def test_nobody_there_is_a_problem():
    (port,) = free_ports(1)
    assert "no answer" in check(port)[0]


def test_a_silent_caller_holds_nobody_up(process: Process):
    with contextlib.closing(socket.create_connection(("127.0.0.1", process.server.port))):
        assert process.get("/live")[0] == 200


def reset(client: socket.socket) -> None:
    """Go away as a process does that was killed before it read its answer."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@pytest.mark.parametrize("asked", [b"GET /metrics HTTP/1.0\r\n\r\n", b"GET /met", b""])
def test_a_caller_that_goes_away_is_no_error(asked: bytes, capsys: pytest.CaptureFixture[str]):
    answering, gone = threading.Event(), threading.Event()

    def figures() -> bytes:
        answering.set()
        gone.wait(10)
        return b"x" * 1_000_000

    server = HealthServer("127.0.0.1", 0, Pulse, figures)
    server.start()
    before = set(threading.enumerate())
    client = socket.create_connection(("127.0.0.1", server.port))
    client.sendall(asked)
    eventually(lambda: set(threading.enumerate()) - before)
    if b"HTTP" in asked:
        assert answering.wait(10)
    reset(client)
    gone.set()
    eventually(lambda: not set(threading.enumerate()) - before)
    server.stop()

    assert capsys.readouterr().err == ""


def test_a_port_in_use_is_a_mistake_of_the_configuration(process: Process):
    with pytest.raises(ConfigError, match="SNAPBUS__HEALTH__PORT"):
        HealthServer("127.0.0.1", process.server.port, Pulse, bytes)


@pytest.mark.promise("feat J3")
def test_what_a_service_did_is_counted_and_its_time_averaged(process: Process, monkeypatch):
    metrics, clock = process.metrics, iter([0, 2.0, 10, 13.0, 20, 20.5])
    monkeypatch.setattr("shared.runtime.metrics.time.perf_counter", lambda: next(clock))
    for outcome in ("done", "retry"):
        with metrics.handling("drive", "snapshot.analyzed"):
            pass
        metrics.count("drive", "snapshot.analyzed", outcome)
    with pytest.raises(ZeroDivisionError), metrics.handling("drive", "snapshot.analyzed"):
        raise ZeroDivisionError
    metrics.count("drive", "snapshot.analyzed", "dead")
    metrics.count("drive", "snapshot.analyzed", "repeated")

    average = 0.9 * (0.9 * 2.0 + 0.1 * 3.0) + 0.1 * 0.5
    (found,) = metrics.processed().values()
    assert (found["processed_count"], found["error_count"]) == (1, 2)
    assert found["avg_processing_time"] == pytest.approx(average)
    _, body = process.get("/metrics")
    assert b'processed_count{service="drive"} 1.0' in body
    assert b'error_count{service="drive"} 2.0' in body
