"""Keys that were right a moment ago: asked for seldom, and good while the database is away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.access import known
from shared.access.known import KnownKeys
from shared.access.rights import Right
from shared.access.visitor import Visitor
from shared.errors import JournalUnavailable
from shared.events import now
from shared.journal.queries.view import View

PORCH = Visitor("key porch", frozenset({Right.INGEST}), View("default", frozenset({"porch"})))


class Database:
    """Keys, how often they were looked up, and whether that is possible."""

    def __init__(self) -> None:
        self.keys = {"k": PORCH}
        self.asked = 0
        self.away = False
        self.time = 100.0

    def __call__(self, text: str) -> Visitor | None:
        self.asked += 1
        if self.away:
            raise JournalUnavailable("away")
        return self.keys.get(text)


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def keys(database: Database) -> KnownKeys:
    return KnownKeys(database, lambda: database.time)


@pytest.mark.promise("sec B2")
def test_a_key_is_not_asked_for_again_within_a_second_and_then_it_is(database, keys):
    assert keys.fresh("k") is None
    assert keys.visitor("k") == PORCH
    assert keys.fresh("k") == PORCH
    del database.keys["k"]
    database.time += 1
    assert keys.fresh("k") is None and keys.visitor("k") is None
    assert database.asked == 2
    assert keys.fresh("k") is None


def test_a_wrong_key_is_never_remembered(database, keys):
    assert keys.visitor("x") is None and keys.fresh("x") is None
    database.away = True
    with pytest.raises(JournalUnavailable):
        keys.visitor("x")


@pytest.mark.promise("fault H5")
def test_while_the_database_is_away_a_key_of_the_last_day_is_good_and_no_other(database, keys):
    assert keys.visitor("k") == PORCH
    database.away = True
    database.time += 3600
    assert keys.visitor("k") == PORCH
    with pytest.raises(JournalUnavailable):
        keys.visitor("other")
    assert database.asked == 2  # one that is away is left in peace for a moment
    database.time += known.KEPT_S
    with pytest.raises(JournalUnavailable):
        keys.visitor("k")


def test_a_key_that_is_over_is_over_whatever_is_remembered(database, keys):
    database.keys["k"] = replace(PORCH, until=now() - timedelta(seconds=1))
    keys.visitor("k")
    assert keys.fresh("k") is None


def test_not_more_keys_are_remembered_than_there_is_room_for(database, keys, monkeypatch):
    monkeypatch.setattr(known, "MOST", 2)
    database.keys |= {"a": PORCH, "b": PORCH}
    for text in ("k", "a", "b"):
        keys.visitor(text)
    assert [text for text in ("k", "a", "b") if keys.fresh(text)] == ["a", "b"]
