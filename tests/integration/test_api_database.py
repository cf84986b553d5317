"""The API while its database is cut off, frozen or locked: 503 in time, and nothing is promised."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock
from urllib.parse import urlsplit

import pytest

from shared.events import SnapshotRequested
from tests.support.api import Api, running_api
from tests.support.fakes import eventually
from tests.support.proxy import Proxy

Break = Callable[[], object]


@contextlib.contextmanager
def with_postgres(folder: Path, url: str, trouble: str) -> Iterator[tuple[Api, Break, Break]]:
    """An API, a way to take its database away, and one to bring it back."""
    port = urlsplit(url).port
    assert port
    with contextlib.closing(Proxy(port)) as link:
        far = url.replace(f":{port}/", f":{link.port}/")
        with running_api(folder, {"journal": {"url": far}}) as api:
            try:
                yield api, getattr(link, trouble), link.heal
            finally:
                link.heal()


@contextlib.contextmanager
def with_sqlite(folder: Path) -> Iterator[tuple[Api, Break, Break]]:
    """The same with a database that another process locks."""
    path = folder / "snapbus.db"
    with (
        mock.patch("shared.journal.database.BUSY_S", 2.0),
        running_api(folder) as api,
        contextlib.closing(
            sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        ) as other,
    ):
        yield api, lambda: other.execute("BEGIN EXCLUSIVE"), lambda: other.execute("ROLLBACK")


@pytest.fixture(params=["cut", "freeze", "locked"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Api, Break, Break]]:
    if request.param == "locked":
        with with_sqlite(tmp_path) as made:
            yield made
    else:
        with with_postgres(
            tmp_path, request.getfixturevalue("postgres_url"), request.param
        ) as made:
            yield made


@pytest.mark.promise("fault H5", "inv I14")
def test_without_its_database_a_request_is_refused_in_time_and_may_come_again(
    site: tuple[Api, Break, Break],
):
    api, take_away, bring_back = site
    assert api.post("/v1/cameras/porch/snapshots").status == 202
    take_away()
    began = time.monotonic()
    refused = api.post("/v1/cameras/porch/snapshots", Idempotency_Key="k")
    assert time.monotonic() - began < 15
    assert (refused.status, refused.headers["retry-after"]) == (503, "5")
    assert refused.json["type"] == "urn:snapbus:problem:journal-unavailable"
    assert api.ask("/v1/health/live").status == 200
    assert len(api.announced) == 1

    bring_back()

    def taken() -> str | None:
        answer = api.post("/v1/cameras/porch/snapshots", Idempotency_Key="k")
        return answer.json["id"] if answer.status == 202 else None

    assert eventually(taken, timeout=30) == eventually(taken)
    events = api.context.journal.read.latest_events(10, topic=SnapshotRequested.topic)
    assert len(events) == 2
