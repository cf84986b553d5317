"""A private RabbitMQ for tests: own node name, own epmd, own folders and ports."""

from __future__ import annotations

import atexit
import base64
import contextlib
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.support.ports import free_ports
from tests.support.servers import (
    find_program,
    group_lives,
    kill_group,
    signal_group,
    wait_until_ready,
)

RABBIT_SECONDS = 90


def vhost_of(url: str) -> str:
    """The virtual host that an address names."""
    return urlsplit(url).path.strip("/")


class RabbitServer:
    """A node with the management plugin; `api` and `eval` are quick, `ctl` takes seconds."""

    user, password = "tests", "tests"

    def __init__(self) -> None:
        scripts = ("usr/lib/rabbitmq/bin", "opt/rabbitmq/sbin", "usr/local/sbin")
        self._program = find_program("rabbitmq-server", scripts, "rabbitmq-server")
        self._epmd_program = find_program("epmd", ("usr/bin",), "rabbitmq-server")
        self._call_program = find_program("erl_call", ("usr/bin",), "rabbitmq-server")
        self.root = Path(tempfile.mkdtemp(prefix="snapbus-rabbit-"))
        self.port, self.management_port, dist, epmd = free_ports(4)
        (self.root / "rabbitmq.conf").write_text(textwrap.dedent(self._config()))
        (self.root / "plugins").write_text("[rabbitmq_management].\n")
        loopback = "+S 2:2 -kernel inet_dist_use_interface {127,0,0,1}"
        self._env = os.environ | {
            "HOME": str(self.root),  # the Erlang cookie, so that two nodes never meet
            "RABBITMQ_NODENAME": f"snapbus-{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(dist),
            "ERL_EPMD_PORT": str(epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_CONF_ENV_FILE": str(self.root / "none"),
            "RABBITMQ_CONFIG_FILE": str(self.root / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.root / "none.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.root / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.root / "data"),
            "RABBITMQ_LOG_BASE": str(self.root / "log"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self.root / "generated"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": loopback,
        }
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)
        self._epmd = self._spawn([self._epmd_program, "-port", str(epmd), "-address", "127.0.0.1"])

    def _config(self) -> str:
        # A small write-ahead log: the default of 512 MB is for a machine that is only a broker.
        return f"""
            listeners.tcp.1 = 127.0.0.1:{self.port}
            management.tcp.ip = 127.0.0.1
            management.tcp.port = {self.management_port}
            default_user = {self.user}
            default_pass = {self.password}
            raft.wal_max_size_bytes = 8388608
            disk_free_limit.absolute = 20MB
            log.file.level = warning
            collect_statistics_interval = 1000
        """

    def _spawn(self, command: list[Path | str]) -> subprocess.Popen[bytes]:
        with (self.root / "output").open("ab") as output:
            return subprocess.Popen(
                command,
                env=getattr(self, "_env", None),
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def leader(self) -> int:
        """The process that leads the server's session."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the node, or do nothing when it runs; returns once it takes connections."""
        if self._process is not None and self._process.poll() is None:
            return
        self._process = self._spawn([self._program])
        wait_until_ready(self._is_ready, self._process, self.root / "output", RABBIT_SECONDS)

    def _is_ready(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return self.api("GET", "/api/overview") is not None
        except (OSError, http.client.HTTPException, AssertionError):
            return False

    def stop(self) -> None:
        """Stop it in order, as a reboot does."""
        if self._is_ready():
            self.hurry()
        signal_group(self._process, signal.SIGTERM)
        self._reap(30)

    def kill(self) -> None:
        """Let it die without a word, as a power cut does.

        RabbitMQ writes the names of its quorum queues some seconds late, and a queue that was
        declared just before a kill is lost for good. That is not what a test is about, so they
        are written first.
        """
        if self._is_ready():
            self.eval("[ok = dets:sync(Table) || Table <- dets:all()]")
        kill_group(self._process)
        self._process = None

    def hurry(self) -> None:
        """Let its next stop be quick: its statistics would hold that up by five seconds."""
        self.eval("gen_event:delete_handler(rabbit_event, rabbit_mgmt_db_handler, [])")

    def restart(self) -> None:
        """Stop it in order and start it again on the same port with the same data."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing answers."""
        signal_group(self._process, signal.SIGSTOP)

    def resume(self) -> None:
        """End `pause`."""
        signal_group(self._process, signal.SIGCONT)

    def _reap(self, seconds: float) -> None:
        # The starting script may end before the node itself does, so the group is waited for.
        deadline = time.monotonic() + seconds
        while group_lives(self._process) and time.monotonic() < deadline:
            time.sleep(0.05)
        kill_group(self._process)
        self._process = None

    def close(self) -> None:
        """End it and remove its folder; at the latest when Python ends."""
        atexit.unregister(self.close)
        self.resume()
        self.kill()
        kill_group(self._epmd)
        shutil.rmtree(self.root, ignore_errors=True)

    def url(self, vhost: str = "%2F") -> str:
        """The AMQP address of a virtual host."""
        return f"amqp://{self.user}:{self.password}@127.0.0.1:{self.port}/{vhost}"

    def add_vhost(self) -> str:
        """A fresh, empty virtual host; returns its name.

        Where a virtual host was removed just after a start, RabbitMQ 3.10 may have lost what
        serves dead letters, and with it all quorum queues to come: then it starts once more.
        """
        name = f"t{secrets.token_hex(4)}"
        self.api("PUT", f"/api/vhosts/{name}")
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self.api("PUT", f"/api/permissions/{name}/{self.user}", everything)
        if not self._takes_quorum_queues(name):
            self.restart()
        return name

    def _takes_quorum_queues(self, vhost: str) -> bool:
        probe = f"/api/queues/{vhost}/probe"
        arguments = {
            "x-queue-type": "quorum",
            "x-overflow": "reject-publish",
            "x-dead-letter-exchange": "",
            "x-dead-letter-strategy": "at-least-once",
        }
        try:
            self.api("PUT", probe, {"durable": True, "arguments": arguments})
        except (OSError, http.client.HTTPException, AssertionError):
            return False
        self.api("DELETE", probe)
        return True

    def remove_vhost(self, name: str) -> None:
        """Remove a virtual host with its queues and connections."""
        self.api("DELETE", f"/api/vhosts/{name}")

    def api(self, method: str, path: str, body: object = None) -> Any:
        """One call of the management API; what it answers, as JSON, or None."""
        link = http.client.HTTPConnection("127.0.0.1", self.management_port, timeout=30)
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
        with contextlib.closing(link):
            link.request(method, path, None if body is None else json.dumps(body), headers)
            answer = link.getresponse()
            text = answer.read()
        assert answer.status < 400 or answer.status == 404, f"{method} {path}: {text!r}"
        return json.loads(text) if text and answer.status < 400 else None

    def eval(self, expression: str) -> str:
        """The value of an Erlang expression in this node."""
        cookie = (self.root / ".erlang.cookie").read_text()
        node = self._env["RABBITMQ_NODENAME"]
        told = self._run(
            [self._call_program, "-sname", node, "-c", cookie, "-e"], f"{expression}.\n"
        )
        assert told.startswith("{ok, "), told
        return told.removeprefix("{ok, ").removesuffix("}")

    def ctl(self, *args: str) -> str:
        """Run rabbitmqctl against this node and return what it printed."""
        return self._run([self._program.with_name("rabbitmqctl"), "--quiet", *args])

    def _run(self, command: Sequence[Path | str], said: str = "") -> str:
        done = subprocess.run(
            command,
            env=self._env,
            cwd=self.root,
            input=said,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout
