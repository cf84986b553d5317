"""Fixtures of contract tests: a journal on each kind of database, and each kind of broker."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from shared.journal import Journal
from tests.support.making import Clock
from tests.support.transports import FEATURES, LocalTransport, RabbitTransport, Transport


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def journal(journal_url: str, clock: Clock) -> Iterator[Journal]:
    journal = Journal.open(journal_url, clock=clock)
    yield journal
    journal.close()


@pytest.fixture(params=list(FEATURES))
def transport(request: pytest.FixtureRequest) -> Iterator[Transport]:
    with contextlib.ExitStack() as closing:
        if request.param == "local":
            yield LocalTransport(closing)
        else:
            yield RabbitTransport(closing, request.getfixturevalue("amqp_url"))
