"""The relay: every thread reaches the bus thread, and it each of them."""

from __future__ import annotations

import gc
import queue
import select
import threading
from collections.abc import Iterator

import pytest

from shared.bus.relay import Relay, orders
from shared.stop import Stop
from tests.support.fakes import eventually


@pytest.fixture
def relay() -> Iterator[Relay]:
    relay = Relay()
    yield relay
    relay.close()


def test_a_thread_has_one_end_and_gets_the_answers_to_it(relay: Relay):
    hub = relay.hub()
    end = relay.end("me")
    assert relay.end() is end
    end.send(b"ask", b"\x00\xff")
    message = eventually(hub.receive)
    assert message is not None
    sender, frames = message
    assert (sender, frames) == (b"me", [b"ask", b"\x00\xff"])
    hub.send(sender, [b"answer"])
    assert end.receive(5) == [b"answer"]
    assert end.receive(0) is None
    end.close()
    hub.close()


def test_who_waits_for_a_message_or_the_end_hears_either_at_once(relay: Relay):
    hub, stop, heard = relay.hub(), Stop(), queue.SimpleQueue[object]()

    def listen() -> None:
        end = relay.end("me")
        end.send(b"here")
        while not stop.is_set():
            heard.put(end.receive(stop))

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    eventually(hub.receive)
    hub.send(b"me", [b"work"])
    assert heard.get(timeout=5) == [b"work"]
    stop.set()
    assert heard.get(timeout=5) is None
    thread.join(5)
    hub.close()


def test_what_is_held_goes_with_the_next_word_in_its_order(relay: Relay):
    hub, end = relay.hub(), relay.end("me")
    end.hold(b"done", b"1")
    end.hold(b"publish", b"", b"\x00\xff")
    assert hub.receive() is None
    end.send(b"next", b"drive")
    message = eventually(hub.receive)
    assert message is not None
    assert list(orders(message[1])) == [
        [b"done", b"1"],
        [b"publish", b"", b"\x00\xff"],
        [b"next", b"drive"],
    ]
    end.send(b"once")
    assert eventually(hub.receive) == (b"me", [b"once"])
    end.close()
    hub.close()


def test_the_descriptor_tells_of_news(relay: Relay):
    hub = relay.hub()
    poll = select.poll()
    poll.register(hub.descriptor, select.POLLIN)
    while hub.receive() is not None:
        pass
    relay.end("me").send(b"news")
    assert poll.poll(5000)
    hub.close()


def test_an_answer_to_an_end_that_is_gone_disturbs_nobody(relay: Relay):
    hub = relay.hub()
    hub.send(b"nobody", [b"x"])
    end = relay.end("me")
    end.send(b"x")
    eventually(hub.receive)
    end.close()
    hub.send(b"me", [b"x"])
    hub.close()


@pytest.mark.promise("feat D3")
def test_many_threads_lose_nothing_and_keep_their_order(relay: Relay):
    hub = relay.hub()

    def work(name: str) -> None:
        end = relay.end(name)
        for number in range(500):
            end.send(b"%d" % number)
        end.close()

    threads = [threading.Thread(target=work, args=(f"t{n}",), daemon=True) for n in range(8)]
    for thread in threads:
        thread.start()
    got: dict[bytes, list[int]] = {}

    def all_there() -> bool:
        while (message := hub.receive()) is not None:
            got.setdefault(message[0], []).append(int(message[1][0]))
        return sum(map(len, got.values())) == 4000

    eventually(all_there)
    for thread in threads:
        thread.join()
    assert all(numbers == list(range(500)) for numbers in got.values())
    hub.close()


def test_threads_that_come_and_go_leave_no_socket_behind(relay: Relay):
    hub = relay.hub()
    for _ in range(20):
        thread = threading.Thread(target=lambda: relay.end().send(b"x"), daemon=True)
        thread.start()
        thread.join()
    gc.collect()  # an end that nobody closed would be told here as an error
    hub.close()


def test_what_was_sent_before_the_hub_closed_still_arrives(relay: Relay):
    hub = relay.hub()
    end = relay.end("outbox")
    end.send(b"here")
    eventually(hub.receive)
    for number in range(100):
        hub.send(b"outbox", [b"%d" % number])
    hub.close()
    assert [end.receive(1) for _ in range(100)] == [[b"%d" % n] for n in range(100)]
    end.close()


@pytest.mark.promise("fault D10")
def test_nobody_waits_for_a_bus_that_does_not_read_and_nothing_is_lost(relay: Relay):
    hub = relay.hub()
    end = relay.end("me")
    for number in range(50_000):
        end.send(b"%d" % number)
        hub.send(b"me", [b"%d" % number])
    for number in range(50_000):
        message = hub.receive() or eventually(hub.receive)
        assert message == (b"me", [b"%d" % number])
        assert end.receive(5) == [b"%d" % number]
    end.close()
    hub.close()
