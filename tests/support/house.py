"""A checkout that `task configure` prepared, and a RabbitMQ as Compose runs it with that."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from shared.bus.accounts import GUEST
from shared.bus.rabbit.definitions import hashed
from tests.support.ports import free_ports
from tests.support.rabbit import RabbitServer

ROOT = Path(__file__).parents[2]
COPIED = (
    *(f"tasks/{name}" for name in ("configure", "definitions.py", "older.py", "onepassword.py")),
    ".env.example", "config/snapbus.yml",
)  # fmt: skip


class Checkout:
    """A folder with what `task configure` needs; ``configure`` runs it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in COPIED:
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        (folder / "shared").symlink_to(ROOT / "shared")
        python = folder / ".tools/bin/python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)

    def configure(self) -> str:
        """What it printed."""
        done = self.run()
        done.check_returncode()
        return done.stdout

    def run(self, **env: str) -> subprocess.CompletedProcess[str]:
        """What came of it with these variables."""
        command = ["sh", str(self.folder / "tasks/configure")]
        more = {**os.environ, **env}
        return subprocess.run(command, check=False, capture_output=True, text=True, env=more)

    def secret(self, name: str) -> str:
        return (self.folder / "secrets" / name).read_text("utf-8").strip()

    def password(self, account: str) -> str:
        """Of an account on RabbitMQ."""
        return unquote(urlsplit(self.secret(f"broker_url_{account}")).password or "")

    def env(self, name: str) -> str:
        """A variable of .env."""
        lines = (self.folder / ".env").read_text("utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)[name]

    def files(self) -> dict[Path, str]:
        """What .env and the secrets hold."""
        made = [self.folder / ".env", *(self.folder / "secrets").glob("*")]
        return {path: path.read_text("utf-8") for path in made if path.is_file()}

    @property
    def definitions(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.secret("rabbitmq_definitions.json"))
        return found


class HouseRabbit(RabbitServer):
    """It reads our rabbitmq.conf and the definitions of a checkout at its start, and has an account
    of the tests beside, which may do everything."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        super().__init__()
        self.write_definitions()

    def write_definitions(self) -> None:
        """Take those that the checkout has now; read at the next start."""
        read = self._checkout.definitions
        tests = {"name": self.user, "password_hash": hashed(self.password), "tags": "administrator"}
        read["users"].append(tests | {"hashing_algorithm": "rabbit_password_hashing_sha256"})
        rights = {"user": self.user, "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}
        read["permissions"].append(rights)
        (self.root / "definitions.json").write_text(json.dumps(read))

    def _config(self) -> str:
        ours = [line.strip() for line in super()._config().splitlines() if "default_" not in line]
        # RabbitMQ before 4.0 knows no anonymous users.
        keys = {"anonymous_login_user", *(line.partition(" =")[0] for line in ours)}
        theirs = (ROOT / "config/rabbitmq.conf").read_text("utf-8")
        theirs = theirs.replace("/etc/rabbitmq", str(self.root))
        also = [line for line in theirs.splitlines() if line.partition(" =")[0] not in keys]
        return "\n".join([*ours, *also])

    def url_of(self, account: str) -> str:
        """The AMQP address for an account."""
        password = account if account == GUEST else self._checkout.password(account)
        return f"amqp://{account}:{password}@127.0.0.1:{self.port}/%2F"

    def password_of(self, account: str) -> str:
        """Of an account of the checkout."""
        return self._checkout.password(account)


class TlsHouse(HouseRabbit):
    """One that is offered to the house as config/broker-port.yml does it."""

    def __init__(self, checkout: Checkout) -> None:
        self.tls_port, self.https_port = free_ports(2)
        self.certificate = checkout.folder / "secrets/rabbitmq_certificate.pem"
        super().__init__(checkout)

    def _config(self) -> str:
        ours = (ROOT / "config/rabbitmq-tls.conf").read_text("utf-8")
        ours = ours.replace("/run/secrets", str(self.certificate.parent))
        ours = ours.replace("listeners.ssl.default = ", "listeners.ssl.1 = 127.0.0.1:")
        ours = ours.replace(":5671", f":{self.tls_port}").replace("15671", str(self.https_port))
        return f"{super()._config()}\n{ours}\nmanagement.ssl.ip = 127.0.0.1\n"
