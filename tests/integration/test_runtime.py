"""The runtime in real processes: it starts, waits, stops, dies and comes back without a loss.

The services here are real ones with a handler that can be told to be slow, to fail, or to end
its process; small in number, so that one process has everything that counts.
"""

from __future__ import annotations

import contextlib
import json
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.fakes import eventually
from tests.support.postgres import PostgresServer
from tests.support.processes import Process
from tests.support.proxy import Proxy
from tests.support.rabbit import RabbitServer


@pytest.mark.promise("feat D1", "feat D7")
def test_anyone_who_binds_to_the_exchange_hears_what_happens_by_topic_and_camera(
    served: Process, stranger: Any
):
    served.start().ready()
    heard: dict[str, list[dict[str, Any]]] = {"#": [], "snapshot.*.porch": [], "#.gate": []}
    queues = {key: stranger.queue_declare("", exclusive=True).method.queue for key in heard}
    for key, queue in queues.items():
        stranger.queue_bind(queue, "snapbus", key)

    served.send(0)
    served.all_filed(1)

    def all_heard() -> bool:
        for key, queue in queues.items():
            while (got := stranger.basic_get(queue, auto_ack=True))[0]:
                method, properties, body = got
                event = json.loads(body)
                assert method.routing_key == f"{event['type']}.{event['subject']}"
                assert properties.content_type == "application/cloudevents+json"
                heard[key].append(event)
        return len(heard["#"]) >= 3

    eventually(all_heard)
    story = ["snapshot.taken", "snapshot.analyzed", "snapshot.archived"]
    assert [event["type"].removeprefix("snapbus.") for event in heard["#"]] == story
    assert heard["snapshot.*.porch"] == heard["#"]
    assert heard["#.gate"] == []


@pytest.mark.promise("inv I6", "inv I8", "feat K9")
def test_pictures_go_through_and_sigterm_leaves_nothing_open(process: Process):
    process.start().ready().send(*range(5))
    process.taken()
    process.all_filed(5)
    assert process.stop() < 25  # Docker kills after 30
    log = [json.loads(line) for line in process.log().splitlines()]
    assert [line["event"] for line in log if line.get("action") == "stopped"] == ["stopped"]
    assert not [line for line in log if line["level"] in ("error", "critical")]
    journal = process.journal()
    assert journal.read.lag().unpublished == 0  # also what was confirmed in the last moment
    journal.close()


@pytest.mark.promise("feat K9")
def test_after_sigterm_a_worker_finishes_what_it_holds(tmp_path: Path):
    process = Process(tmp_path, work={"stop_grace_s": 20.0})
    process.start(SLOW="1.5").ready().send(0)
    try:
        eventually(lambda: "working" in process.log())
        process.stop(20)
    finally:
        process.kill()
    assert process.states() == {"analyzed": 1}


@pytest.mark.promise("feat K9")
def test_sigterm_does_not_wait_for_ever_for_a_slow_handler(local: Process):
    local.start(SLOW="60").ready().send(0)
    local.taken()
    eventually(lambda: "working" in local.log())
    assert local.stop() < 25  # its handler would take a minute
    local.start().ready()
    local.all_filed(1)


@pytest.mark.promise("inv I1", "inv I4", "inv I6", "inv I8", "fault P1", "fault D1")
def test_killed_again_and_again_everything_is_finished_once(process: Process):
    count = 0
    for _round in range(2):
        process.start(SLOW="0.05")
        for _ in range(15):
            process.send(count)
            count += 1
        # Somewhere in the middle of taking and handling, another place each time.
        eventually(partial(process.has_left, 1 + count % 7), timeout=30)
        process.kill()
    process.start().ready()
    process.taken()
    process.all_filed(count)
    process.stop()


