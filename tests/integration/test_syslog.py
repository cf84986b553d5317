"""Logs at real syslog sockets: UDP, TCP and a local one; a server that is away holds up nobody."""

from __future__ import annotations

import json
import logging
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path
from select import select

import pytest

from shared import log, syslog
from shared.settings import load
from shared.syslog import Server, server_of
from tests.support.fakes import eventually
from tests.support.ports import free_port
from tests.support.system import ROOT

SECRET = "canary-77"
RFC5424 = re.compile(
    r"<(\d{1,3})>1 (\d{4}-\d\d-\d\dT[0-9:]{8}\.\d{6}Z) (\S{1,255}) snapbus (\d+) (\S{1,32}) - (.*)",
    re.DOTALL,
)


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield root
    for handler in root.handlers:
        if isinstance(handler, syslog.SyslogHandler):
            handler.close()
    root.handlers[:], root.level = before, level


def set_up(address: str) -> logging.Logger:
    log.set_up("info", "json", [SECRET], StringIO(), syslog=address)
    return logging.getLogger("services.ftp")


def parsed(message: bytes) -> tuple[int, str, dict[str, object]]:
    """Priority, action and the fields of a message."""
    found = RFC5424.fullmatch(message.decode())
    assert found, message
    return int(found[1]), found[5], json.loads(found[6])


def datagrams(kind: int, address: object) -> socket.socket:
    made = socket.socket(kind, socket.SOCK_DGRAM)
    made.bind(address)  # type: ignore[arg-type]
    made.settimeout(10)
    return made


@pytest.mark.promise("feat J9")
def test_a_line_over_udp_is_rfc_5424_and_holds_no_secret(root: logging.Logger):
    with closing(datagrams(socket.AF_INET, ("127.0.0.1", 0))) as server:
        logger = set_up(f"udp://127.0.0.1:{server.getsockname()[1]}")
        logger.info("took a picture of %s", "h\u00f6f\n<1>", extra={"action": "snapshot_taken"})
        logger.error("password %s", SECRET)

        first, second = parsed(server.recv(9000)), parsed(server.recv(9000))

    assert first[:2] == (3 * 8 + 6, "snapshot_taken")
    assert first[2]["event"] == "took a picture of h\u00f6f\\n<1>"
    assert second[:2] == (3 * 8 + 3, "-")
    assert SECRET not in str(second)


@pytest.mark.promise("feat J9")
def test_a_line_at_the_socket_of_the_machine(root: logging.Logger, tmp_path: Path):
    with closing(datagrams(socket.AF_UNIX, str(tmp_path / "log"))) as server:
        set_up(f"unixgram://{tmp_path}/log").warning("disk full", extra={"action": "full"})
        assert parsed(server.recv(9000))[:2] == (3 * 8 + 4, "full")


def frames(wire: socket.socket, count: int) -> list[bytes]:
    """Messages framed by their length."""
    found: list[bytes] = []
    data = b""
    while len(found) < count:
        data += wire.recv(65536)
        while head := re.match(rb"(\d+) ", data):
            end = head.end() + int(head[1])
            if len(data) < end:
                break
            found.append(data[head.end() : end])
            data = data[end:]
    return found


@pytest.mark.promise("feat J9")
def test_over_tcp_lines_wait_for_a_server_that_is_away_and_hold_up_nobody(
    root: logging.Logger, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(syslog, "RETRY_S", 0.05)
    monkeypatch.setattr(syslog, "WAITING", 5)
    port = free_port()
    logger = set_up(f"tcp://127.0.0.1:{port}")
    for number in range(20):
        logger.info("line %d", number)  # nobody listens, and nobody waits

    with closing(socket.create_server(("127.0.0.1", port))) as server:
        server.settimeout(10)
        wire, _ = server.accept()
        with closing(wire):
            wire.settimeout(10)
            lost, first, *_more = frames(wire, 4)

        # What is sent just after a cut may go where nobody reads; then it connects again.
        def is_back() -> bool:
            logger.info("again")
            return bool(select([server], [], [], 0)[0])

        eventually(is_back)
        wire, _ = server.accept()
        with closing(wire):
            wire.settimeout(10)
            assert parsed(frames(wire, 1)[0])[2]["event"] == "again"

    count = re.search(rb" log_lost - (\d+) log lines were lost", lost)
    assert count and 13 <= int(count[1]) <= 15
    assert parsed(first)[2]["event"] == "line 0"


@pytest.mark.promise("feat J9")
def test_the_last_lines_of_a_process_leave_before_it_ends():
    with closing(datagrams(socket.AF_INET, ("127.0.0.1", 0))) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        code = "import logging, sys; from shared import log; log.set_up('info', 'json', syslog="
        code += "sys.argv[1]); [logging.info('%d', n) for n in range(100)]"
        subprocess.run([sys.executable, "-c", code, address], cwd=ROOT, check=True)
        assert [parsed(server.recv(9000))[2]["event"] for _ in range(100)][-1] == "99"


@pytest.mark.promise("feat J9", "feat K18")
@pytest.mark.parametrize(
    ("address", "server"),
    [
        ("udp://10.0.0.1", Server("udp", "10.0.0.1", 514)),
        ("tcp://logs.lan:601", Server("tcp", "logs.lan", 601)),
        ("logs.lan:1514", Server("udp", "logs.lan", 1514)),
        ("udp://[::1]:514", Server("udp", "::1", 514)),
        ("/dev/log", Server("unix", path="/dev/log")),
        ("unixgram:///dev/log", Server("unix", path="/dev/log")),
    ],
)
def test_addresses_as_docker_and_people_write_them(address: str, server: Server):
    assert server_of(address) == server
    assert load(ROOT / "config/snapbus.yml", {"SYSLOG_ADDRESS": address}).log.syslog == address


@pytest.mark.parametrize(
    "address", ["http://x", "udp://", "udp://h:99999", "tcp://h/x", "unix://x"]
)
def test_an_address_that_is_none_is_told(address: str):
    with pytest.raises(ValueError, match="udp://"):
        server_of(address)
