"""A camera of this machine (/dev/video0), by the program ffmpeg, which must be installed."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.camera.brands.adapter import Adapter, Still
from services.camera.brands.program import output
from services.camera.failures import (
    CameraError,
    Misdirected,
    Unreachable,
    WrongAnswer,
    as_camera_error,
)
from shared.http.deadline import Deadline
from shared.settings.fetch import FetchSection


class V4l2Adapter:
    """One picture of a video device."""

    def __init__(self, device: Path, resolution: str, warm_up: int) -> None:
        self._device = device
        self._resolution = resolution
        self._warm_up = warm_up

    @contextmanager
    def open(self, deadline: Deadline) -> Iterator[Still]:
        command = [self._program(), *self.arguments()]
        with as_camera_error(), output(command, deadline, _meaning) as chunks:
            yield Still("", chunks)

    def close(self) -> None:
        """Nothing is kept."""

    def arguments(self) -> list[str]:
        """What ffmpeg is told: no more than one picture, without those that warm the camera up."""
        size = ["-video_size", self._resolution] if self._resolution else []
        skip = ["-vf", f"select=gte(n\\,{self._warm_up})"] if self._warm_up else []
        return [
            *("-nostdin", "-hide_banner", "-loglevel", "error", "-f", "v4l2"),
            *(*size, "-i", str(self._device)),
            *(*skip, "-frames:v", "1", "-q:v", "2", "-f", "image2pipe", "-c:v", "mjpeg", "-"),
        ]

    def _program(self) -> str:
        """ffmpeg, if it and the device are there. Raises CameraError."""
        try:
            there = stat.S_ISCHR(self._device.stat().st_mode)
        except OSError as error:
            raise Unreachable(f"{self._device}: {error.strerror}") from None
        if not there:
            raise Misdirected(f"{self._device} is no video device")
        if not os.access(self._device, os.R_OK | os.W_OK):
            raise Misdirected(f"{self._device} may not be used by this user: see group 'video'")
        program = shutil.which("ffmpeg")
        if program is None:
            raise Misdirected("the program ffmpeg is not installed: apt install ffmpeg")
        return program


def _meaning(_status: int) -> CameraError:
    return WrongAnswer("the device gives no picture: is another program using it?")


def adapter(fetch: FetchSection) -> Adapter:
    """``path`` is the device."""
    assert fetch.path is not None  # the settings see to it
    return V4l2Adapter(fetch.path, fetch.resolution, fetch.warm_up)
