"""Fixtures of contract tests: a journal on each kind of database, with a clock of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.journal import Journal
from tests.support.making import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def url(database_url: str) -> str:
    return database_url


@pytest.fixture
def journal(url: str, clock: Clock) -> Iterator[Journal]:
    journal = Journal.open(url, clock=clock)
    yield journal
    journal.close()
