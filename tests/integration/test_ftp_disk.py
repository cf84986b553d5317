"""Volumes that are full, have no inode left or are read-only: real ones, under a real process.

They need root. Without it these tests fail in CI, and are skipped on a developer's machine.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import pytest

from shared.ingest.spool import Spool
from tests.support.fakes import eventually
from tests.support.ftpdoor import PASSWORD, session
from tests.support.making import picture
from tests.support.rights import need_rights
from tests.support.system import System
from tests.support.volume import Disk

NUMBERS = count()
LARGE = bytes(400_000)


@dataclass
class Site:
    """A system, the volume of its pictures and that of its journal."""

    system: System
    pictures: Disk
    journal: Disk

    def send(self, number: int, more: bytes = b"") -> str:
        """Upload a picture; the server's answer."""
        with session(self.system.ftp_port) as raw:
            return raw.put(f"{number}.jpg", picture(number) + more)

    def names(self) -> list[str]:
        return [each["name"] for each in self.system.get("/v1/snapshots?limit=200")["snapshots"]]

    def problems(self) -> tuple[str, str]:
        """What the page says, and what the health check of the process."""
        return str(self.system.get("/v1/health")), str(self.system.problems("allinone"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    need_rights("a volume of its own")
    folder = tmp_path_factory.mktemp("site")
    with contextlib.ExitStack() as stack:
        disks = [Disk(folder / name, 20, inodes=500) for name in ("pictures", "journal")]
        for disk in disks:
            stack.callback(disk.close)
        tree = {
            "data": str(folder / "pictures" / "data"),
            "journal": {"url": f"sqlite:///{folder / 'journal' / 'snapbus.db'}"},
            "intake": {"reserve_fraction": 0.0},
            "scheduler": {"reconcile_s": 0.3},
            "cameras": {"porch": {"ftp": {"password": PASSWORD}}},
        }
        system = stack.enter_context(contextlib.closing(System(folder, tree)))
        system.start("allinone")
        yield Site(system, *disks)


def full(disk: Disk) -> Callable[[], None]:
    disk.fill()
    return disk.free


def full_in_the_middle(disk: Disk) -> Callable[[], None]:
    disk.fill(leave=len(LARGE) // 2)
    return disk.free


def without_inodes(disk: Disk) -> Callable[[], None]:
    disk.exhaust()
    return disk.free


def read_only(disk: Disk) -> Callable[[], None]:
    disk.lock()
    return disk.unlock


@pytest.mark.promise("fault F9", "inv I1", "inv I14")
@pytest.mark.parametrize(
    ("broken", "code", "says"),
    [
        (full, "452", "no space left"),
        (without_inodes, "452", "no space left"),
        (full_in_the_middle, "452", ""),
        (read_only, "451", "Read-only file system"),
    ],
)
def test_a_volume_that_takes_nothing_refuses_says_so_and_recovers_by_itself(
    site: Site, broken: Callable[[Disk], Callable[[], None]], code: str, says: str
):
    number = next(NUMBERS)
    mend = broken(site.pictures)
    try:
        assert site.send(number, LARGE).startswith(code)
        if says:
            eventually(lambda: all(says in each for each in site.problems()))
    finally:
        mend()
    assert f"{number}.jpg" not in site.names()

    assert site.send(number, LARGE).startswith("226")

    assert f"{number}.jpg" in site.names()
    eventually(
        lambda: not any("no space" in each or "Read-only" in each for each in site.problems())
    )
    assert not list(site.system.store.incoming.iterdir())


@pytest.mark.promise("fault F9", "fault F10", "inv I1")
def test_while_the_journals_volume_is_full_pictures_are_taken_and_wait(site: Site):
    sent = []
    spool = Spool(site.system.store)
    site.journal.fill()
    try:

        def spooled() -> bool:
            sent.append(next(NUMBERS))
            assert site.send(sent[-1]).startswith("226")
            return len(spool) > 0

        eventually(spooled, timeout=30)
    finally:
        site.journal.free()

    eventually(lambda: {f"{number}.jpg" for number in sent} <= set(site.names()), timeout=30)
    assert len(spool) == 0
