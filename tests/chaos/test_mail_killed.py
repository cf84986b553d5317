"""Killed at each step of one mail: what its camera was told, what is there, what a retry gets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import count

import pytest

from shared.store.part import BUFFER_BYTES
from tests.chaos.nursery import Forked, Nursery
from tests.support.maildoor import PASSWORD, logged_in, mail
from tests.support.making import picture

NUMBERS = count()
BEFORE_THE_COMMIT = (
    "store.before_open:1",
    "store.after_chunk:2",
    "store.before_sync:1",
    "store.after_sync:1",
    "store.before_link:1",
    "store.after_folder_sync:1",
    "intake.stored:1",
    "intake.stored:2",
    "intake.before_record:1",
    "journal.between_row_and_event:1",
)
AFTER_THE_COMMIT = (
    "intake.after_record:1",
    "mail.finished:1",
    "mail.before_answer:1",
    "mail.answered:1",
)
FEW = ("store.after_chunk:2", "journal.between_row_and_event:1", "mail.before_answer:1")


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forked]:
    tree = {"cameras": {"porch": {"mail": {"password": PASSWORD}}}}
    with (
        closing(Nursery()) as nursery,
        closing(Forked(tmp_path_factory.mktemp("killed"), tree, nursery)) as system,
    ):
        yield system


def send(system: Forked, data: bytes) -> str:
    """Send a mail; the answer, empty when there was none."""
    with suppress(ConnectionError), logged_in(system.mail_port) as raw:
        return raw.put(data)
    return ""


def snapshots(system: Forked, name: str) -> list[str]:
    """The ids of the snapshots whose names begin so."""
    with closing(system.journal()) as journal:
        rows = journal.read.snapshots(limit=500)
        return sorted(row.id for row in rows if row.name.startswith(name))


@pytest.mark.promise("fault M1", "inv I1", "inv I14")
@pytest.mark.parametrize(
    "where",
    [
        each if each in FEW else pytest.param(each, marks=pytest.mark.prove)
        for each in (*BEFORE_THE_COMMIT, *AFTER_THE_COMMIT)
    ],
)
def test_killed_at_any_step_of_a_mail(system: Forked, where: str):
    number = next(NUMBERS)
    pictures = [picture(2 * number), picture(2 * number + 1)]
    if "chunk" in where:  # larger than a buffer, so that it is written as it comes
        pictures[0] += bytes(4 * BUFFER_BYTES)
    name = f"n{number}-"
    data = mail(*pictures, message_id=f"<{number}@cam>", _0=f"{name}0.jpg", _1=f"{name}1.jpg")
    system.start("mail", env={"FAILPOINT": f"{where}:kill"})
    said = send(system, data)
    assert (said != "") is (where == "mail.answered:1")
    assert system.wait("mail") == -9
    kept = snapshots(system, name)
    assert len(kept) == (2 if where in AFTER_THE_COMMIT else 0)

    system.start("mail", env={"FAILPOINT": ""})
    answer = send(system, data)
    system.kill("mail")

    ids = snapshots(system, name)
    assert len(ids) == 2 and ids == (kept or ids)
    assert answer == f"250 2.0.0 {'Known' if kept else 'Taken'} as {ids[0]}, {ids[1]}."
    system.store.sweep(older_than_s=0)
    assert not list(system.store.incoming.iterdir())
