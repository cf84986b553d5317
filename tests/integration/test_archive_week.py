"""A NAS that is off for a week, by the journal's clock: what waited is filed by itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from services.drive.app import build
from services.drive.verified.keeper import ManifestKeeper
from services.drive.verified.verify import Verify
from shared.errors import HandlerError
from shared.events import Event
from shared.runtime.failure import failure
from shared.service import Service
from shared.settings.runtime import WorkSection
from tests.support.filed import folder_archive
from tests.support.making import START, Clock, Core, analyzed, core, events_of, picture

DAYS, A_DAY = 7, 4
HOUR = 3600.0


class Desk:
    """Hands events to a service as its worker does, and marks what becomes of each."""

    def __init__(self, here: Core, service: Service) -> None:
        self.journal = here.journal
        self.service = service
        here.journal.subscribe(service.name, list(service.handlers))

    def handle(self, event: Event) -> None:
        name = self.service.name
        attempt = self.journal.begin(name, event, redelivered=False)
        waited = attempt.waited_for or ""
        try:
            said = events_of(self.service.handlers[event.topic](event))
        except HandlerError as error:
            told = failure(error, attempt, WorkSection())
            self.journal.fail(
                name, event, told.text, attempts=told.attempts, retry_after_s=told.again_s,
                waiting_for=told.peer, waited_for=waited,
            )  # fmt: skip
        else:
            self.journal.finish(name, event, said, waited_for=waited)

    def all_due(self) -> None:
        """What the reconciler delivers, until nothing is due."""
        while due := self.journal.recovery.due(500):
            for owed in due:
                self.handle(owed.event)


def pass_hours(clock: Clock, desk: Desk, hours: int, each: Callable[[], None]) -> None:
    for _ in range(hours):
        clock.forward(HOUR)
        each()
        for owed in desk.journal.recovery.due(500):
            desk.handle(owed.event)


@pytest.mark.promise("fault G3", "feat A15", "inv I6")
def test_a_nas_that_is_off_for_a_week_catches_up_by_itself(tmp_path: Path):
    clock = Clock()
    with closing(core(tmp_path, {"drive": {"timezone": "UTC"}}, clock)) as here:
        (service,) = build(here.parts)
        desk = Desk(here, service)
        nas, off = here.settings.data / "archive", tmp_path / "off"
        nas.rename(off)
        number = 0

        def arrive() -> None:
            nonlocal number
            if number < DAYS * A_DAY and clock().hour % (24 // A_DAY) == 0:
                here.arrive(picture(number), captured_at=clock())
                event = analyzed(here.told[-1])
                here.journal.append([event])
                here.journal.mark_published([event.id])
                desk.handle(event)
                number += 1

        pass_hours(clock, desk, DAYS * 24, arrive)
        assert number == DAYS * A_DAY
        waiting = here.journal.recovery.items(("retry",))
        assert len(waiting) == number  # nothing was given up, and nothing is dead
        assert {each.attempts for each in waiting} == {0}  # waiting is no attempt

        off.rename(nas)
        clock.forward(HOUR)
        desk.all_due()

        assert here.journal.recovery.items() == []
        archive = folder_archive(nas, "folder")
        ManifestKeeper(archive, here.journal, every_s=1).write()
        verify = Verify(archive, here.journal, level="hashes")
        days = [(START + timedelta(days=day)).date().isoformat() for day in range(DAYS + 1)]
        assert verify.days() == days
        assert [found for day in days for found in verify.day(day)] == []
        assert sum(len(here.journal.manifests.held("folder", day)) for day in days) == number
        assert len(list(nas.rglob("*.jpg"))) == number
