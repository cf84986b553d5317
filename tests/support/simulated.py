"""Simulated cameras of one brand, or of all, on a free port of their own."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from services.simulator.demo import Account
from services.simulator.devices.device import Device
from services.simulator.http import HttpCameras
from services.simulator.pictures import Pictures
from services.simulator.rtsp import RtspCamera
from tests.support.fakes import eventually

ODD = Account('us@er/%ä"', 'p@:/%ä&#"\\€')
"""A login with all that is awkward in headers, queries, XML and JSON; Basic has no ':' in names."""


@contextmanager
def simulated(*devices: Device, tls: ssl.SSLContext | None = None) -> Iterator[HttpCameras]:
    """The devices, served."""
    cameras = HttpCameras("127.0.0.1", 0, devices, tls=tls)
    with running(cameras.run):
        eventually(lambda: cameras.port)
        yield cameras


@contextmanager
def streaming(account: Account = ODD, **more: Any) -> Iterator[RtspCamera]:
    """A camera with a stream, served."""
    camera = RtspCamera("127.0.0.1", 0, account, **more)
    with running(camera.run):
        eventually(lambda: camera.port)
        yield camera


@contextmanager
def running(run: Callable[[threading.Event], None]) -> Iterator[None]:
    """A source at work."""
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(stop,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def base_of(cameras: HttpCameras, scheme: str = "http") -> str:
    """Their address."""
    return f"{scheme}://127.0.0.1:{cameras.port}"


def device(kind: Callable[..., Any], photos: Path, account: Account = ODD, **more: Any) -> Any:
    """A device that shows the photographs."""
    return kind(account, Pictures("test", photos), **more)
