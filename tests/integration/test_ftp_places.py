"""Places: who says nothing keeps nobody out, and paths have bounds."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared import descriptors
from shared.ingest import places
from tests.support.fakes import eventually
from tests.support.ftpdoor import Raw, Running, ftp_door
from tests.support.making import picture


def silent(stack: contextlib.ExitStack, port: int, addresses: int, each: int) -> None:
    """So many connections that say nothing."""
    for number in range(addresses * each):
        link = socket.socket()
        stack.enter_context(link)
        link.bind((f"127.0.3.{1 + number % addresses}", 0))
        link.connect(("127.0.0.1", port))


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Running]:
    with ftp_door(tmp_path) as running:
        yield running


@pytest.mark.promise("fault F8", "find M8", "feat B10")
def test_silent_connections_do_not_keep_a_camera_out_that_was_there_before(door: Running):
    with door.raw():
        pass
    with contextlib.ExitStack() as stack:
        silent(stack, door.port, addresses=11, each=25)
        with door.raw() as raw:
            assert raw.put("x.jpg", picture(1)).startswith("226")


@pytest.mark.promise("fault F8", "find M8")
def test_silent_connections_make_room_for_a_camera_that_is_new(door: Running):
    with contextlib.ExitStack() as stack:
        silent(stack, door.port, addresses=11, each=25)
        time.sleep(places.YIELD_S)  # younger ones keep their places
        with door.raw() as raw:
            assert raw.put("x.jpg", picture(1)).startswith("226")


@pytest.mark.promise("fault F8", "feat B10")
def test_who_shares_the_address_of_silent_connections_gets_in(door: Running):
    with contextlib.ExitStack() as stack:
        for _ in range(32):
            stack.enter_context(Raw(door.port))
        time.sleep(places.YIELD_S)
        with door.raw() as raw:
            assert raw.put("x.jpg", picture(1)).startswith("226")


@pytest.mark.promise("fault F8")
def test_an_address_with_a_camera_has_four_times_as_many_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(places, "YIELD_S", 60.0)  # till then nobody makes room
    with ftp_door(tmp_path, {"max_connections_per_ip": 2}) as door, contextlib.ExitStack() as stack:
        stack.enter_context(door.raw())
        answers = [stack.enter_context(Raw(door.port)).greeting[:3] for _ in range(8)]
        assert answers == ["220"] * 7 + ["421"]


@pytest.mark.promise("fault F8")
def test_cameras_that_are_logged_in_keep_their_places(tmp_path: Path):
    with (
        ftp_door(tmp_path, {"max_connections": 2}) as door,
        door.raw() as first,
        door.raw("yard") as second,
    ):
        time.sleep(places.YIELD_S)
        with Raw(door.port) as late:
            assert late.greeting.startswith("421")
        assert first.ask("NOOP").startswith("200") and second.ask("NOOP").startswith("200")


@pytest.mark.promise("inv I17", "find M4")
def test_a_path_has_bounds(door: Running):
    with door.raw() as raw:
        longest = 0
        for _ in range(200):
            answer = raw.ask("CWD " + "x" * 1000)
            longest = max(longest, len(answer))
            assert answer[:3] in ("250", "550")
        assert answer.startswith("550") and longest < 5000
        assert raw.ask("MKD " + "y" * 1000).startswith("550")
        assert raw.ask("STOR " + "y" * 1000).startswith("550")
        raw.ask("CWD /")
        assert raw.ask("CWD " + "a/" * 64).startswith("250")
        assert raw.ask("CWD b").startswith("550")
        assert raw.ask("CWD /" + "a/" * 510).startswith("550")
        assert raw.ask("PWD").startswith("257")


@pytest.mark.promise("inv I17", "find M4")
def test_endless_folders_cost_no_memory_and_no_time(door: Running):
    def memory() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    with door.raw() as raw, door.raw("yard") as other:
        before = memory()
        for number in range(700):
            raw.ask(f"CWD {number}" + "x" * 1000)
        start = time.monotonic()
        assert other.ask("NOOP").startswith("200")
        assert time.monotonic() - start < 5
        assert memory() - before < 30_000_000


@pytest.mark.promise("find M5")
def test_a_process_may_have_as_many_descriptors_as_the_system_allows():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        assert descriptors.raise_limit() == min(hard, descriptors.MOST)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.promise("find M5")
def test_few_descriptors_mean_few_connections(tmp_path: Path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
        assert descriptors.share(0.4, 3, 256) == 68
        assert descriptors.share(0.4, 3, 50) == 50
        with ftp_door(tmp_path) as door:
            eventually(lambda: door.about()["places"] == 68)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