@pytest.mark.promise("inv I6", "fault D3")
def test_an_event_that_kills_its_process_ends_dead_and_its_neighbours_do_not(local: Process):
    local.send(0, 1, 2, 3)
    local.start(POISON="2.jpg", SNAPBUS__WORK__ATTEMPTS="2")

    def neighbours_are_done() -> bool:
        if local.running.poll() is not None:  # as Docker does, whatever it ended of
            assert local.running.returncode == -signal.SIGKILL
            local.start(POISON="2.jpg", SNAPBUS__WORK__ATTEMPTS="2")
        if not (local.settings.data / "snapbus.db").is_file() or list(local.inbox.iterdir()):
            return False
        journal = local.journal()
        with contextlib.closing(journal):
            dead = journal.recovery.items(("dead",))
        return bool(dead) and local.states() == {"archived": 3, "taken": 1}

    eventually(neighbours_are_done, timeout=60)
    journal = local.journal()
    (dead,) = journal.recovery.items()
    assert (dead.service, dead.status) == ("detector", "dead")
    assert "the process ended each time" in dead.error
    assert journal.recovery.replay() == 1
    journal.close()
    local.stop()
    local.start().ready()
    local.all_filed(4)


@pytest.mark.promise("fault D10")
@pytest.mark.parametrize(
    ("thread", "env"),
    [
        ("source", {"DIES": "source"}),
        ("worker", {"DIES": "worker"}),
        ("bus", {"FAILPOINT": "bus.delivered:1:raise=EIO"}),
        ("outbox", {"FAILPOINT": "outbox.after_mark:1:raise=EIO"}),
    ],
)
def test_a_thread_that_dies_ends_the_process_and_the_next_one_goes_on(
    local: Process, thread: str, env: dict[str, str]
):
    local.start(**env)
    local.send(0)
    assert local.running.wait(60) == 1
    assert "crashed" in local.log() or "source_failed" in local.log()
    assert thread == "source" or "died" in local.log()
    local.start().ready()
    local.all_filed(1)


def test_what_a_source_finds_wrong_in_the_configuration_is_told_without_a_traceback(local: Process):
    local.start(DIES="port")
    assert local.running.wait(60) == 2
    assert "can't be used: inbox.port: is in use. Choose another." in local.log()
    assert "Traceback" not in local.log()


def test_live_ready_and_stuck_are_different_things(local: Process):
    local.start(SLOW="2.5").ready()
    assert local.get("/live")[0] == 200
    local.send(0)
    status, told = eventually(lambda: (r := local.get("/ready"))[0] == 503 and r)
    assert status == 503
    assert told["problems"] == [told["problems"][0]]
    assert told["problems"][0].startswith("detector: owes 1 events and has finished nothing for")
    assert local.get("/live")[0] == 200
    local.ready()
    local.all_filed(1)


@pytest.mark.promise("fault B2")
def test_without_the_journal_it_waits_and_goes_on(served: Process, postgres: PostgresServer):
    served.start(SLOW="0.5").ready().send(0)
    served.taken()
    postgres.stop()
    status, _ = eventually(lambda: (r := served.get("/ready"))[0] == 503 and r, timeout=30)
    assert (status, served.get("/live")[0]) == (503, 200)
    assert postgres.password not in served.log()
    postgres.start()
    served.ready()
    served.send(1)
    served.all_filed(2)
    served.kill()
    postgres.stop()
    served.start()
    eventually(lambda: served.get("/ready")[0] == 503, timeout=30)
    eventually(lambda: '"action": "waiting"' in served.log())
    postgres.start()
    served.ready()
    served.stop()


@pytest.mark.promise("inv I6", "feat D6")
def test_without_the_broker_pictures_are_taken_and_all_comes_through_later(
    tmp_path: Path, amqp_url: str, postgres_url: str, rabbit: RabbitServer
):
    with contextlib.closing(Proxy(rabbit.port)) as link:
        url = amqp_url.replace(f":{rabbit.port}/", f":{link.port}/")
        served = Process(tmp_path, journal={"url": postgres_url}, broker={"url": url})
        served.start(SLOW="0.2")
        try:
            served.ready().send(0, 1)
            served.taken()
            link.cut()
            eventually(lambda: served.get("/ready")[0] == 503, timeout=30)
            served.send(2, 3)
            served.taken()
            assert served.states().get("taken")
            link.heal()
            served.ready()
            served.all_filed(4)
            served.stop()
        finally:
            served.kill()
