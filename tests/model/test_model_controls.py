"""Bugs that are planted on purpose: the model must find each, or its silence proves nothing.

Each bug has the shortest story that shows it, played by hand with the steps of the model. That the
model comes upon such stories by itself is shown for some that an earlier one missed.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import Connection

from services.drive.archives.archive import Filed, Filing
from services.drive.archives.folder import FolderArchive
from services.scheduler.reconciler import Reconciler
from shared.errors import Retry, StoreError
from shared.events import Event
from shared.ingest.spool import Spool
from shared.journal import Attempt, Journal, catalogue, mapping
from shared.journal.queries.recovery import Recovery
from shared.journal.statements import insert_all_new
from shared.runtime.worker import Worker
from shared.store import Blob, Part, Store
from tests.model.delivery import Delivery, begin_with
from tests.model.faults import thorough
from tests.model.post import FakeEnd

Patches = pytest.MonkeyPatch
Step = Callable[[Delivery], None]
PATIENT = 2500
"""Steps that a search may take; most find theirs in a tenth of that."""


def ack_before_commit(patches: Patches) -> None:
    real = Worker._take

    def take(self: Worker, end: Any, tag: bytes, body: bytes, *, redelivered: bool) -> None:
        end.send(b"done", tag, b"1")
        real(self, end, tag, body, redelivered=redelivered)

    patches.setattr(Worker, "_take", take)


def marked_before_the_confirm(patches: Patches) -> None:
    real = FakeEnd.send

    def send(self: FakeEnd, *frames: bytes) -> None:
        real(self, *frames)
        if frames[0] == b"publish":
            self.post.unmarked.append(frames[1])

    patches.setattr(FakeEnd, "send", send)


def without_unique_keys(patches: Patches) -> None:
    def insert(connection: Connection, table: Any, rows: Sequence[Mapping[str, Any]]) -> set[str]:
        keyless = [{**row, "dedupe_key": uuid.uuid4().hex} for row in rows]
        return insert_all_new(connection, table, keyless)

    patches.setattr(catalogue, "insert_all_new", insert)


def without_unique_ids(patches: Patches) -> None:
    def insert(connection: Connection, table: Any, rows: Sequence[Mapping[str, Any]]) -> set[str]:
        insert_all_new(connection, table, [{**row, "id": uuid.uuid4().hex} for row in rows])
        return {row["id"] for row in rows}

    patches.setattr(mapping, "insert_all_new", insert)


def outputs_after_the_mark(patches: Patches) -> None:
    real = Journal.finish

    def finish(
        self: Journal, service: str, event: Event, outputs: Sequence[Event], **options: Any
    ) -> list[Event]:
        real(self, service, event, [], **options)
        return self.append(outputs)

    patches.setattr(Journal, "finish", finish)


def archived_although_it_failed(patches: Patches) -> None:
    real = FolderArchive.file

    def file(self: FolderArchive, filing: Filing) -> Filed:
        with suppress(Retry):
            return real(self, filing)
        return Filed(filing.path)

    patches.setattr(FolderArchive, "file", file)


def stored_although_it_failed(patches: Patches) -> None:
    real = Store.commit

    def commit(self: Store, parts: Sequence[Part]) -> list[Blob | StoreError]:
        blobs = [Blob(part.sha256, part.size) for part in parts]
        real(self, parts)
        return list(blobs)

    patches.setattr(Store, "commit", commit)


def always(owner: type, name: str, answer: Any, patches: Patches) -> None:
    """A method that does nothing and gives this answer."""
    patches.setattr(owner, name, lambda *_args, **_options: answer)


def deliver(machine: Delivery, fault: str = "", queue: str = "") -> None:
    machine.have_letters()
    letters = machine.world.post.letters
    machine.hand_over(next(each for each in letters if each.queue == (queue or each.queue)), fault)


def deliver_to_drive(machine: Delivery) -> None:
    """The result of the detector reaches the archive, whose disk fails."""
    machine.broker_takes("marked", 9)
    deliver(machine, "drive.part_written:1:raise=EIO", "drive")


UPLOAD = partial(Delivery.upload, number=0)
SPOOL = partial(Delivery.upload_without_the_database, number=1)
FAILS = deliver_to_drive

BUGS: dict[str, tuple[Callable[[Patches], None], list[Step]]] = {
    "a worker acknowledges before it commits": (ack_before_commit, [deliver]),
    "nobody delivers again what the broker forgot": (
        partial(always, Recovery, "forgotten", []),
        [Delivery.broker_loses_all],
    ),
    "nobody publishes again": (
        partial(always, Recovery, "unpublished", []),
        [Delivery.restart],
    ),
    "nobody tries again": (partial(always, Recovery, "due", []), [deliver, FAILS]),
    "nobody empties the spool": (
        partial(always, Reconciler, "_empty_spool", 0),
        [SPOOL],
    ),
    "events are marked before they are confirmed": (
        marked_before_the_confirm,
        [Delivery.publish_is_refused],
    ),
    "no unique dedupe key": (without_unique_keys, [UPLOAD]),
    "no unique id of an event": (without_unique_ids, [deliver]),
    "no look at what was done": (
        partial(always, Journal, "begin", Attempt(done=False, attempts=1)),
        [deliver, Delivery.deliver_one_twice],  # drive looks first, the detector need not
    ),
    "no spool": (
        partial(always, Spool, "put", None),
        [SPOOL],
    ),
    "the outputs are committed after the mark": (
        outputs_after_the_mark,
        [partial(deliver, fault="journal.after_commit:1:kill")],
    ),
    "archived is said of what the archive refused": (
        archived_although_it_failed,
        [deliver, FAILS],
    ),
    "the sender is told although the disk failed": (
        stored_although_it_failed,
        [partial(Delivery.upload, number=1, fault="store.before_link:1:raise=EIO")],
    ),
}
"""By what is wrong: how it gets into the product, and a story that shows it."""
MISSED = [
    "a worker acknowledges before it commits",
    "nobody delivers again what the broker forgot",
    "nobody tries again",
    "no look at what was done",
]
"""Some that an earlier model did not come upon in hundreds of steps."""


def play(story: list[Step]) -> None:
    machine = Delivery()
    try:
        machine.begin()
        for step in story:
            step(machine)
            machine.all_agree()
    finally:
        machine.teardown()


@pytest.mark.usefixtures("unlogged")
@pytest.mark.parametrize("bug", BUGS)
def test_a_story_is_red_with_its_bug_and_only_then(bug: str, tmp_path: Path):
    plant, story = BUGS[bug]
    begin_with(tmp_path)
    play(story)
    with Patches.context() as patches, pytest.raises(AssertionError):
        plant(patches)
        play(story)


@pytest.mark.usefixtures("unlogged")
@pytest.mark.parametrize(
    "bug", [MISSED[0], *(pytest.param(each, marks=pytest.mark.prove) for each in MISSED[1:])]
)
def test_the_model_finds_the_bug_by_itself(bug: str, tmp_path: Path):
    plant, _ = BUGS[bug]
    quick = settings(thorough(PATIENT), phases=[Phase.generate], database=None)
    begin_with(tmp_path)
    with Patches.context() as patches, pytest.raises(AssertionError):
        plant(patches)
        run_state_machine_as_test(Delivery, settings=quick)
