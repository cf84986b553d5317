"""The programs of docs/guide/bus.md, run as they stand there against RabbitMQ as Compose offers it:
by TLS, with the account `home`."""

from __future__ import annotations

import json
import re
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from shared.bus.accounts import HOME
from shared.envelope import decode
from shared.events import SnapshotRequested
from tests.support.fakes import eventually
from tests.support.house import Checkout, TlsHouse

GUIDE = (Path(__file__).parents[2] / "docs/guide/bus.md").read_text("utf-8")
LISTEN, ASK = re.findall(r"^```python\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
_ENV, CONSUME, PUBLISH, ADMIN, CURL = re.findall(
    r"^```sh\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL
)
FLOW = Path(__file__).parents[2] / "docs/guide/node-red.json"
SEEN = json.dumps({"subject": "porch", "data": {"person_count": 2, "human_seen": True}})
PLACES = ("nas.local", "PASSWORD")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsHouse]:
    checkout = Checkout(tmp_path_factory.mktemp("checkout"))
    (checkout.folder / ".env").write_text(_ENV)
    checkout.configure()
    with closing(TlsHouse(checkout)) as house:
        house.start()
        yield house


@pytest.fixture
def root(house: TlsHouse) -> Iterator[BlockingChannel]:
    with closing(pika.BlockingConnection(pika.URLParameters(house.url()))) as connection:
        channel = connection.channel()
        channel.queue_purge("camera")
        yield channel


def here(text: str, house: TlsHouse) -> str:
    """A program of the guide for this server and account."""
    assert all(each in text for each in PLACES)
    text = text.replace("nas.local:5671", f"localhost:{house.tls_port}")
    text = text.replace("nas.local:15671", f"localhost:{house.https_port}")
    text = text.replace("--port=15671", f"--port={house.https_port}")
    text = text.replace("rabbitmq.pem", str(house.certificate)).replace("nas.local", "localhost")
    return text.replace("PASSWORD", house.password_of(HOME))


