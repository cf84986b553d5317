"""The RabbitMQ of the existing system goes away in every way there is, and what waits for it."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pika
import pytest

from services.legacy import house as house_module
from services.legacy.house import Heard, House, _Sent
from shared.errors import Reject, Unreachable
from shared.events import SnapshotNotified
from shared.stop import Stop
from tests.support.camera_pictures import jpeg
from tests.support.fakes import eventually
from tests.support.peer import EXCHANGE, Peer
from tests.support.proxy import Proxy
from tests.support.system import System

KEY = "event.notify.snapshot.x.image"
TRIGGERS = ["event.trigger.snapshot"]


@pytest.fixture
def proxy(amqp_url: str) -> Iterator[Proxy]:
    with closing(Proxy(urlsplit(amqp_url).port or 0)) as proxy:
        yield proxy


def through(proxy: Proxy, url: str) -> str:
    return url.replace(f":{urlsplit(url).port}/", f":{proxy.port}/")


@pytest.fixture
def heard() -> list[Heard]:
    return []


Open = Callable[[str], House]


@pytest.fixture
def opened(heard: list[Heard]) -> Iterator[Open]:
    """Makes a house that runs in a thread."""
    with ExitStack() as stack:

        def open_house(url: str) -> House:
            house, stop = House(url, EXCHANGE, TRIGGERS, heard.append), Stop()
            thread = threading.Thread(target=house.run, args=(stop,), name="house")
            thread.start()
            stack.callback(thread.join, 10)
            stack.callback(stop.set)
            return house

        yield open_house


def sent(house: House, body: bytes = b"body", message_id: str = "id-1") -> bool:
    with suppress(Unreachable):
        house.send(KEY, body, message_id)
        return True
    return False


@pytest.mark.promise("feat D6")
def test_a_house_that_is_away_at_the_start_is_waited_for(
    proxy: Proxy, amqp_url: str, opened: Open
) -> None:
    proxy.cut()
    house = opened(through(proxy, amqp_url))
    eventually(lambda: house.trouble and "not connected yet" not in house.trouble)
    with pytest.raises(Unreachable, match="the house can't be told"):
        house.send(KEY, b"body", "id-1")

    proxy.heal()
    with closing(Peer(amqp_url)) as peer:
        eventually(lambda: sent(house), timeout=20)
        assert peer.wait_for(KEY).raw == b"body"


@pytest.mark.promise("feat D6", "inv I8")
def test_a_message_whose_confirm_is_lost_comes_again_with_its_id(
    proxy: Proxy, amqp_url: str, opened: Open
) -> None:
    house = opened(through(proxy, amqp_url))
    eventually(lambda: not house.trouble)
    with closing(Peer(amqp_url)) as peer:
        proxy.break_at(KEY.encode(), delivered=True)
        with pytest.raises(Unreachable):
            house.send(KEY, b"body", "id-1")
        eventually(lambda: sent(house), timeout=20)
        eventually(lambda: peer.listen(0.1) or len(peer.heard) == 2)

    assert [(each.raw, each.properties.message_id) for each in peer.heard] == [
        (b"body", "id-1")
    ] * 2


@pytest.mark.promise("feat D6")
def test_a_house_that_is_frozen_holds_nobody_up_for_longer_than_the_confirm(
    proxy: Proxy, amqp_url: str, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house_module, "CONFIRM_S", 0.3)
    house = opened(through(proxy, amqp_url))
    eventually(lambda: not house.trouble)
    proxy.freeze()
    with pytest.raises(Unreachable, match=r"no confirm in 0.3 s"):
        house.send(KEY, b"body", "id-1")
    proxy.heal()
    eventually(lambda: sent(house), timeout=20)


def test_exchanges_of_another_kind_are_told_and_it_goes_on_when_they_are_gone(
    amqp_url: str, opened: Open
) -> None:
    with closing(pika.BlockingConnection(pika.URLParameters(amqp_url))) as link:
        link.channel().exchange_declare(EXCHANGE, "topic", durable=True)
        house = opened(amqp_url)
        eventually(lambda: "inequivalent arg 'durable'" in house.trouble)
        link.channel().exchange_delete(EXCHANGE)
    eventually(lambda: not house.trouble, timeout=20)


def test_a_password_that_is_refused_is_told_and_not_shown(amqp_url: str, opened: Open) -> None:
    parts = urlsplit(amqp_url)
    house = opened(f"amqp://tests:wrong-pw@127.0.0.1:{parts.port}{parts.path}")

    eventually(lambda: "ACCESS_REFUSED" in house.trouble)
    assert "wrong-pw" not in house.trouble


def test_triggers_come_by_their_key_only_and_no_more_than_are_settled(
    proxy: Proxy, amqp_url: str, opened: Open, heard: list[Heard]
) -> None:
    house = opened(through(proxy, amqp_url))
    eventually(lambda: not house.trouble)
    with closing(Peer(amqp_url)) as peer:
        peer.put("event.trigger.other", b"not ours")
        for number in range(50):
            peer.put(TRIGGERS[0], b"%d" % number)
        eventually(lambda: len(heard) == house_module.PREFETCH)
        for each in list(heard):
            house.settle(each)
        eventually(lambda: len(heard) == 2 * house_module.PREFETCH)
        proxy.cut()
        eventually(lambda: house.trouble)
        proxy.heal()
        eventually(lambda: not house.trouble, timeout=20)
        for each in list(heard):
            house.settle(each)  # of a connection that is gone
        peer.put(TRIGGERS[0], b"last")
        eventually(lambda: heard[-1].body == b"last")
        house.settle(heard[-1])
        peer.put(TRIGGERS[0], b"very last")
        eventually(lambda: heard[-1].body == b"very last")
        assert house._connections == 2

    first = [b"%d" % number for number in range(2 * house_module.PREFETCH)]
    expected = [*first, b"last", b"very last"]
    assert [each.body for each in heard] == expected


def test_of_a_refused_size_only_what_is_larger_is_given_up(amqp_url: str) -> None:
    house = House(amqp_url, EXCHANGE, TRIGGERS, lambda heard: None)
    large, small = Future[None](), Future[None]()
    house._sent = {1: _Sent(large, 2_000), 2: _Sent(small, 10)}
    house._lost_teller(
        "PRECONDITION_FAILED - message size 2000 is larger than configured max size 1000"
    )

    house._close()
    assert isinstance(large.exception(), Reject)
    assert isinstance(small.exception(), Unreachable)


@pytest.mark.prove
@pytest.mark.promise("feat D6", "feat D9")
def test_what_waited_is_told_once_the_house_is_back_and_old_news_is_not(
    proxy: Proxy, amqp_url: str, tmp_path: Path
) -> None:
    tree = {
        "cameras": {"gate": {"ftp": {"password": "gate-pw"}}},
        "legacy": {"enabled": True, "url": through(proxy, amqp_url), "valid_s": 14},
    }
    with closing(System(tmp_path, tree)) as system, closing(Peer(amqp_url)) as peer:
        system.start("allinone")

        def upload(number: int) -> bytes:
            url = f"ftp://gate:gate-pw@127.0.0.1:{system.ftp_port}/{number}.jpg"
            command = ["curl", "--silent", "--fail", "-T", "-", url]
            subprocess.run(command, input=jpeg(number), check=True, timeout=30)
            return jpeg(number)

        def told() -> list[bool]:
            with closing(system.journal()) as journal:
                events = journal.read.latest_events(9, topic=SnapshotNotified.topic)
            return [bool(each.event.data["told"]) for each in reversed(events)]

        proxy.cut()
        first = upload(1)
        eventually(lambda: "can't be told" in system.log("allinone"))
        proxy.heal()
        peer.wait_for("event.notify.snapshot.snapshot-processor", {"image": first}, timeout=40)
        proxy.cut()
        upload(2)
        peer.listen(15)
        proxy.heal()
        eventually(lambda: told() == [True, False], timeout=40)
        third = upload(3)
        peer.wait_for("event.notify.snapshot.snapshot-processor", {"image": third}, timeout=40)

    images = [each.device["image"] for each in peer.heard if ".notify." in each.key]
    assert images == [first, third]
