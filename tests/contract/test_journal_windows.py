"""Snapshots of a window of time: which they are, in which order, and that only these are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from shared.journal import Journal
from shared.journal.queries.view import View
from shared.journal.schema import labels, snapshots
from tests.support.making import START

MANY = 20_000
HOUR = timedelta(hours=1)


def row(number: int, captured: timedelta, camera: str, organisation: str = "default") -> dict:
    return {
        "id": f"{number:026}", "organisation": organisation, "dedupe_key": str(number),
        "camera": camera, "door": "ftp", "name": "", "sha256": "0" * 64, "size": 1,
        "media_type": "image/jpeg", "captured_at": START + captured, "captured_by": "sender",
        "received_at": START, "state": "archived",
    }  # fmt: skip


def fill(journal: Journal, rows: list[dict], seen: list[tuple[int, str]]) -> None:
    with journal._database.writing() as connection:
        connection.execute(snapshots.insert(), rows)
        if seen:
            found = [
                {"snapshot_id": f"{number:026}", "label": label, "count": 1, "confidence": 0.9}
                for number, label in seen
            ]
            connection.execute(labels.insert(), found)


def numbers(journal: Journal, **options: Any) -> list[int]:
    return [int(each.id) for each in journal.read.snapshots(**options)]


def test_a_window_is_listed_by_capture_in_pages_and_with_its_label(journal: Journal):
    """Numbers are in the order of arrival; 5 and 6 came late, and 1 and 2 are of one moment."""
    hours = {0: 0.5, 1: 1, 2: 1, 3: 2, 4: 3, 5: 1.5, 6: 0.2}
    rows = [row(n, at * HOUR, "porch" if n % 2 else "gate") for n, at in hours.items()]
    fill(journal, rows, [(1, "cat"), (5, "cat"), (4, "cat")])
    window = {"since": START + HOUR, "until": START + 3 * HOUR}

    assert numbers(journal) == [6, 5, 4, 3, 2, 1, 0], "all: as they came"
    assert numbers(journal, **window) == [3, 5, 2, 1]
    assert numbers(journal, since=START + HOUR) == [4, 3, 5, 2, 1]
    assert numbers(journal, until=START + HOUR) == [0, 6]
    assert numbers(journal, **window, camera="porch") == [3, 5, 1]
    assert numbers(journal, **window, label="cat") == [5, 1]
    assert numbers(journal, **window, limit=2) == [3, 5]
    assert numbers(journal, **window, limit=2, before=f"{5:026}") == [2, 1]
    assert numbers(journal, **window, before=f"{2:026}") == [1], "of one moment: by arrival"
    assert numbers(journal, **window, before="nothing") == []


def test_counts_are_by_time_camera_and_label_and_of_what_is_seen_only(journal: Journal):
    rows = [row(n, n * HOUR / 2, "porch" if n % 2 else "gate") for n in range(6)]
    rows.append(row(9, timedelta(0), "porch", organisation="other"))
    fill(journal, rows, [(1, "cat"), (1, "dog"), (3, "cat"), (9, "cat")])
    bounds = [START + n * HOUR for n in range(4)]

    def counted(view: View, **options: str) -> list[tuple[float, str, int, dict]]:
        found = journal.read.within(view).counted(bounds, **options)
        return [((e.start - START) / HOUR, e.camera, e.snapshots, e.labels) for e in found]

    ours = View("default")
    assert counted(ours) == [
        (0, "gate", 1, {}),
        (0, "porch", 1, {"cat": 1, "dog": 1}),
        (1, "gate", 1, {}),
        (1, "porch", 1, {"cat": 1}),
        (2, "gate", 1, {}),
        (2, "porch", 1, {}),
    ]
    assert counted(ours, label="dog") == [(0, "porch", 1, {"dog": 1})]
    assert [each[1] for each in counted(ours, camera="gate")] == ["gate"] * 3
    assert counted(View("other")) == [(0, "porch", 1, {"cat": 1})]
    assert counted(View("default", frozenset({"gate"})), label="cat") == []


@contextmanager
def told(journal: Journal) -> Iterator[list[tuple[str, Any]]]:
    """The statements that are executed meanwhile."""
    engine, seen = journal._database.engine, []

    def note(_connection, _cursor, statement, parameters, *_more) -> None:
        seen.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def plan_of(journal: Journal, asked: tuple[str, Any]) -> str:
    database = journal._database
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    with database.reading() as connection:
        lines = connection.exec_driver_sql(explain + asked[0], asked[1]).all()
    return "\n".join(str(line[-1]) for line in lines)


@pytest.mark.promise("find Q2")
def test_only_the_window_is_read_whatever_else_is_asked_for(journal: Journal):
    rows = [row(n, n * HOUR / 60, f"camera{n % 10}") for n in range(MANY)]
    fill(journal, rows, [(n, "person") for n in range(0, MANY, 3)])
    database = journal._database
    if not database.is_sqlite:  # PostgreSQL does it by itself, SQLite does not
        with database.writing() as connection:
            connection.execute(text("ANALYZE"))
    window: dict[str, Any] = {"since": START + 50 * HOUR, "until": START + 51 * HOUR}
    with told(journal) as statements:
        journal.read.counted(list(window.values()))
        journal.read.counted(list(window.values()), label="person")
    counting = [each for each in statements if "captured_at <" in each[0]]
    assert len(counting) == 4
    for asked in counting:
        plan = plan_of(journal, asked)
        assert "captured" in plan.replace("captured_at", ""), plan
        assert "SCAN" not in plan, plan
    more: list[dict[str, Any]] = [{}, {"camera": "camera3"}, {"label": "person"}]
    for options in [*more, {"state": "archived"}]:
        with told(journal) as statements:
            journal.read.snapshots(**window, **options, limit=200)
        asked = next(each for each in statements if "captured_at <" in each[0])
        plan = plan_of(journal, asked)
        assert "captured" in plan.replace("captured_at", ""), (options, plan)
        if database.is_sqlite:
            assert "TEMP B-TREE" not in plan, (options, plan)
