"""The one way in: check, store, journal, and only then is the sender told.

Every door calls ``accept`` from a thread that may block (it syncs files and commits); when it
returns, the picture is safe. The full decode is the detector's: here only the cheap checks are
made that tell a picture from something else and a whole one from a cut one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime

from ulid import ULID

from shared.errors import JournalUnavailable, StoreError
from shared.events import ORGANISATION, Event, SnapshotTaken, now
from shared.failpoint import reach
from shared.ingest.arrival import REPEAT_WINDOW, dedupe_keys, keys_before
from shared.ingest.arrival import Arrival as Arrival
from shared.ingest.captured import Captured, by_exif, by_name, decide
from shared.ingest.names import NAME_CHARACTERS, NameReader
from shared.ingest.spool import Spool
from shared.journal import Journal
from shared.journal.catalogue import Candidate, Holder, Key
from shared.picture.exif import time_in
from shared.picture.format import Bytes, check_complete, sniff
from shared.settings.layouts import LayoutSection
from shared.store import Blob, Part, Store
from shared.text import storable
from shared.trace import trace_id, within

log = logging.getLogger(__name__)

TIME_CHARACTERS = 64
JOURNAL_RETRY_S = 2.0
"""How long a database that was away is not asked again."""


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
        device: Callable[[str], Mapping[str, str]] = lambda camera: {},
        layouts: Sequence[LayoutSection] = (),
    ) -> None:
        """``organisation`` returns the organisation of a camera, ``device`` what events say
        of it; ``layouts`` are those of the configuration."""
        self.names = NameReader(layouts)
        self.organisation = organisation
        self._device = device
        self._store = store
        self._journal = journal
        self._announce = announce
        self.max_bytes = max_bytes
        self._spool = Spool(store)
        self._journal_away_until = float("-inf")

    def receive(self) -> Part:
        """Begin to receive a picture. Raises StoreFull or StoreMissing before a byte is taken."""
        return self._store.receive(self.max_bytes)

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

    def holders(self, received: Sequence[tuple[Part, Arrival]]) -> list[Holder | None]:
        """Which snapshot came before under the sender's key of each. Raises JournalUnavailable,
        at once if the database was away a moment ago."""
        if time.monotonic() < self._journal_away_until:
            raise JournalUnavailable("the database was away a moment ago")
        asked: list[list[Key]] = [
            [(self.organisation(each.camera), key) for key in keys_before(each, part.sha256)]
            for part, each in received
        ]
        if not any(asked):
            return [None] * len(asked)
        try:
            found = self._journal.holders([key for keys in asked for key in keys])
        except JournalUnavailable as error:
            self._away(error)
            raise
        return [next((found[key] for key in keys if key in found), None) for keys in asked]

    def has(self, arrival: Arrival) -> bool:
        """Whether a picture came before under the sender's key. Raises JournalUnavailable."""
        key = (self.organisation(arrival.camera), keys_before(arrival, "")[-1])
        return key in self._journal.holders([key])

    def accept_all(self, received: Sequence[tuple[Part, Arrival]]) -> list[Accepted | Exception]:
        """``accept`` for several, in one transaction; returns its result or its error for each."""
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
                self._away(error)
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

    def _away(self, error: JournalUnavailable) -> None:
        # The next ones go straight to the spool, so that not every camera must wait.
        self._journal_away_until = time.monotonic() + JOURNAL_RETRY_S
        log.warning("spooling: %s", error, extra={"action": "spooling"})

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
        name = storable(arrival.name[-NAME_CHARACTERS:], NAME_CHARACTERS)
        arrival = replace(arrival, name=name)
        media_type = sniff(part.head)
        with part.mapped() as data:
            check_complete(data)
            captured = self._captured(arrival, received_at, data)
        blob = Blob(part.sha256, part.size)
        with within(*arrival.trace):
            taken = self._taken(arrival, blob, media_type, received_at, captured)
        keys = dedupe_keys(arrival, part.sha256, received_at, captured)
        return Candidate(taken, keys, repeats_since=received_at - REPEAT_WINDOW)

    def _captured(self, arrival: Arrival, received_at: datetime, data: Bytes) -> Captured:
        """When and why it was taken: as its sender says, else its name, else its header."""
        said, reason = arrival.captured_at, arrival.trigger
        if said:
            text = storable(arrival.captured_text, TIME_CHARACTERS)
            return decide(said, "sender", text, received_at, reason)
        if arrival.cause:
            return Captured(received_at, trigger=reason)  # it was asked for and taken just now
        named = by_name(self.names.read(arrival.name, received_at, arrival.zone), received_at)
        if reason:
            named = replace(named, trigger=reason)
        if named.captured_text or not (text := time_in(data)):
            return named
        return by_exif(text, received_at, arrival.zone, named.trigger)

    def _taken(
        self,
        arrival: Arrival,
        blob: Blob,
        media_type: str,
        received_at: datetime,
        captured: Captured,
    ) -> Event:
        snapshot_id = str(ULID.from_datetime(received_at))
        data = SnapshotTaken(
            camera=arrival.camera,
            **self._device(arrival.camera),
            door=arrival.door,
            sha256=blob.sha256,
            size=blob.size,
            media_type="image/png" if media_type == "image/png" else "image/jpeg",
            name=arrival.name,
            received_at=received_at,
            **{each.name: getattr(captured, each.name) for each in fields(captured)},
            request_id=arrival.cause.id if arrival.cause else None,
            metadata=dict(arrival.metadata),
        )
        return data.event(
            subject=arrival.camera,
            cause=arrival.cause or snapshot_id,
            discriminator=snapshot_id,
            snapshot_id=snapshot_id,
            time=received_at,
            organisation=self.organisation(arrival.camera),
        )


def _log(taken: Event, outcome: Accepted | Exception) -> None:
    if not isinstance(outcome, Exception):  # else who hands it to the sender logs it
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
                "file": taken.data["name"],
                "trace_id": trace_id(taken.trace or ""),
            },
        )
