"""The one way in: what is taken, what is refused, and what is the same picture again."""

from __future__ import annotations

import errno
import hashlib
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.scheduler.reconciler import Reconciler
from shared import failpoint
from shared.errors import (
    IncompletePicture,
    JournalUnavailable,
    NotAPicture,
    PictureTooLarge,
    StoreDamaged,
    StoreError,
    StoreFull,
)
from shared.events import SnapshotTaken, event_id
from shared.ingest import intake as module
from shared.ingest.arrival import Arrival, dedupe_keys
from shared.ingest.captured import Captured
from shared.ingest.intake import Accepted
from shared.ingest.spool import Spool
from shared.store import Part, store
from shared.store.disk import sync_folder
from tests.support.making import START, Clock, Core, picture, taken


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """The clock by which the intake tells repetitions."""
    clock = Clock()
    monkeypatch.setattr(module, "now", clock)
    return clock


def rows(here: Core) -> int:
    return len(here.journal.read.snapshots())


def blobs(here: Core) -> int:
    return len(list(here.store.root.glob("blobs/*/*")))


@pytest.mark.promise("inv I1", "inv I4")
def test_what_is_accepted_is_stored_catalogued_and_announced(here: Core):
    accepted = here.arrive(picture(), name="a.jpg")
    assert not accepted.duplicate
    snapshot = here.journal.read.snapshot(accepted.snapshot_id)
    assert snapshot is not None
    assert (snapshot.camera, snapshot.name, snapshot.state) == ("porch", "a.jpg", "taken")
    assert here.store.read(snapshot.sha256) == picture()
    (event,) = here.told
    (recorded,) = here.journal.read.story(accepted.snapshot_id)
    assert recorded.event == replace(event, source=recorded.event.source)
    assert event.topic == "snapshot.taken"
    assert event.data["captured_by"] == "arrival"


@pytest.mark.promise("inv I14", "fault F7")
@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", NotAPicture),
        (b"\xff", NotAPicture),
        (b"<html>login</html>", NotAPicture),
        (picture()[:-2], IncompletePicture),
        (picture()[:-1], IncompletePicture),
    ],
)
def test_what_is_no_whole_picture_leaves_nothing(here: Core, data: bytes, error):
    with pytest.raises(error):
        here.arrive(data, name="a.jpg")
    assert (rows(here), blobs(here), here.told) == (0, 0, [])
    assert not here.journal.read.latest_events(10)
    assert not list(here.store.incoming.iterdir())


def test_a_picture_has_a_largest_size(here: Core):
    part = here.intake.receive()
    with pytest.raises(PictureTooLarge):
        part.write(b"x" * 100_001)
    part.discard()


@pytest.mark.promise("inv I1", "fault F10")
def test_without_the_journal_a_picture_waits_in_the_spool_and_is_acknowledged(
    here: Core, monkeypatch
):
    def away(*_args, **_options):
        raise JournalUnavailable("gone")

    with monkeypatch.context() as patched:
        patched.setattr(here.journal, "record_snapshots", away)
        accepted = here.arrive(picture(), name="a.jpg")

    assert here.told == []
    (waiting,) = Spool(here.store)
    assert waiting.taken.snapshot_id == accepted.snapshot_id
    assert here.journal.read.snapshot(accepted.snapshot_id) is None
    here.journal.record_snapshot(waiting.taken, waiting.keys, repeats_since=waiting.repeats_since)
    assert here.journal.read.snapshot(accepted.snapshot_id) is not None


@pytest.mark.promise("fault F10", "fault M10")
def test_a_journal_that_was_away_is_asked_again_after_a_moment_only(here: Core, monkeypatch):
    asked = []

    def away(*_args, **_options):
        asked.append(1)
        raise JournalUnavailable("gone")

    monkeypatch.setattr(here.journal, "record_snapshots", away)
    monkeypatch.setattr(module, "JOURNAL_RETRY_S", 60.0)
    intake = here.intake

    def arrive(number: int) -> None:
        part = intake.receive()
        part.write(picture(number))
        intake.accept(part, Arrival("porch", "ftp", f"{number}.jpg"))

    for number in range(3):
        arrive(number)
    assert len(asked) == 1
    assert len(Spool(here.store)) == 3

    intake._journal_away_until = time.monotonic()
    arrive(3)
    assert len(asked) == 2


@pytest.mark.promise("inv I14", "fault F9")
def test_without_journal_and_disk_the_sender_is_refused(here: Core, monkeypatch):
    def away(*_args, **_options):
        raise JournalUnavailable("gone")

    monkeypatch.setattr(here.journal, "record_snapshots", away)
    (here.store.root / "spool").write_text("a file where the folder should be")

    with pytest.raises(StoreError):
        here.arrive(picture(), name="a.jpg")

    assert here.told == []


