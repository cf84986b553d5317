"""What the pipeline benchmark measures with: cameras that push, ears that count, clocks."""

from __future__ import annotations

import ftplib
import io
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pika
from PIL import Image

from services.detector.engines.choose import choose, open_engine
from services.simulator.scenes import Scene
from shared.journal import Journal
from shared.picture.decode import Limits, decode
from shared.settings.detector import DetectorSection
from tests.support.amqp import Witness
from tests.support.fakes import eventually
from tests.support.ports import free_ports

CLIENTS = 4
PACE_PER_S = 5


def picture(seed: int) -> bytes:
    """A 1080p JPEG of about 300 kB: a drawn scene with a sensor's noise."""
    random = np.random.default_rng(seed)
    moment = datetime(2026, 6, 1, 12, seed, tzinfo=UTC)
    scene = np.asarray(Scene("porch", (1920, 1080)).at(moment).image, np.int16)
    noisy = scene + random.normal(0, 5, (1080, 1920, 1)).astype(np.int16)
    buffer = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def upload(port: int, name: str, data: bytes) -> None:
    """As cameras do: a login for each picture."""
    with ftplib.FTP() as client:
        client.connect("127.0.0.1", port, timeout=60)
        client.login("porch", "porch-pw")
        client.storbinary(f"STOR {name}", io.BytesIO(data))


class Heard:
    """Counts messages of an exchange, with the time each came."""

    def __init__(self, url: str, exchange: str, binding: str) -> None:
        self.witness = Witness(url, exchange, binding)

    def count(self) -> int:
        return len(self.witness.heard)

    def wait(self, count: int) -> None:
        eventually(lambda: self.count() >= count, timeout=300, message=f"{count} results")


class Analysed:
    """Counts the pictures that a journal says are analysed."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def count(self) -> int:
        states = [
            each for camera in self._journal.read.counts().values() for each in camera.items()
        ]
        return sum(count for state, count in states if state != "taken")

    def wait(self, count: int) -> None:
        eventually(lambda: self.count() >= count, timeout=300, message=f"{count} analysed")


def saturate(port: int, heard: Heard | Analysed, pictures: list[bytes], label: str) -> float:
    """Results a second when several cameras push all at once."""
    before = heard.count()
    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        jobs = [
            pool.submit(upload, port, f"{label}{number}.jpg", data)
            for number, data in enumerate(pictures)
        ]
        for job in jobs:
            job.result()
    heard.wait(before + len(pictures))
    return len(pictures) / (time.perf_counter() - began)


def bare_detector(section: DetectorSection, folder: Path) -> Callable[[bytes], None]:
    """Decode and detector with the settings of a system, and nothing else."""
    engine = open_engine(choose(section), section, folder)
    limits = Limits(section.max_pixels, section.strict, section.decode_seconds)

    def detect(data: bytes) -> None:
        engine.detect(decode(data, limits, fit=engine.size).pixels)

    return detect


def alone(detect: Callable[[bytes], None], pictures: list[bytes], streams: int) -> float:
    """Pictures a second of decode and detector in this process."""
    began = time.perf_counter()
    with ThreadPoolExecutor(streams) as pool:
        list(pool.map(detect, pictures))
    return len(pictures) / (time.perf_counter() - began)


def paced(
    act: Callable[[bytes, str], float], pictures: list[bytes], count: int, label: str
) -> list[float]:
    """The times in ms that ``act`` returns for picture after picture, at the pace."""
    times = []
    began = time.perf_counter()
    for number in range(count):
        wait = began + number / PACE_PER_S - time.perf_counter()
        threading.Event().wait(max(0.0, wait))
        times.append(act(pictures[number % len(pictures)], f"{label}{number}.jpg"))
    return times


def through(port: int, heard: Heard, name: str, data: bytes) -> float:
    """From the beginning of an upload to its heard result, in ms."""
    before = heard.count()
    began = time.perf_counter()
    upload(port, f"p{name}", data)
    while heard.count() == before:
        time.sleep(0.0002)
    return (time.perf_counter() - began) * 1000


def quantile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


@contextmanager
def bare_ftp(folder: Path) -> Iterator[int]:
    """The stock server in a process of its own, doing nothing with what it gets."""
    (port,) = free_ports(1)
    code = (
        "from pyftpdlib.authorizers import DummyAuthorizer as A;"
        "from pyftpdlib.handlers import FTPHandler as H;"
        "from pyftpdlib.servers import FTPServer as S;"
        f"a=A();a.add_user('porch','porch-pw',{str(folder)!r},perm='elradfmw');H.authorizer=a;"
        f"S(('127.0.0.1',{port}),H).serve_forever()"
    )
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code], stderr=subprocess.DEVNULL
    )
    try:
        eventually(lambda: listens(port), timeout=20)
        yield port
    finally:
        process.kill()
        process.wait()


def listens(port: int) -> bool:
    try:
        with ftplib.FTP() as client:
            client.connect("127.0.0.1", port, timeout=1)
            return True
    except OSError:
        return False


def hop(url: str) -> Callable[[], float]:
    """One confirmed 1 KB message through a quorum queue to a consumer, in ms."""
    parameters = pika.URLParameters(url)
    sender = pika.BlockingConnection(parameters).channel()
    sender.queue_declare("hop", durable=True, arguments={"x-queue-type": "quorum"})
    sender.confirm_delivery()
    came = threading.Event()

    def consume() -> None:
        channel = pika.BlockingConnection(parameters).channel()
        channel.basic_consume("hop", lambda *_: came.set(), auto_ack=True)
        channel.start_consuming()

    threading.Thread(target=consume, daemon=True).start()

    def send() -> float:
        came.clear()
        began = time.perf_counter()
        sender.basic_publish(
            "", "hop", b"x" * 1024, pika.BasicProperties(delivery_mode=2), mandatory=True
        )
        assert came.wait(10)
        return (time.perf_counter() - began) * 1000

    return send


def timed(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000
