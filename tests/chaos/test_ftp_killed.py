"""Killed at each step of one upload: what its camera was told, what is there, what a retry gets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import count

import pytest

from shared.store.part import BUFFER_BYTES
from tests.chaos.nursery import Forked, Nursery
from tests.support.ftpdoor import PASSWORD, Raw, session
from tests.support.making import picture

NUMBERS = count()
BEFORE_THE_COMMIT = (
    "store.before_open:1",
    "store.before_chunk:2",
    "store.after_chunk:2",
    "store.before_sync:1",
    "store.after_sync:1",
    "store.before_link:1",
    "store.after_link:1",
    "store.after_folder_sync:1",
    "intake.stored:1",
    "intake.before_record:1",
    "journal.between_row_and_event:1",
)
FEW = ("store.after_chunk:2", "journal.between_row_and_event:1", "ftp.before_answer:1")
AFTER_THE_COMMIT = ("intake.after_record:1", "ftp.finished:1", "ftp.before_answer:1")


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forked]:
    tree = {"cameras": {"porch": {"ftp": {"password": PASSWORD}}}}
    with (
        closing(Nursery()) as nursery,
        closing(Forked(tmp_path_factory.mktemp("killed"), tree, nursery)) as system,
    ):
        yield system


def upload(raw: Raw, name: str, data: bytes) -> str:
    """Send a file; the answer, empty when there was none."""
    try:
        with raw.begin(name) as link:
            link.sendall(data)
        return raw.read()
    except ConnectionError:
        return ""


def snapshots(system: Forked, name: str) -> list[str]:
    """The ids of the snapshots of this name."""
    with closing(system.journal()) as journal:
        return [row.id for row in journal.read.snapshots(limit=500) if row.name == name]


@pytest.mark.promise("fault F1", "inv I1", "inv I14")
@pytest.mark.parametrize(
    "where",
    [
        each if each in FEW else pytest.param(each, marks=pytest.mark.prove)
        for each in (*BEFORE_THE_COMMIT, *AFTER_THE_COMMIT)
    ],
)
def test_killed_at_any_step_of_an_upload(system: Forked, where: str):
    number = next(NUMBERS)
    name, data = f"{number}.jpg", picture(number)
    if "chunk" in where:  # larger than a buffer, so that it is written as it comes
        data += bytes(4 * BUFFER_BYTES)
    system.start("ftp", env={"FAILPOINT": f"{where}:kill"})
    with session(system.ftp_port) as raw:
        assert upload(raw, name, data) == ""
    assert system.wait("ftp") == -9
    kept = snapshots(system, name)
    assert len(kept) == (1 if where in AFTER_THE_COMMIT else 0)

    system.start("ftp", env={"FAILPOINT": ""})
    with session(system.ftp_port) as raw:
        answer = upload(raw, name, data)
    system.kill("ftp")

    (snapshot,) = snapshots(system, name)
    said = "known" if kept else "taken"
    assert answer == f"226 Transfer complete; {said} as {snapshot}."
    assert [snapshot] == (kept or [snapshot])
    system.store.sweep(older_than_s=0)
    assert not list(system.store.incoming.iterdir())