@pytest.mark.promise("inv I1", "fault F5")
@pytest.mark.parametrize(
    ("seconds", "again"), [(0, True), (899, True), (900, True), (900.001, False), (3600, False)]
)
@pytest.mark.parametrize("begin", [0, 1, 450, 899, 899.999])
def test_name_and_bytes_are_the_same_picture_for_fifteen_minutes(
    here: Core, clock: Clock, begin: float, seconds: float, again: bool
):
    # Windows of the key begin at multiples of 15 minutes; START is one of them.
    assert START.timestamp() % 900 == 0
    clock.forward(begin)
    first = here.arrive(picture(), name="a.jpg")
    clock.forward(seconds)
    second = here.arrive(picture(), name="a.jpg")
    assert second.duplicate == again
    assert (second.snapshot_id == first.snapshot_id) == again
    assert rows(here) == (1 if again else 2)
    assert len(here.told) == rows(here)


@pytest.mark.promise("inv I1", "fault S2")
@pytest.mark.parametrize(("seconds", "again"), [(-1, True), (-900, True), (-900.001, False)])
@pytest.mark.parametrize("begin", [0, 1, 899.999])
def test_a_repetition_is_known_although_the_clock_was_put_back(
    here: Core, clock: Clock, begin: float, seconds: float, again: bool
):
    clock.forward(begin)
    here.arrive(picture(), name="a.jpg")
    clock.forward(seconds)
    assert here.arrive(picture(), name="a.jpg").duplicate == again
    assert rows(here) == (1 if again else 2)


@pytest.mark.promise("inv I1", "fault F10")
@pytest.mark.parametrize("minutes", [0, 5, 15])
def test_what_was_spooled_before_its_repetition_was_recorded_is_no_second_snapshot(
    here: Core, clock: Clock, minutes: int
):
    clock.forward(899)
    here.journal._database.obstacle = JournalUnavailable("it is away")
    here.arrive(picture(), name="a.jpg")
    here.journal._database.obstacle = None
    clock.forward(60 * minutes)
    here.arrive(picture(), name="a.jpg")

    Reconciler(here.parts, at_once=False).reconcile()

    assert len(Spool(here.store)) == 0
    assert (rows(here), len(here.told)) == (1, 1)


def test_a_repetition_does_not_begin_the_time_anew(here: Core, clock: Clock):
    answers = []
    for _ in range(3):
        answers.append(here.arrive(picture(), name="a.jpg").duplicate)
        clock.forward(600)
    assert answers == [False, True, False]


@pytest.mark.promise("fault C4")
def test_equal_bytes_of_a_frozen_camera_are_pictures_of_their_own(here: Core, clock: Clock):
    for number in range(3):
        here.arrive(picture(), name=f"{number}.jpg")
        here.arrive(picture())
        here.arrive(picture(), captured_at=START + timedelta(seconds=number))
    here.arrive(picture(), name="0.jpg", camera="gate")
    assert rows(here) == 10
    assert blobs(here) == 1


def test_other_bytes_under_the_same_name_are_another_picture(here: Core):
    assert not here.arrive(picture(1), name="a.jpg").duplicate
    assert not here.arrive(picture(2), name="a.jpg").duplicate
    assert rows(here) == 2


@pytest.mark.promise("inv I1", "fault H1")
def test_the_senders_key_decides_before_everything_else(here: Core, clock: Clock):
    first = here.arrive(picture(1), key="k", name="a.jpg")
    clock.forward(10**6)
    again = here.arrive(picture(2), key="k", name="b.jpg", captured_at=START)
    assert again.duplicate
    assert again.snapshot_id == first.snapshot_id
    assert not here.arrive(picture(1), key="K").duplicate


def test_the_time_the_camera_says_is_the_same_in_any_zone(here: Core):
    east = datetime(2026, 3, 1, 13, tzinfo=UTC).astimezone()
    assert not here.arrive(picture(), captured_at=east).duplicate
    assert here.arrive(picture(), captured_at=east.astimezone(UTC)).duplicate


@pytest.mark.promise("fault C6")
def test_a_picture_that_was_asked_for_is_known_by_its_request(here: Core):
    request = taken(5)
    first = here.arrive(picture(1), key=request.id, cause=request, door="fetch")
    assert here.arrive(picture(2), key=request.id, cause=request, door="fetch").duplicate
    (event,) = here.told
    assert event.cause == event.data["request_id"] == request.id
    assert event.snapshot_id == first.snapshot_id
    assert event.id == event_id(request.id, "snapshot.taken", first.snapshot_id)