@contextmanager
def program(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            yield running
        finally:
            running.terminate()


def consumed(house: TlsHouse, queue: str) -> None:
    """Wait until somebody listens there."""
    eventually(lambda: queue in json.dumps(house.api("GET", "/api/consumers")), timeout=30)


def asked(root: BlockingChannel, source: str) -> None:
    """Whether the request for a picture of the gate waits for the camera service."""

    def request() -> Any:
        method, _properties, body = root.basic_get("camera", auto_ack=True)
        return body if method else None

    event = decode(eventually(request))
    assert event.routing_key == "snapshot.requested.gate"
    assert event.parsed(SnapshotRequested).camera == "gate"
    assert event.source == source


@pytest.mark.promise("feat D1")
def test_the_python_program_of_the_guide_prints_what_was_analysed(
    house: TlsHouse, root: BlockingChannel
) -> None:
    with program([sys.executable, "-u", "-c", here(LISTEN, house)]) as running:
        consumed(house, "home.hall")
        root.basic_publish("snapbus", "snapshot.taken.porch", b"taken")
        root.basic_publish("snapbus", "snapshot.analyzed.porch", SEEN.encode())
        assert running.stdout
        assert running.stdout.readline() == "porch 2\n"


@pytest.mark.promise("feat D1")
def test_the_python_request_of_the_guide_is_one(house: TlsHouse, root: BlockingChannel) -> None:
    subprocess.run([sys.executable, "-c", here(ASK, house)], check=True, timeout=30)
    asked(root, "/home/doorbell")


@pytest.mark.promise("feat D1")
def test_a_shell_command_of_the_guide_gets_each_event(
    house: TlsHouse, root: BlockingChannel
) -> None:
    with program(["sh", "-c", f"exec {here(CONSUME, house)}"]) as running:
        consumed(house, "home.shell")
        root.basic_publish("snapbus", "snapshot.analyzed.porch", SEEN.encode())
        assert running.stdout
        assert running.stdout.readline().strip() == SEEN


@pytest.mark.promise("feat D1")
@pytest.mark.parametrize(("text", "source"), [(PUBLISH, "/home/shell"), (CURL, "/home/curl")])
def test_a_shell_request_of_the_guide_is_one(
    house: TlsHouse, root: BlockingChannel, text: str, source: str
) -> None:
    subprocess.run(["sh", "-ec", here(text, house)], check=True, timeout=30)
    asked(root, source)


@pytest.mark.promise("feat D1")
def test_the_commands_of_rabbitmqadmin_of_the_guide_get_what_was_analysed(
    house: TlsHouse, root: BlockingChannel
) -> None:
    first, second, *declare, get = here(ADMIN, house).strip().splitlines()
    subprocess.run(["sh", "-ec", "\n".join([first, second, *declare])], check=True, timeout=60)
    root.basic_publish("snapbus", "snapshot.analyzed.porch", SEEN.encode())

    script = "\n".join([first, second, get])
    done = subprocess.run(["sh", "-ec", script], check=True, capture_output=True, timeout=60)

    (message,) = json.loads(done.stdout)
    assert (message["payload"], message["routing_key"]) == (SEEN, "snapshot.analyzed.porch")


@pytest.mark.promise("feat D1", "sec M1")
def test_the_house_may_do_by_http_no_more_than_by_amqp(house: TlsHouse) -> None:
    pretends = here(CURL, house).replace("snapbus.requests/publish", "snapbus/publish")
    done = subprocess.run(["sh", "-ec", pretends], capture_output=True, timeout=30)
    assert done.returncode != 0

    def may(path: str, method: str = "GET") -> int:
        url = f"https://localhost:{house.https_port}{path}"
        command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", method, url]
        command += ["--cacert", str(house.certificate), "-u", f"home:{house.password_of(HOME)}"]
        return int(subprocess.run(command, check=True, capture_output=True).stdout)

    assert may("/api/whoami") == 200
    assert may("/api/users") in (401, 403)
    assert may("/api/definitions") in (401, 403)
    assert may("/api/queues/%2F/camera", "DELETE") in (401, 403)
    assert may("/api/queues/%2F/camera/contents", "DELETE") in (401, 403)


@pytest.mark.promise("sec M1")
def test_what_is_offered_to_the_house_speaks_tls_1_2_or_newer_and_nothing_else(
    house: TlsHouse,
) -> None:
    context = ssl.create_default_context(cafile=str(house.certificate))
    with (
        socket.create_connection(("localhost", house.tls_port), 10) as wire,
        context.wrap_socket(wire, server_hostname="nas.local") as secure,  # as .env names it
    ):
        assert secure.version() in ("TLSv1.2", "TLSv1.3")
    with socket.create_connection(("localhost", house.tls_port), 10) as wire:
        wire.sendall(b"AMQP\x00\x00\x09\x01")
        assert not wire.recv(100).startswith(b"\x01\x00\x00")  # no start of AMQP in the clear


NODE = """
const flow = JSON.parse(require("fs").readFileSync(process.argv[2]));
const amqplib = require(process.argv[3]);
const settings = { SNAPBUS_URL: process.argv[4], SNAPBUS_CA: process.argv[5] };
const kept = new Map();
const context = { get: (name) => kept.get(name), set: (name, value) => kept.set(name, value) };
const env = { get: (name) => settings[name] };
const node = {
  send: (msg) => { console.log(JSON.stringify(msg)); }, warn: console.error,
  status: ({ text }) => { console.log(text); },
};
const run = (code, msg) => new (Object.getPrototypeOf(async () => {}).constructor)(
  "amqplib", "fs", "crypto", "context", "env", "node", "msg", code,
)(amqplib, require("fs"), require("crypto"), context, env, node, msg);
const [listen, ask] = flow.filter((each) => each.type === "function");
(async () => {
  await run(listen.initialize);
  const answer = await run(ask.func, { payload: "gate" });
  console.log("asked", answer.payload.subject);
  process.on("SIGTERM", async () => { await run(listen.finalize); });
})();
"""


@pytest.mark.prove
@pytest.mark.promise("feat D1")
@pytest.mark.skipif(not shutil.which("npm"), reason="needs npm")
def test_the_nodes_of_the_flow_for_node_red_listen_and_ask(
    house: TlsHouse, root: BlockingChannel, tmp_path: Path
) -> None:
    """The code of its function nodes, as Node-RED would run it, with its library from npm."""
    subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", "amqplib@2"],
        cwd=tmp_path, check=True, timeout=110,
    )  # fmt: skip
    (tmp_path / "run.js").write_text(NODE)
    url = f"amqps://home:{house.password_of(HOME)}@localhost:{house.tls_port}"
    library = tmp_path / "node_modules/amqplib"
    command = ["node", str(tmp_path / "run.js"), str(FLOW), str(library), url]
    with program([*command, str(house.certificate)]) as running:
        consumed(house, "home.node-red")
        asked(root, "/home/node-red")
        root.basic_publish("snapbus", "snapshot.analyzed.porch", SEEN.encode())
        assert running.stdout
        heard = next(line for line in running.stdout if line.startswith("{") and "porch" in line)
    assert json.loads(heard)["payload"]["data"]["human_seen"] is True


def test_the_flow_for_node_red_is_whole() -> None:
    flow = json.loads(FLOW.read_text("utf-8"))
    ids = {each["id"] for each in flow}
    (tab,) = (each for each in flow if each["type"] == "tab")

    assert {each["name"] for each in tab["env"]} == {"SNAPBUS_URL", "SNAPBUS_CA"}
    for each in flow:
        assert each.get("z", tab["id"]) == tab["id"]
        assert {to for port in each.get("wires", []) for to in port} <= ids
    for function in (each for each in flow if each["type"] == "function"):
        assert {each["var"] for each in function["libs"]} >= {"amqplib", "fs"}
