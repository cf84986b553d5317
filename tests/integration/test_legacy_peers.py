"""Programs of an existing system, built from nothing but its format, beside a running Snapbus.

One process, a real RabbitMQ, a camera that answers as a Foscam does, and a network that takes red
squares for people.
"""

from __future__ import annotations

import io
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgpack
import pytest
from PIL import Image

from shared.events import CameraTested, SnapshotNotified, SnapshotTaken
from tests.support.cameras import FaultyCamera, answer, says
from tests.support.fakes import eventually
from tests.support.networks import CELL, colour_network, squares
from tests.support.peer import Heard, Peer
from tests.support.rabbit import RabbitServer, vhost_of
from tests.support.system import System

NOTIFY = "event.notify.snapshot.hall-pi"
FETCHED = f"{NOTIFY}.image"
FRONT = "Front Door Camera"
PASSWORD = "p@ss:w&r#d%20/ä"
CGI = "/cgi-bin/CGIProxy.fcgi"


def picture(*reds: tuple[int, int], blue: tuple[int, int] | None = None, shade: int = 0) -> bytes:
    """A JPEG with red squares, and perhaps a blue one."""
    pixels = squares(blue=blue) if blue else squares()
    for column, row in reds:
        pixels[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL] = (0, 0, 255)
    pixels[-1, -1] = shade
    buffer = io.BytesIO()
    Image.fromarray(pixels[:, :, ::-1]).save(buffer, "JPEG", quality=95, subsampling=0)
    return buffer.getvalue()


TWO_PEOPLE = picture((2, 2), (6, 6), blue=(2, 7))
NOBODY = picture(blue=(4, 4))


@pytest.fixture(scope="module")
def url(rabbit: RabbitServer) -> Iterator[str]:
    """A RabbitMQ on which a peer declared its exchanges before we came."""
    rabbit.start()
    vhost = rabbit.add_vhost()
    with closing(Peer(rabbit.url(vhost))):
        pass
    yield rabbit.url(vhost)
    rabbit.remove_vhost(vhost)


@pytest.fixture(scope="module")
def foscam() -> Iterator[FaultyCamera]:
    """A camera that shows what ``shows`` says."""
    with FaultyCamera({CGI: says(answer(TWO_PEOPLE))}) as camera:
        yield camera


def shows(camera: FaultyCamera, data: bytes) -> None:
    camera.faults[CGI] = says(answer(data))


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, url: str) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("house")
    tree = {
        "cameras": {
            "front-door": {
                "place": "Front Door",
                "fetch": {"kind": "told", "path": str(folder / "told/front-door.json")},
            },
            "gate": {"place": "Gate", "ftp": {"password": "gate-pw"}},
        },
        "detector": {
            "engine": "auto",
            "model": str(colour_network(folder, labels=("person", "car"))),
        },
        "legacy": {
            "enabled": True,
            "url": url,
            "device_name": "hall-pi",
            "networks": ["127.0.0.0/8"],
        },
    }
    with closing(System(folder, tree)) as running:
        running.start("allinone")
        yield running


@pytest.fixture
def peer(url: str, system: System) -> Iterator[Peer]:
    """One that comes after us, and declares all the same."""
    with closing(Peer(url)) as peer:
        # Ours is declared by the time its heartbeat comes.
        peer.wait_for("event.heartbeat.snapshot")
        yield peer


def packed(timestamp: str, device: dict[str, Any], **trace: str) -> bytes:
    whole = {"timestamp": timestamp, "inputs": [device], **trace}
    body: bytes = msgpack.packb(whole, use_bin_type=True)
    return body


@pytest.mark.promise("feat D2", "feat D4", "feat A12", "feat D10")
def test_a_trigger_is_answered_byte_for_byte(
    peer: Peer, foscam: FaultyCamera, system: System
) -> None:
    shows(foscam, TWO_PEOPLE)
    trace: dict[str, Any] = {"traceparent": f"00-{7:032x}-{8:016x}-01", "baggage": "who=peer"}
    params = f"admin:{PASSWORD}@127.0.0.1:{foscam.port},554"
    asked = peer.trigger(FRONT, params, key="event.trigger.snapshot", **trace)

    heard = peer.wait_for(FETCHED, {"image_timestamp": str(asked)})

    device = {
        "device_key": FRONT,
        "device_label": "Front Door Camera",
        "type": "camera",
        "image": TWO_PEOPLE,
        "image_timestamp": str(asked),
        "storage_url": None,
        "storage_path": "/data/ftp/uploads/snapshots/frontdoor/"
        f"fetch_front-door-camera_{asked}.jpg",
        "event_detail": "2 person(s) and 3 things",
    }
    stamp = heard.body["timestamp"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp)
    parent = heard.body["traceparent"]
    assert parent[:36] == trace["traceparent"][:36] and parent != trace["traceparent"]
    assert heard.raw == packed(stamp, device, traceparent=parent, baggage="who=peer")
    assert abs(datetime.fromisoformat(stamp) - datetime.now(UTC)).total_seconds() < 60
    query = parse_qs(urlsplit(foscam.paths()[-1]).query, strict_parsing=True)
    assert query == {"cmd": ["snapPicture2"], "usr": ["admin"], "pwd": [PASSWORD]}
    assert PASSWORD not in system.log("allinone")
    assert (system.folder / "told/front-door.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.promise("feat D2")
@pytest.mark.parametrize("key", ["event.trigger.snapshot", "event.trigger.camera"])
def test_of_a_picture_without_people_the_house_hears_too_by_either_key(
    peer: Peer, foscam: FaultyCamera, key: str
) -> None:
    shows(foscam, picture(blue=(4, 4), shade=len(key)))
    asked = peer.trigger(
        FRONT, f"admin:x@127.0.0.1:{foscam.port}", key=key, timestamp=time.time() - len(key)
    )

    heard = peer.wait_for(FETCHED, {"image_timestamp": str(asked)})

    assert list(heard.device) == [
        "device_key", "device_label", "type", "image", "image_timestamp", "storage_url",
        "storage_path",
    ]  # fmt: skip


def test_an_upload_is_told_without_the_last_part_of_the_key(peer: Peer, system: System) -> None:
    subprocess.run(
        [
            "curl", "--silent", "--fail", "-T", "-",
            f"ftp://gate:gate-pw@127.0.0.1:{system.ftp_port}/MDAlarm_20261121-220000.jpg",
        ],
        input=TWO_PEOPLE, check=True, timeout=30,
    )  # fmt: skip

    device = peer.wait_for(NOTIFY, {"device_key": "Gate Camera"}).device

    assert device["storage_path"] == "/data/ftp/uploads/snapshots/gate/MDAlarm_20261121-220000.jpg"
    assert (device["image"], device["type"]) == (TWO_PEOPLE, "camera")
    assert device["image_timestamp"].isdecimal()
    assert device["event_detail"] == "2 person(s) and 3 things"


@pytest.mark.promise("feat D4", "feat D8")
def test_our_own_events_name_the_device_and_its_location(peer: Peer, system: System) -> None:
    url = f"ftp://gate:gate-pw@127.0.0.1:{system.ftp_port}/"
    for name, data in (("a.jpg", picture((1, 1))), ("empty.jpg", b"")):
        command = ["curl", "--silent", "--fail", "-T", "-", url + name]
        subprocess.run(command, input=data, check=True, timeout=30)

    with closing(system.journal()) as journal:
        found = [
            journal.read.latest_events(1, topic=topic, subject="gate")[0].event.data
            for topic in (SnapshotTaken.topic, CameraTested.topic)
        ]
    device = {"location": "Gate", "device_type": "Camera", "device_key": "Gate Camera"}
    assert all(device.items() <= each.items() for each in found), found


@pytest.mark.promise("feat D5")
def test_a_heartbeat_comes_every_five_seconds_with_the_same_lists(peer: Peer) -> None:
    def beats() -> list[Heard]:
        peer.listen(0.1)
        found = [each for each in peer.heard if each.key == "event.heartbeat.snapshot"]
        return found if len(found) >= 3 else []

    heard = eventually(beats, timeout=60)
    first, *_, last = [datetime.fromisoformat(each.body["timestamp"]) for each in heard]
    assert 3 <= (last - first).total_seconds() / (len(heard) - 1) <= 10
    gate = {"type": "Camera", "location": "Gate", "device_key": "Gate Camera"}
    front = {"type": "Camera", "location": "Front Door", "device_key": FRONT}
    output = {"location": "Front Door", "type": "Camera", "device_key": FRONT}
    for each in heard:
        expected = {
            "timestamp": each.body["timestamp"],
            "inputs": [front, gate],
            "outputs": [output],
        }
        assert each.raw == msgpack.packb(expected, use_bin_type=True)


@pytest.mark.promise("feat D9", "feat A19")
def test_what_can_not_be_followed_is_ignored_and_said(
    peer: Peer, foscam: FaultyCamera, system: System
) -> None:
    asked_before = len(foscam.requests)
    params = f"admin:{PASSWORD}@127.0.0.1:{foscam.port}"
    peer.trigger(FRONT, params, timestamp=time.time() - 121)
    peer.trigger("Cellar Camera", params, label="Cellar")
    peer.trigger(FRONT, f"admin:{PASSWORD}@192.0.2.1:80")
    peer.trigger(FRONT, f"admin:{PASSWORD}@camera.example:80")
    peer.put("event.trigger.snapshot", b'{"json": true}')
    peer.put("event.trigger.snapshot", msgpack.packb({"timestamp": 1}))
    peer.put("event.trigger.snapshot", bytes(16_000_001))

    said = (
        "the one for Front Door Camera is 121 s old",
        "no camera that can be asked is called 'Cellar Camera'; those are: Front Door Camera",
        "192.0.2.1 is in none of the networks",
        "its host is no IP address",
        "it is no MessagePack of the old form",
        "the field 'output_triggered' is missing",
        "it has 16000001 bytes; at most 16000000 are taken",
    )
    eventually(lambda: all(each in system.log("allinone") for each in said), message=str(said))
    assert len(foscam.requests) == asked_before
    assert "p@ss" not in system.log("allinone")


@pytest.mark.promise("feat D2")
def test_nothing_but_the_old_format_is_on_the_exchange(peer: Peer, foscam: FaultyCamera) -> None:
    shows(foscam, NOBODY)
    asked = peer.trigger(FRONT, f"admin:x@127.0.0.1:{foscam.port}", timestamp=time.time() - 60)
    peer.wait_for(FETCHED, {"image_timestamp": str(asked)})

    for each in peer.heard:
        assert each.key in ("event.heartbeat.snapshot", FETCHED, NOTIFY)
        assert list(each.body)[:2] == ["timestamp", "inputs"]
        assert (each.properties.content_type, each.properties.headers) == (None, None)


@pytest.mark.promise("feat D2")
def test_what_was_told_stands_in_the_story_of_the_picture(
    peer: Peer, foscam: FaultyCamera, system: System
) -> None:
    shows(foscam, picture((5, 5)))
    asked = peer.trigger(FRONT, f"admin:x@127.0.0.1:{foscam.port}", timestamp=time.time() - 30)
    peer.wait_for(FETCHED, {"image_timestamp": str(asked)})

    def told() -> list[SnapshotNotified]:
        with closing(system.journal()) as journal:
            events = journal.read.latest_events(20, topic=SnapshotNotified.topic)
        found = [SnapshotNotified.model_validate(each.event.data) for each in events]
        return [each for each in found if each.camera == "front-door"]

    latest = eventually(told)[0]
    assert (latest.told, latest.device_key) == (True, FRONT)
    assert latest.routing_key == FETCHED


def test_their_exchanges_stay_as_the_peers_declare_them(
    peer: Peer, rabbit: RabbitServer, url: str
) -> None:
    for name, kind in (("home_automation", "topic"), ("home_automation_control", "direct")):
        found = rabbit.api("GET", f"/api/exchanges/{vhost_of(url)}/{name}")
        assert (found["type"], found["durable"], found["auto_delete"]) == (kind, False, False)
        assert found["arguments"] == {}
