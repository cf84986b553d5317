"""Senders as stubborn as cameras: each sends again until it is told that its picture is safe."""

from __future__ import annotations

import ftplib
import hashlib
import io
import smtplib
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import numpy as np
import pika
from PIL import Image

from shared.envelope import CONTENT_TYPE, encode
from shared.events import SnapshotRequested
from tests.support.maildoor import mail

PASSWORD = "porch-pw"
PAUSE_S = 0.05


class Pictures:
    """Small sound JPEGs, each with bytes of its own, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._lock = threading.Lock()
        self._numbers = count()

    def next(self) -> tuple[str, bytes]:
        """A name and the bytes."""
        with self._lock:
            pixels = self._random.integers(0, 256, (40, 48, 3), np.uint8)
            number = next(self._numbers)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=60)
        return f"picture{number:05d}.jpg", buffer.getvalue()


class Feed(threading.Thread):
    """Hands over ``number`` pictures. ``sent`` and ``acknowledged`` hold hashes of files, or ids
    of requests where ``by_request``."""

    by_request = False

    def __init__(self, number: int) -> None:
        super().__init__(name=type(self).__name__, daemon=True)
        self.number = number
        self.attempts = 0
        self.sent: set[str] = set()
        self.acknowledged: set[str] = set()
        self._halt = threading.Event()

    def run(self) -> None:
        for _ in range(self.number):
            self.one()

    def one(self) -> None:
        """Hand over one."""

    def insist(self, key: str, attempt: Callable[[], None]) -> None:
        """Try until it is acknowledged, or halted."""
        self.sent.add(key)
        while not self._halt.is_set():
            self.attempts += 1
            try:
                attempt()
            except (OSError, EOFError, ftplib.Error, urllib.error.HTTPError):
                self._halt.wait(PAUSE_S)
            else:
                self.acknowledged.add(key)
                return

    def halt(self) -> None:
        self._halt.set()
        self.join(30)


class FtpFeed(Feed):
    """A camera that logs in for each picture."""

    def __init__(self, number: int, port: int, pictures: Pictures) -> None:
        super().__init__(number)
        self._port = port
        self._pictures = pictures

    def one(self) -> None:
        name, data = self._pictures.next()

        def upload() -> None:
            with ftplib.FTP() as client:
                client.connect("127.0.0.1", self._port, timeout=20)
                client.login("porch", PASSWORD)
                client.storbinary(f"STOR {name}", io.BytesIO(data))

        self.insist(hashlib.sha256(data).hexdigest(), upload)


class MailFeed(Feed):
    """Mails each picture."""

    def __init__(self, number: int, port: int, pictures: Pictures) -> None:
        super().__init__(number)
        self._port = port
        self._pictures = pictures

    def one(self) -> None:
        name, data = self._pictures.next()
        key = hashlib.sha256(data).hexdigest()
        message = mail(data, message_id=f"<{key}@attic>", _0=name)

        def attempt() -> None:
            with smtplib.SMTP("127.0.0.1", self._port, timeout=20) as smtp:
                smtp.login("attic", PASSWORD)
                smtp.sendmail("attic@camera", ["attic@snapbus"], message)

        self.insist(key, attempt)


class FolderFeed(Feed):
    """A program that leaves files in a folder; one that is gone was taken."""

    def __init__(self, number: int, folder: Path, pictures: Pictures) -> None:
        super().__init__(number)
        self._folder = folder
        self._pictures = pictures

    def one(self) -> None:
        name, data = self._pictures.next()
        part = self._folder / f"{name}.part"
        part.write_bytes(data)
        final = part.rename(self._folder / name)

        def look() -> None:
            if final.exists():
                raise FileExistsError

        self.insist(hashlib.sha256(data).hexdigest(), look)


class AskingFeed(Feed):
    """Somebody who presses the page's button."""

    by_request = True

    def __init__(self, number: int, port: int) -> None:
        super().__init__(number)
        self._url = f"http://127.0.0.1:{port}/v1/cameras/gate/snapshots"

    def one(self) -> None:
        while not self._halt.is_set():
            self.attempts += 1
            request = urllib.request.Request(
                self._url, b"{}", {"Content-Type": "application/json"}, method="POST"
            )
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    place = answer.headers["Location"]
                self.acknowledged.add(place.rpartition("/")[2])
                return
            except OSError:
                self._halt.wait(PAUSE_S)


class BusFeed(Feed):
    """Another program that asks for pictures by messages."""

    by_request = True

    def __init__(self, number: int, url: str, marks: Pictures) -> None:
        super().__init__(number)
        self._url = url
        self._marks = marks

    def one(self) -> None:
        mark, _ = self._marks.next()
        data = SnapshotRequested(camera="gate", reason="manual", requested_by="test")
        event = data.event(subject="gate", cause=f"{mark} {datetime.now(UTC)}")

        def publish() -> None:
            connection = pika.BlockingConnection(pika.URLParameters(self._url))
            channel = connection.channel()
            channel.confirm_delivery()
            properties = pika.BasicProperties(content_type=CONTENT_TYPE, delivery_mode=2)
            channel.basic_publish(
                "snapbus", event.routing_key, encode(event), properties, mandatory=True
            )
            connection.close()

        self.insist(event.id, publish)


class NoFeed(Feed):
    """Nobody sends: a clock asks. ``requests`` are those that it must make."""

    by_request = True

    def __init__(self, requests: set[str]) -> None:
        super().__init__(0)
        self.sent = self.acknowledged = requests
