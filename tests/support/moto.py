"""A private moto server: S3 and other services of AWS over HTTP, kept in memory."""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from shared.aws.client import Client
from shared.settings.aws import AwsSection
from tests.support.ports import free_port
from tests.support.servers import kill_group, wait_until_ready

KEY_ID, KEY = "AKIASNAPBUSTEST00001", "k+Secret/Of7The8Test9Account0abcdefghijkl"


def account(endpoint: str, **settings: Any) -> AwsSection:
    """An account with keys of which every text must be free."""
    keys = {"access_key_id": SecretStr(KEY_ID), "secret_access_key": SecretStr(KEY)}
    return AwsSection(endpoint=endpoint, **{"request_s": 20.0, **keys, **settings})


class MotoServer:
    """``python -m moto.server`` on a free port of the loopback."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="snapbus-moto-")
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def port(self) -> int:
        return self._port

    def start(self) -> None:
        """Start it, empty; raises ServerFailed."""
        self._port = self._port or free_port()
        log = Path(self._folder.name) / "log"
        environ = {n: v for n, v in os.environ.items() if not n.startswith(("AWS_", "MOTO_"))}
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self._port)],
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        wait_until_ready(self._answers, self._process, log, 60)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0

    def bucket(self, name: str) -> Client:
        """Make a bucket, and return a client of S3 that may do everything."""
        client = Client("s3", account(self.url))
        client.call("create_bucket", Bucket=name)
        return client

    def stop(self) -> None:
        """Kill it; what it held is gone."""
        kill_group(self._process)
        self._process = None

    def close(self) -> None:
        """Stop it and remove its folder."""
        self.stop()
        self._folder.cleanup()


@cache
def shared() -> MotoServer:
    """The one of this process, until it ends; give each test buckets of its own."""
    server = MotoServer()
    server.start()
    atexit.register(server.close)
    return server
