"""What test_no_network.py runs in a process of its own, in a network of its own. Needs root."""

from __future__ import annotations

import ctypes
import fcntl
import io
import os
import socket
import struct
import sys
import tempfile
import time
from contextlib import closing
from ftplib import FTP
from pathlib import Path
from typing import Any

import pytest

from services.api import server
from shared.amqp.parameters import parameters
from shared.bus.rabbit import broker as broker_rabbit
from shared.bus.rabbit.broker import RabbitBroker
from shared.events import CameraFailed
from tests.support.api import running_api
from tests.support.fakes import eventually
from tests.support.listeners import Party
from tests.support.pictures import jpeg
from tests.support.rabbit import RabbitServer
from tests.support.system import ROOT, System

CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
GIVEN_UP_MS = 2000
"""In place of the product's ten and thirty seconds."""


def be_alone() -> None:
    """Move this process, before it has threads, into a network that is only a loopback."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "no network of its own")
    set_loopback(up=True)


def set_loopback(*, up: bool) -> None:
    """While it is down, what is sent vanishes, and nobody is told."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, asked))[1]
        flags = flags | IFF_UP if up else flags & ~IFF_UP
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags))


def pipeline(folder: Path) -> None:
    """No name server, no way out: what is in the house works, what is outside is told."""
    cameras = {
        "porch": {"ftp": {"password": "porch-pw"}},
        "named": {"fetch": {"url": "http://camera.example/still.jpg", "every_s": 2}},
        "far": {"fetch": {"url": "http://192.0.2.1/still.jpg", "every_s": 2}},
    }
    model = {"engine": "onnx", "model": str(ROOT / "services/simulator/figures.onnx")}
    with closing(System(folder, {"cameras": cameras, "detector": model})) as system:
        system.start("allinone")
        with FTP(timeout=20) as client:
            client.connect("127.0.0.1", system.ftp_port)
            client.login("porch", "porch-pw")
            assert client.storbinary("STOR 1.jpg", io.BytesIO(jpeg())).startswith("226")

        def archived() -> bool:
            (kept,) = system.get("/v1/snapshots")["snapshots"]
            return bool(kept["state"] == "archived" and kept["analysis"]["analyzed"])

        eventually(archived, timeout=30)
        eventually(lambda: "named gives no picture" in system.log("allinone"), timeout=30)
        eventually(lambda: "far gives no picture" in system.log("allinone"), timeout=30)
        assert "Traceback" not in system.log("allinone")
        assert system.problems("allinone") == []
        assert system.stop("allinone") == [0]


def stream(folder: Path) -> None:
    """A reader whose packets vanish is forgotten."""
    server.DEAD_PEER_MS = GIVEN_UP_MS
    with running_api(folder) as api, api.stream():
        eventually(lambda: api.service.about()["streams"] == 1)
        set_loopback(up=False)
        failed = CameraFailed(camera="porch", reason="x")
        api.context.record([failed.event(subject="porch", cause="x")])
        eventually(lambda: api.service.about()["streams"] == 0, timeout=20)
        set_loopback(up=True)


def broker(folder: Path) -> None:
    """A RabbitMQ whose packets vanish is given up long before heartbeats tell, and found again."""

    def quick(*arguments: Any) -> Any:
        made = parameters(*arguments)
        assert made.tcp_options["TCP_USER_TIMEOUT"] == 10_000
        made.tcp_options["TCP_USER_TIMEOUT"] = GIVEN_UP_MS
        return made

    with pytest.MonkeyPatch.context() as patch, closing(RabbitServer()) as rabbit:
        patch.setattr(broker_rabbit, "parameters", quick)
        rabbit.start()
        with closing(RabbitBroker(rabbit.url())) as broker:
            party = Party(broker).open()
            set_loopback(up=False)
            began = time.monotonic()
            party.publish("lost")
            party.until(party.all_told, timeout=30)
            assert [event_id for event_id, _ in party.refused] == ["lost"]
            assert time.monotonic() - began < 25, party.summary()
            set_loopback(up=True)
            party.until(lambda: party.connected)
            party.publish("after")
            party.until(lambda: "after" in party.confirmed)


if __name__ == "__main__":
    be_alone()
    with tempfile.TemporaryDirectory() as name:
        {"pipeline": pipeline, "stream": stream, "broker": broker}[sys.argv[1]](Path(name))
    sys.stdout.write("well\n")
    sys.stdout.flush()
    os._exit(0)
