"""Fixtures of contract tests: a journal on each kind of database, and each kind of broker."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from pydrive2.drive import GoogleDrive

from services.simulator.google.account import SimulatedGoogle
from shared.journal import Journal
from tests.support.google import pydrive, simulated_google
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


@pytest.fixture
def google() -> Iterator[SimulatedGoogle]:
    with simulated_google() as simulated:
        yield simulated


@pytest.fixture
def drive(google: SimulatedGoogle) -> Iterator[GoogleDrive]:
    """The owner's Drive, as PyDrive2 has it."""
    with pydrive(google) as drive:
        yield drive
