"""RabbitMQ on the disk whose power is cut, with one queue, as our services declare it.

``SNAPBUS_RABBIT_TREE`` names a Debian tree (debootstrap --include=rabbitmq-server) whose RabbitMQ
is used, in a chroot, instead of the machine's own: the versions differ in what they sync.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from unittest import mock

import pika

from shared.bus.rabbit import topology as broker_topology
from shared.bus.rabbit.broker import RabbitBroker
from tests.chaos.disk import Disk
from tests.chaos.power_sites import Found
from tests.support.listeners import Party
from tests.support.rabbit import RabbitServer
from tests.support.servers import family

QUEUE = "detector"


class _RabbitOfTree(RabbitServer):
    """The RabbitMQ of another tree of files."""

    def __init__(self, tree: Path) -> None:
        self._tree = tree
        self._bound = False
        super().__init__()

    def _spawn(self, command: list[Path | str]) -> subprocess.Popen[bytes]:
        if not self._bound:
            self._bind()
        return super()._spawn(["chroot", str(self._tree), *command])

    def _bind(self) -> None:
        """Show our folder, and the disk that will be mounted in it, inside the tree."""
        inside = self._tree / self.root.relative_to("/")
        inside.mkdir(parents=True)
        for command in (
            ["--make-rshared", "/"],
            ["--rbind", str(self.root), str(inside)],
            ["--rbind", "/proc", str(self._tree / "proc")],
            ["--rbind", "/dev", str(self._tree / "dev")],
        ):
            subprocess.run(["mount", *command], check=True, capture_output=True)
        self._bound = True

    def ctl(self, *args: str) -> str:
        program = str(self._program.with_name("rabbitmqctl"))
        command = ["chroot", str(self._tree), program, "--quiet", *args]
        done = subprocess.run(command, env=self._env, capture_output=True, text=True, check=True)
        return done.stdout


class Broker:
    """RabbitMQ with one queue."""

    def __init__(self, folder: Path, control: str) -> None:
        tree = os.environ.get("SNAPBUS_RABBIT_TREE")
        self._server = _RabbitOfTree(Path(tree)) if tree else RabbitServer()
        self.disk = Disk(folder, self._server.root / "data")
        self._server.start()
        with contextlib.ExitStack() as stack:
            if control == "classic-queue":
                classic = mock.Mock(return_value={"x-queue-type": "classic"})
                stack.enter_context(mock.patch.object(broker_topology, "_served", classic))
            broker = RabbitBroker(self._server.url())
            broker.consume(QUEUE, ["snapshot.taken"], 1)
            Party(broker).open()
            broker.close()
        # A queue has its name on the disk some seconds after it was declared: RabbitMQ's own
        # limit, which costs us time and no snapshot. The test begins after that.
        self._server.eval("[ok = dets:sync(Table) || Table <- dets:all()]")
        self.disk.sync()

    def arguments(self) -> list[str]:
        return ["--broker", self._server.url()]

    def processes(self) -> list[int]:
        return family(self._server._process.pid) if self._server._process else []

    def look(self, acknowledged: Collection[str]) -> Found:
        self._server.start()
        found: Counter[str] = Counter()
        with contextlib.closing(pika.BlockingConnection(self._parameters())) as link:
            channel = link.channel()
            channel.basic_qos(prefetch_count=500)
            for method, properties, _body in channel.consume(QUEUE, inactivity_timeout=3):
                if method is None:
                    break
                found[properties.message_id] += 1
                channel.basic_ack(method.delivery_tag)
        lost = Counter({"message": len(set(acknowledged) - found.keys())})
        twice = sum(count > 1 for count in found.values())
        return Found(+lost, twice, len(found.keys() - set(acknowledged)), 0, [])

    def _parameters(self) -> pika.URLParameters:
        return pika.URLParameters(self._server.url())

    def close(self) -> None:
        self._server.close()
        self.disk.close()
