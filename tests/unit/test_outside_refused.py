"""What is copied to a broker outside: not what is nobody's business, and not what it refuses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from shared.bus.local import LocalBroker
from shared.errors import Unreachable
from shared.events import EVENTS
from shared.runtime.outside import _House, outside
from shared.stop import Stop
from tests.support.fakes import eventually
from tests.support.making import Core, core, taken


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Core]:
    broker = {"url": "local", "outside": "amqp://127.0.0.1:1/"}
    with closing(core(tmp_path, {"broker": broker})) as behind:
        yield behind


@pytest.mark.promise("find D6")
def test_who_logged_in_is_nothing_to_the_house(here: Core) -> None:
    (service,) = outside(here.parts)
    assert set(EVENTS) - set(service.handlers) == {"access.noted"}
    stop = Stop()
    stop.set()
    service.sources[0].run(stop)  # closes what it opened


@pytest.mark.promise("find D6")
def test_what_its_broker_refuses_waits(here: Core) -> None:
    broker, stop = LocalBroker(max_length=1), Stop()
    broker.consume("full", ["snapshot"], 0)
    house = _House(here.parts, broker, "house")
    thread = threading.Thread(target=house.run, args=(stop,), daemon=True)
    thread.start()
    try:
        eventually(lambda: house.about()["ok"])
        assert house.copy(taken(1)) == []
        with pytest.raises(Unreachable, match="queue full is full"):
            house.copy(taken(2))
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()


@pytest.mark.promise("find D6")
def test_while_it_is_not_connected_events_wait(here: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.runtime.outside.ANSWER_S", 0.3)
    broker, stop = LocalBroker(), Stop()
    broker.consume("all", ["snapshot"], 0)
    house = _House(here.parts, broker, "house")
    with pytest.raises(Unreachable, match="not connected yet"):
        house.copy(taken(1))
    house.on_connection(True, "connected")
    house.on_connection(False, "it has gone")
    with pytest.raises(Unreachable, match="it has gone"):
        house.copy(taken(1))
    assert house._going.empty(), "nobody is told later that it could not wait"
    stop.set()
    house.run(stop)  # closes what it opened
