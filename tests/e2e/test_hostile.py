"""Hostile pictures by one camera: they cost little, and the next good one is analysed."""

from __future__ import annotations

import io
import itertools
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from ftplib import FTP, error_perm
from pathlib import Path

import pytest

from tests.support.fakes import eventually
from tests.support.hostile import BOMBS
from tests.support.pictures import jpeg
from tests.support.system import ROOT, System
from tests.support.usage import Peak, processor_s

SOME, ALL = 20, 100
KINDS = (
    "1,100 scans",
    "99 scans",
    "PNG of 50 megapixels",
    "99 scans of few pixels",
    "sixteen million starts",
    "33 megapixels",
    "texts",
    "one row",
    "chunks as many as are allowed",
    "grey, one bit",
)


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    settings = {
        "cameras": {"porch": {"ftp": {"password": "porch-pw"}}},
        "detector": {
            "engine": "onnx",
            "model": str(ROOT / "services/simulator/figures.onnx"),
            "streams": 2,
        },
        "scheduler": {"reconcile_s": 0.5, "grace_s": 3},
    }
    system = System(tmp_path, settings)
    with closing(system):
        system.start("allinone")
        yield system


@contextmanager
def ended(end: threading.Event) -> Iterator[None]:
    """Whatever happens, who waits for this goes on."""
    try:
        yield
    finally:
        end.set()


def send(ftp: FTP, name: str, data: bytes) -> bool:
    """Whether it was acknowledged."""
    try:
        ftp.storbinary(f"STOR {name}", io.BytesIO(data))
    except error_perm as error:
        assert str(error).startswith("553"), error
        return False
    return True


def watch(system: System, ids: list[str], end: threading.Event) -> int:
    """What a page does that shows all of them: it asks for pictures and thumbnails. Returns how
    many it got."""
    shown = 0
    while not end.wait(0.2):
        for each, kind in itertools.product((*ids[:2], *ids[-2:]), ("thumbnail", "picture")):
            url = f"http://127.0.0.1:{system.api_port}/v1/snapshots/{each}/{kind}"
            # Most are damaged, and nothing of them is safe to show.
            with suppress(urllib.error.HTTPError):
                shown += bool(urllib.request.urlopen(url, timeout=60).read())
    return shown


@pytest.mark.timeout(400)
@pytest.mark.promise("find H2", "find H3", "fault D3", "fault D8", "inv I6", "inv I17")
@pytest.mark.parametrize("count", [SOME, pytest.param(ALL, marks=pytest.mark.prove)])
def test_after_many_hostile_pictures_a_good_one_is_analysed_at_once(system: System, count: int):
    bombs = {kind: BOMBS[kind]() for kind in KINDS}
    ids: list[str] = []
    end = threading.Event()
    pid = system.pid("allinone")
    before = processor_s(pid)
    pool = ThreadPoolExecutor(1)
    with pool, closing(system.journal()) as journal, Peak(pid) as peak, ended(end):

        def states() -> dict[str, str]:
            found = journal.read.snapshots(limit=500)
            ids[:] = [row.id for row in found]
            return {row.name: row.state for row in found}

        watcher = pool.submit(watch, system, ids, end)
        with FTP(timeout=60) as ftp:
            ftp.connect("127.0.0.1", system.ftp_port)
            ftp.login("porch", "porch-pw")
            kinds = [KINDS[number % len(KINDS)] for number in range(count)]
            taken = [
                name
                for number, kind in enumerate(kinds)
                if send(ftp, name := f"{number}.jpg", bombs[kind])
            ]
            assert len(taken) == count * 8 // 10  # two kinds are refused at the door
            assert send(ftp, "good.jpg", jpeg())

        def settled() -> bool:
            known = states()
            return all(known.get(name, "taken") != "taken" for name in taken)

        eventually(settled, timeout=240, message="each hostile picture has an end")
        over = time.monotonic()
        eventually(lambda: states()["good.jpg"] not in ("taken", "quarantined"), timeout=60)
        waited = time.monotonic() - over
        known = states()
        end.set()
        assert watcher.result(60)
    assert waited < 20
    assert "quarantined" in {known[name] for name in taken}
    assert (processor_s(pid) - before) / count < 3 * 2.0  # in three services, in one process
    assert peak.most_mb - peak.idle_mb < 300, peak.most_mb
