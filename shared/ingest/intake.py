"""The one way in: check, store, journal, and only then is the sender told.

Every door calls ``accept`` from a thread that may block (it syncs files and commits); when it
returns, the picture is safe. The full decode is the detector's: here only the cheap checks are
made that tell a picture from something else and a whole one from a cut one.
"""

from __future__ import annotations

import hashlib
import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from ulid import ULID

from shared.errors import JournalUnavailable, StoreError
from shared.events import ORGANISATION, Door, Event, SnapshotTaken, now
from shared.failpoint import reach
from shared.ingest.spool import Spool
from shared.journal import Journal
from shared.journal.catalogue import Candidate
from shared.picture.format import check_complete, sniff
from shared.store import Blob, Part, Store
from shared.text import storable

log = logging.getLogger(__name__)

NAME_CHARACTERS = 255
JOURNAL_RETRY_S = 2.0
"""How long a database that was away is not asked again."""
REPEAT_WINDOW = timedelta(minutes=15)
"""A sender that sends the same name and bytes again within this repeats itself."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a door knows of a picture. ``key`` is the sender's idempotency key or the id of the
    request that asked for it; ``name`` is data, never a path."""

    camera: str
    door: Door
    name: str = ""
    captured_at: datetime | None = None
    captured_by: Literal["name", "arrival"] = "arrival"
    key: str = ""
    cause: Event | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer to a sender. A duplicate is a success with the id it got the first time."""

    snapshot_id: str
    duplicate: bool


class Intake:
    """Accepts pictures into one store and one journal. Any thread."""

    def __init__(
        self,
        store: Store,
        journal: Journal,
        announce: Callable[[Sequence[Event]], None],
        *,
        max_bytes: int,
        organisation: Callable[[str], str] = lambda camera: ORGANISATION,
    ) -> None:
        """``organisation`` says whose a camera is."""
        self._organisation = organisation
        self._store = store
        self._journal = journal
        self._announce = announce
        self._max_bytes = max_bytes
        self._spool = Spool(store)
        self._journal_away_until = float("-inf")

    def receive(self) -> Part:
        """Begin to receive a picture. Raises StoreFull or StoreMissing before a byte is taken."""
        return self._store.receive(self._max_bytes)

    def accept(self, part: Part, arrival: Arrival) -> Accepted:
        """Take a fully received part; when this returns, the picture is safe and announced.

        While the database is away, it waits in the spool, and is announced later; then nobody can
        tell whether it is a repeat, and it counts as a new one until the journal knows better.
        Raises PictureError or StoreError; then nothing is kept and the sender must be refused.
        """
        (outcome,) = self.accept_all([(part, arrival)])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def accept_all(self, received: Sequence[tuple[Part, Arrival]]) -> list[Accepted | Exception]:
        """The same for several, in one transaction: what ``accept`` returns or raises for each."""
        outcomes: dict[int, Accepted | Exception] = {}
        candidates: dict[int, Candidate] = {}
        for index, (part, arrival) in enumerate(received):
            try:
                candidates[index] = self._candidate(part, arrival)
            except Exception as error:  # noqa: BLE001  handed to the one whose picture it is
                part.discard()
                outcomes[index] = error
        blobs = self._store.commit([received[index][0] for index in candidates])
        for index, blob in zip(list(candidates), blobs, strict=True):
            if isinstance(blob, Exception):
                outcomes[index] = blob
                del candidates[index]
            else:
                reach("intake.stored")
        recorded = self._record(list(candidates.values()))
        outcomes |= zip(candidates, recorded, strict=True)
        for index, candidate in candidates.items():
            _log(candidate.taken, outcomes[index])
        return [outcomes[index] for index in range(len(received))]

    def _record(self, candidates: Sequence[Candidate]) -> list[Accepted | Exception]:
        if not candidates:
            return []
        if time.monotonic() >= self._journal_away_until:
            try:
                reach("intake.before_record")
                answers = self._journal.record_snapshots(candidates)
                reach("intake.after_record")
            except JournalUnavailable as error:
                # The next ones go straight to the spool, so that not every camera must wait.
                self._journal_away_until = time.monotonic() + JOURNAL_RETRY_S
                log.warning("spooling: %s", error, extra={"action": "spooling"})
            except Exception as error:  # noqa: BLE001  handed to the one whose picture it is
                if len(candidates) == 1:
                    return [error]
                return [outcome for each in candidates for outcome in self._record([each])]
            else:
                accepted = [Accepted(*answer) for answer in answers]
                pairs = zip(candidates, accepted, strict=True)
                self._announce([each.taken for each, answer in pairs if not answer.duplicate])
                reach("intake.announced")
                return list(accepted)
        return [self._spooled(each) for each in candidates]

    def _spooled(self, candidate: Candidate) -> Accepted | Exception:
        try:
            self._spool.put(candidate)
        except StoreError as error:
            return error
        reach("intake.after_spool")
        return Accepted(str(candidate.taken.snapshot_id), duplicate=False)

    def _candidate(self, part: Part, arrival: Arrival) -> Candidate:
        """Check what is cheap to check, and say what will be recorded. Raises PictureError."""
        received_at = now()
        arrival = replace(arrival, name=storable(arrival.name, NAME_CHARACTERS))
        media_type = sniff(part.head)
        with part.mapped() as data:
            check_complete(data)
        taken = self._taken(arrival, Blob(part.sha256, part.size), media_type, received_at)
        keys = dedupe_keys(arrival, part.sha256, received_at)
        return Candidate(taken, keys, repeats_since=received_at - REPEAT_WINDOW)

    def _taken(self, arrival: Arrival, blob: Blob, media_type: str, received_at: datetime) -> Event:
        snapshot_id = str(ULID.from_datetime(received_at))
        data = SnapshotTaken(
            camera=arrival.camera,
            door=arrival.door,
            sha256=blob.sha256,
            size=blob.size,
            media_type="image/png" if media_type == "image/png" else "image/jpeg",
            name=arrival.name,
            captured_at=arrival.captured_at or received_at,
            captured_by=arrival.captured_by if arrival.captured_at else "arrival",
            received_at=received_at,
            request_id=arrival.cause.id if arrival.cause else None,
        )
        return data.event(
            subject=arrival.camera,
            cause=arrival.cause or snapshot_id,
            discriminator=snapshot_id,
            snapshot_id=snapshot_id,
            time=received_at,
            organisation=self._organisation(arrival.camera),
        )


def _log(taken: Event, outcome: Accepted | Exception) -> None:
    if isinstance(outcome, Exception):
        return  # who hands it to the sender logs it
    log.info(
        "%s a picture of %s",
        "knew" if outcome.duplicate else "took",
        taken.subject,
        extra={
            "action": "snapshot_repeated" if outcome.duplicate else "snapshot_taken",
            "camera": taken.subject,
            "snapshot_id": outcome.snapshot_id,
            "door": taken.data["door"],
            "size": taken.data["size"],
        },
    )


def dedupe_keys(arrival: Arrival, sha256: str, received_at: datetime) -> tuple[str, ...]:
    """The key of a snapshot, and after it the keys under which it may be known already.

    The first rule that applies: the sender's key; camera, the sender's capture time and hash;
    name and hash within 15 minutes. Never the hash alone: a frozen camera sends equal bytes.
    A later one may be known before: clocks are put back, and a spooled picture is recorded late.
    """
    if arrival.key:
        # Hashed, because a sender may make its key as long as it likes.
        digest = hashlib.sha256(arrival.key.encode(errors="surrogatepass")).hexdigest()
        return (f"key:{digest}",)
    if arrival.captured_at:
        time = arrival.captured_at.astimezone(UTC).isoformat()
        return (f"cap:{arrival.camera}:{time}:{sha256}",)
    if arrival.name:
        window = math.floor(received_at.timestamp() / REPEAT_WINDOW.total_seconds())
        stem = f"name:{arrival.camera}:{arrival.name}:{sha256}"
        return tuple(f"{stem}:{window + nearby}" for nearby in (0, -1, 1))
    return (f"one:{ULID.from_datetime(received_at)}",)