def test_a_door_that_nobody_has_heard_of_is_one(here: Core):
    accepted = here.arrive(picture(), door="smtp")
    (event,) = here.told
    snapshot = here.journal.read.snapshot(accepted.snapshot_id)
    assert snapshot is not None
    assert snapshot.door == event.parsed(SnapshotTaken).door == "smtp"
    for wrong in ("", "x", "Mail box", "a" * 17, "../ftp"):
        with pytest.raises(ValueError, match="door"):
            here.arrive(picture(2), door=wrong)
    assert len(here.told) == 1


@pytest.mark.promise("sec A1")
@pytest.mark.parametrize(
    "name", ["a\x00b.jpg", "\udcff.jpg", "x" * 1000, "../../etc/passwd", "\u202eevil", "'; --"]
)
def test_any_name_is_data(here: Core, name: str):
    accepted = here.arrive(picture(), name=name)
    snapshot = here.journal.read.snapshot(accepted.snapshot_id)
    assert snapshot is not None
    assert len(snapshot.name) <= 255
    assert here.arrive(picture(), name=name).duplicate
    assert blobs(here) == 1


def test_every_key_fits_its_column():
    long = Arrival(camera="c" * 63, door="ftp", name="n" * 255, key="\udcff" * 5000)
    unkeyed = replace(long, key="")
    for arrival, captured in ((long, None), (unkeyed, None), (unkeyed, Captured(START, "sender"))):
        for key in dedupe_keys(arrival, "f" * 64, START, captured):
            assert len(key) <= 512
            key.encode()


@pytest.mark.promise("inv I1")
def test_the_same_picture_from_many_threads_is_one_snapshot(here: Core):
    answers = []
    barrier = threading.Barrier(12)

    def send() -> None:
        barrier.wait()
        answers.append(here.arrive(picture(), name="a.jpg"))

    threads = [threading.Thread(target=send, daemon=True) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({answer.snapshot_id for answer in answers}) == 1
    assert sorted(answer.duplicate for answer in answers) == [False] + [True] * 11
    assert (rows(here), len(here.told)) == (1, 1)


@pytest.mark.promise("inv I14")
@pytest.mark.parametrize("point", ["before_sync", "before_rename", "before_folder_sync"])
def test_a_picture_refused_while_it_was_spooled_does_not_come_later(here: Core, point: str):
    here.journal._database.obstacle = JournalUnavailable("it is away")
    failpoint.arm(f"spool.{point}:1:raise=EIO")
    try:
        with pytest.raises(StoreError):
            here.arrive(picture(), name="a.jpg")
    finally:
        failpoint.arm("")

    assert list((here.store.root / "spool").iterdir()) == []
    if point == "before_sync":
        with pytest.raises(StoreDamaged):
            here.store.volume.check()


def received(here: Core, data: bytes) -> Part:
    part = here.intake.receive()
    part.write(data)
    return part


@pytest.mark.promise("inv I1", "inv I4")
def test_of_several_at_once_each_gets_what_it_deserves(here: Core):
    here.arrive(picture(1), name="known.jpg")
    sent = [
        (picture(1), "known.jpg"),
        (picture(2), "new.jpg"),
        (picture(2), "new.jpg"),  # the same again, in the same breath
        (picture(3)[:-2], "cut.jpg"),
        (b"GIF89a", "other.jpg"),
        (picture(2), "elsewhere.jpg"),  # the same bytes, another picture
    ]
    here.told.clear()
    outcomes = here.intake.accept_all(
        [(received(here, data), Arrival("porch", "ftp", name)) for data, name in sent]
    )

    known, new, again, cut, other, elsewhere = outcomes
    assert isinstance(cut, IncompletePicture) and isinstance(other, NotAPicture)
    assert isinstance(known, Accepted) and known.duplicate
    assert isinstance(new, Accepted) and not new.duplicate
    assert again == Accepted(new.snapshot_id, duplicate=True)
    assert isinstance(elsewhere, Accepted) and not elsewhere.duplicate
    assert [event.snapshot_id for event in here.told] == [new.snapshot_id, elsewhere.snapshot_id]
    assert here.journal.audit.count() == 3
    assert blobs(here) == 2
    assert list(here.store.incoming.iterdir()) == []


@pytest.mark.promise("inv I14", "fault F9")
def test_of_several_at_once_a_folder_that_fails_refuses_its_own(here: Core, monkeypatch):
    good, bad = picture(1), picture(2)
    real = sync_folder

    def sync(folder: Path) -> None:
        if folder.name == hashlib.sha256(bad).hexdigest()[:2]:
            raise OSError(errno.ENOSPC, "full")
        real(folder)

    monkeypatch.setattr(store, "sync_folder", sync)
    taken, refused = here.intake.accept_all(
        [(received(here, data), Arrival("porch", "ftp")) for data in (good, bad)]
    )
    assert isinstance(taken, Accepted) and isinstance(refused, StoreFull)
    assert here.journal.audit.count() == len(here.told) == 1
