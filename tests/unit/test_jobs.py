"""Jobs by the clock: at the start, at their minutes, in their zone; and the copies of tokens."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from services.scheduler.app import build
from services.scheduler.janitor import Janitor
from services.scheduler.jobs import Job, Jobs
from services.scheduler.tokens import TokenBackup
from shared.events import now
from shared.journal.schema import subscriptions
from shared.settings import Settings
from shared.settings.cron import following
from tests.support.making import Clock, core, picture


class Hour:
    """A clock and a word to stop, by which two hours pass at once."""

    def __init__(self, begin: datetime, hours: float = 2) -> None:
        self.time, self.end = begin, begin + timedelta(hours=hours)

    def __call__(self) -> datetime:
        return self.time

    def is_set(self) -> bool:
        return self.time >= self.end

    def wait(self, seconds: float | None = None) -> bool:
        self.time += timedelta(seconds=seconds or 0)
        return self.is_set()


@pytest.mark.promise("feat K7")
def test_a_job_runs_at_the_start_and_at_its_minutes():
    hour = Hour(datetime(2026, 3, 1, 12, 5, tzinfo=UTC))
    ran: list[str] = []
    jobs = [
        Job("tokens", "10,40 * * * *", lambda: ran.append(f"tokens {hour.time:%H:%M}")),
        Job("cleanup", "30 * * * *", lambda: ran.append(f"cleanup {hour.time:%H:%M}")),
        Job("never", "", lambda: ran.append("never")),
    ]

    Jobs(jobs, UTC, hour).run(hour)  # type: ignore[arg-type]

    assert ran == [
        "tokens 12:05", "cleanup 12:05", "tokens 12:10", "cleanup 12:30", "tokens 12:40",
        "tokens 13:10", "cleanup 13:30", "tokens 13:40",
    ]  # fmt: skip


@pytest.mark.promise("feat K7")
def test_a_job_that_fails_runs_again_and_holds_up_no_other(caplog: pytest.LogCaptureFixture):
    hour, ran = Hour(datetime(2026, 3, 1, 12, tzinfo=UTC), 1), []

    def fail() -> None:
        ran.append("failed")
        raise OSError(30, "Read-only file system")

    Jobs(
        [Job("a", "30 * * * *", fail), Job("b", "30 * * * *", lambda: ran.append("b"))], UTC, hour
    ).run(
        hour  # type: ignore[arg-type]
    )

    assert ran == ["failed", "b", "failed", "b"]
    assert "a: Read-only file system; it is tried again at its next time" in caplog.text


def test_an_hour_that_the_summer_leaves_out_is_no_reason_to_leave_out_a_job():
    night = datetime(2026, 3, 29, 1, 59, tzinfo=ZoneInfo("Europe/Berlin"))
    assert f"{following('30 2 * * *', night):%d %H:%M}" == "29 03:00"


@pytest.mark.parametrize("wrong", ["61 * * * *", "* * *", "often"])
def test_what_is_no_cron_expression_is_told(wrong: str):
    with pytest.raises(ValidationError, match="is no cron expression"):
        Settings.model_validate({"scheduler": {"cleanup_at": wrong}})


@pytest.mark.promise("feat K7")
def test_tokens_are_copied_with_one_copy_before_and_never_by_an_empty_file(tmp_path: Path):
    token, copy = (
        tmp_path / "snapshot_processor_creds",
        tmp_path / "backup/snapshot_processor_creds",
    )
    (tmp_path / "tokens").mkdir()
    (tmp_path / "tokens/drive.json").write_text("{}")
    (tmp_path / "tokens/link").symlink_to("/etc/hostname")
    backup = TokenBackup(tmp_path, ("snapshot_processor_creds", "tokens/*"))
    token.write_text("one")
    backup()
    backup()
    token.write_text("")  # as it is while somebody writes it
    backup()
    assert copy.read_text() == "one"
    assert not copy.with_name(f"{copy.name}.before").exists()

    token.write_text("two")
    backup()

    assert (copy.read_text(), copy.with_name(f"{copy.name}.before").read_text()) == ("two", "one")
    assert copy.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "backup/tokens").iterdir()] == ["drive.json"]


@pytest.mark.promise("feat K7")
def test_the_scheduler_copies_tokens_as_the_settings_say(tmp_path: Path):
    here = core(tmp_path, {"scheduler": {"tokens": ["mine"]}})
    (tmp_path / "mine").write_text("secret")
    (jobs,) = (each for each in build(here.parts).sources if each.name == "jobs")
    stop = threading.Event()
    stop.set()
    assert isinstance(jobs, Jobs)
    for job in jobs._jobs:
        job.run()
    here.close()
    assert (tmp_path / "backup/mine").read_text() == "secret"
    assert here.settings.scheduler.backup_tokens_at == "10,40 * * * *"


@pytest.mark.promise("inv I6")
@pytest.mark.parametrize(
    ("wanted", "days", "owes"),
    [
        (False, 0, True),
        (True, 2, True),
        (False, 2, False),
    ],
)
def test_a_service_that_was_taken_out_owes_nothing_a_day_later(
    tmp_path: Path, wanted: bool, days: int, owes: bool
):
    clock = Clock()
    with closing(core(tmp_path, {"legacy": {"enabled": wanted}}, clock)) as here:
        here.journal.subscribe("legacy", ["snapshot.taken"])
        here.journal.subscribe("drive", ["snapshot.taken"])
        here.arrive(picture(1))
        (taken,) = here.journal.read.latest_events(1)
        here.journal.mark_published([taken.event.id])
        here.journal.finish("drive", taken.event, [])
        clock.time = now() - timedelta(days=days)
        here.journal.report("legacy", clock(), {"ok": True})

        Janitor(here.parts)()
        late = now() + timedelta(days=1)
        found = [why for _, why in here.journal.audit.unfinished.snapshots(late)]
        assert any("legacy has not answered" in why for why in found) == owes, found
        with here.journal._database.reading() as link:
            rows = link.execute(select(subscriptions.c.service)).scalars()
            assert sorted(rows) == (["drive", "legacy"] if owes else ["drive"])
