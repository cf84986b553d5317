"""The mail service on free ports, and mails as cameras write them."""

from __future__ import annotations

import base64
import contextlib
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Self

from services.mail.app import build
from services.mail.server import MailServer
from services.mail.source import ServerSource
from shared.service import Service
from shared.stop import Stop
from shared.store.part import BUFFERS
from tests.support.fakes import eventually
from tests.support.making import Core, core

PASSWORD = "correct horse"


def trusting() -> ssl.SSLContext:
    """As most cameras: any certificate will do."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def mail(*pictures: bytes, subject: str = "Motion", message_id: str = "", **names: str) -> bytes:
    """What a camera sends: a few words and the pictures, named ``<number>.jpg``."""
    message = EmailMessage()
    message["From"], message["To"] = "Camera <cam@camera.local>", "porch@snapbus.local"
    message["Subject"] = subject
    if message_id:
        message["Message-ID"] = message_id
    message.set_content("Motion was detected.")
    for number, data in enumerate(pictures):
        message.add_attachment(
            data,
            maintype="image",
            subtype="jpeg",
            filename=names.get(f"_{number}", f"{number}.jpg"),
        )
    return message.as_bytes().replace(b"\n", b"\r\n")


def part(data: bytes, header: str = "Content-Type: image/jpeg", name: str = "x.jpg") -> bytes:
    """A part of a multipart, written by hand."""
    text = base64.encodebytes(data).replace(b"\n", b"\r\n")
    return (
        f"{header}\r\nContent-Transfer-Encoding: base64\r\n"
        f'Content-Disposition: attachment; filename="{name}"\r\n\r\n'
    ).encode() + text


def multipart(*parts: bytes, boundary: str = "b", header: str = "") -> bytes:
    """A mail, or a part of one, of parts that are written by hand."""
    lines = b"".join(b"--" + boundary.encode() + b"\r\n" + each + b"\r\n" for each in parts)
    head = f'{header}Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n'
    return head.encode() + lines + b"--" + boundary.encode() + b"--\r\n"


@dataclass
class Running:
    """A service and what stands behind it."""

    core: Core
    service: Service
    server: MailServer
    stop: Stop
    thread: threading.Thread

    @property
    def port(self) -> int:
        return self.server.port

    def client(self, camera: str = "porch", password: str = PASSWORD) -> smtplib.SMTP:
        """A logged-in client of the standard library, without TLS."""
        smtp = smtplib.SMTP("127.0.0.1", self.port, timeout=20)
        if camera:
            smtp.login(camera, password)
        return smtp

    def send(self, data: bytes, camera: str = "porch", to: str = "") -> tuple[int, bytes]:
        """Send one mail; the answer to it."""
        with self.client(camera) as smtp:
            smtp.mail("cam@camera.local")
            code, text = smtp.rcpt(to or f"{camera}@snapbus.local")
            return smtp.data(data) if code == 250 else (code, text)

    def raw(self, camera: str = "porch", password: str = PASSWORD) -> Raw:
        """A logged-in client that sends what it is told."""
        return logged_in(self.port, camera, password)

    def names(self) -> list[str]:
        return sorted(row.name for row in self.core.journal.read.snapshots(limit=500))

    def stored(self) -> list[bytes]:
        """The pictures, oldest first."""
        rows = self.core.journal.read.snapshots(limit=500)
        return [self.core.store.read(row.sha256) for row in sorted(rows, key=lambda row: row.id)]

    def told(self, topic: str) -> list[str]:
        """The cameras of the events of this topic."""
        return [event.subject for event in self.core.told if event.topic == topic]

    def about(self) -> Mapping[str, Any]:
        return self.service.about()

    def kept_nothing(self) -> bool:
        """Whether nothing is in the journal, half on the disk, or in memory."""
        store = self.core.store
        held = BUFFERS - store._buffers._value
        return not (held or self.names() or any(store.incoming.iterdir()))

    def halt(self, timeout: float = 10) -> None:
        self.stop.set()
        self.thread.join(timeout)
        assert not self.thread.is_alive(), "the server did not stop"


class Raw:
    """One connection, line by line."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection((host, port), timeout=20)
        self._file = self.socket.makefile("rb")
        self.greeting = self.read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up without a word."""
        self._file.close()
        self.socket.close()

    def secure(self) -> None:
        """Go on in TLS."""
        self._file.close()
        self.socket = trusting().wrap_socket(self.socket)
        self._file = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read(self) -> str:
        """One answer, of one line or several; empty when the server hung up."""
        answer = line = self._file.readline().decode()
        while line[3:4] == "-":
            line = self._file.readline().decode()
            answer += line
        return answer.rstrip("\r\n")

    def ask(self, line: str) -> str:
        self.send(line.encode() + b"\r\n")
        return self.read()

    def begin(self, camera: str = "porch") -> None:
        """A mail whose content comes next."""
        assert self.ask("MAIL FROM:<cam@camera.local>").startswith("250")
        assert self.ask(f"RCPT TO:<{camera}@snapbus.local>").startswith("250")
        assert self.ask("DATA").startswith("354")

    def put(self, data: bytes) -> str:
        """Send one mail; the answer to it."""
        self.begin()
        self.send(data + b"\r\n.\r\n")
        return self.read()


def logged_in(port: int, camera: str = "porch", password: str = PASSWORD) -> Raw:
    """A client of any server, logged in if it is a camera."""
    raw = Raw(port)
    raw.ask("EHLO camera")
    if camera:
        said = base64.b64encode(f"\0{camera}\0{password}".encode()).decode()
        assert raw.ask(f"AUTH PLAIN {said}").startswith("235")
    return raw


@contextlib.contextmanager
def mail_door(
    folder: Path,
    section: Mapping[str, Any] | None = None,
    cameras: Mapping[str, Any] | None = None,
    max_bytes: int = 100_000,
) -> Iterator[Running]:
    """The service on free ports of the loopback, with cameras porch and yard."""
    both = {name: {"mail": {"password": PASSWORD}} for name in ("porch", "yard")}
    mails = {"host": "127.0.0.1", "port": 0, "tls_port": 0} | dict(section or {})
    behind = core(folder, {"cameras": both | dict(cameras or {}), "mail": mails})
    behind.max_bytes = max_bytes
    service = build(behind.parts)
    (source,) = service.sources
    assert isinstance(source, ServerSource)
    stop = Stop()
    thread = threading.Thread(target=source.run, args=(stop,), name="mail-under-test", daemon=True)
    thread.start()
    try:
        eventually(lambda: source.server is not None)
        assert source.server is not None
        assert source.server.ready.wait(60)
        yield Running(behind, service, source.server, stop, thread)
    finally:
        stop.set()
        thread.join(30)
        behind.journal.close()
