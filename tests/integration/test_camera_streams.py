"""Streams: one picture of RTSP, taken apart with limits; and devices of this machine."""

from __future__ import annotations

import io
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from services.camera.brands import adapter_for, rtsp, v4l2
from services.camera.brands.adapter import Adapter
from services.camera.brands.rtsp import COMMAND, MEANINGS
from services.camera.failures import (
    CameraError,
    CredentialsRefused,
    Misdirected,
    TooSlow,
    Unreachable,
)
from services.camera.frame import ENDS
from services.simulator.demo import Account
from services.simulator.rtsp import RtspCamera
from shared.errors import Retry
from shared.settings.fetch import FetchSection
from tests.support.asking import Place, ask, request, take
from tests.support.brand_table import Shows
from tests.support.fakes import eventually
from tests.support.ports import free_port
from tests.support.simulated import ODD, simulated, streaming
from tests.support.video import difference, h264, photograph

ACCOUNT = Account("us@er/%ä", ODD.password)
"""FFmpeg can't send a name with a colon or a quotation mark, and the settings say so."""
LOGIN = {"username": ACCOUNT.username, "password": ACCOUNT.password}


def stream(camera: RtspCamera, path: str = "/stream1", **more: Any) -> Adapter:
    section = {"url": f"rtsp://127.0.0.1:{camera.port}{path}", **LOGIN, **more}
    return adapter_for(FetchSection.model_validate({"kind": "rtsp", **section}))


@pytest.mark.promise("feat A6")
@pytest.mark.parametrize("basic", [False, True], ids=["digest", "basic"])
def test_a_stream_gives_the_picture_that_it_shows(basic: bool) -> None:
    shown = photograph()
    with streaming(ACCOUNT, stream=h264(shown), basic=basic) as camera:
        jpeg = take(stream(camera), 20)
    assert Image.open(io.BytesIO(jpeg)).size == (320, 240)
    assert difference(jpeg, shown) < 6


def test_a_name_that_ffmpeg_can_not_send_is_refused_by_the_settings() -> None:
    for name in ("us:er", 'us"er'):
        with pytest.raises(ValueError, match="can't be sent by this login"):
            FetchSection(kind="rtsp", url="rtsp://192.0.2.1/", username=name)
        assert FetchSection(kind="dahua", host="192.0.2.1", username=name)


@pytest.mark.promise("feat A11")
def test_a_stream_that_has_to_warm_up_gives_a_later_picture() -> None:
    first, second = photograph(), photograph(turned=90)
    with streaming(ACCOUNT, stream=h264(first) + h264(second)) as camera:
        at_once, later = take(stream(camera), 20), take(stream(camera, warm_up=1), 20)
    assert difference(at_once, first) < 6 < difference(at_once, second)
    assert difference(later, second) < 6 < difference(later, first)


@pytest.mark.promise("fault C2")
def test_a_stream_says_why_it_gives_no_picture() -> None:
    with streaming(ACCOUNT) as camera, streaming(ACCOUNT, mood="closed") as closed:
        with pytest.raises(CredentialsRefused, match="refuses user and password"):
            take(stream(camera, password="wrong"), 20)
        with pytest.raises(Misdirected, match="no stream at this address"):
            take(stream(camera, "/none"), 20)
        with pytest.raises(Unreachable, match="closed the connection"):
            take(stream(closed), 20)
        with simulated() as cameras, pytest.raises(Misdirected, match="no RTSP at this port"):
            take(adapter_for(FetchSection(kind="rtsp", url=f"rtsp://127.0.0.1:{cameras.port}/")))
    nobody = adapter_for(FetchSection(kind="rtsp", url=f"rtsp://127.0.0.1:{free_port()}/"))
    with pytest.raises(Unreachable, match="Connection refused"):
        take(nobody)


@pytest.mark.promise("fault C1")
def test_a_silent_stream_is_given_up_at_the_deadline() -> None:
    with streaming(ACCOUNT, mood="silent") as camera, pytest.raises(TooSlow):
        take(stream(camera), 0.5)


@pytest.mark.promise("fault C1")
def test_a_stream_that_talks_but_shows_nothing_is_given_up_and_its_process_is_gone() -> None:
    began = time.monotonic()
    with streaming(ACCOUNT, mood="half") as camera, ThreadPoolExecutor(1) as asking:
        asked = asking.submit(take, stream(camera), 2.0)
        eventually(_reads)
        with pytest.raises(TooSlow):
            asked.result()
    assert not _reads()
    assert time.monotonic() - began < 8, "its process was not waited for"


def _reads() -> bool:
    """Whether a child of this process reads a stream."""
    ours = ["ps", "-o", "args", "--ppid", str(os.getpid())]
    listed = subprocess.run(ours, capture_output=True, text=True, check=True)
    return " ".join(COMMAND[1:]) in listed.stdout


@pytest.mark.promise("find D9")
def test_dead_streams_take_no_turn_from_those_that_live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtsp, "SILENCE_S", 30.0)
    with ThreadPoolExecutor(2 * rtsp.AT_ONCE) as pool, ExitStack() as stack:
        camera = stack.enter_context(streaming(ACCOUNT))
        silent = stack.enter_context(streaming(ACCOUNT, mood="silent"))
        dead = [pool.submit(take, stream(silent), 30.0) for _ in range(2 * rtsp.AT_ONCE - 1)]
        eventually(lambda: silent.open == len(dead))
        assert take(stream(camera), 20)
        assert not any(each.done() for each in dead)


@pytest.mark.promise("find D9")
def test_waiting_for_a_turn_is_no_failure_of_the_camera(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with streaming(ACCOUNT) as camera, ExitStack() as taken:
        taken.callback(place.journal.close)
        url = f"rtsp://127.0.0.1:{camera.port}/stream1"
        service = place.service({"gate": {"kind": "rtsp", "url": url, "timeout_s": 20, **LOGIN}})
        wanted = request()
        with ExitStack() as turns:
            for _ in range(rtsp.AT_ONCE):
                turns.enter_context(rtsp._TURNS)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(rtsp, "WAIT", 0.01)
                with pytest.raises(Retry, match="streams are being read"):
                    ask(service, wanted)
        about = service.about()
        assert about["ok"] and about["cameras"]["gate"]["failures"] == 0
        assert ask(service, wanted) == [] and len(place.said) == 1, "it is put back, and comes"


@pytest.mark.promise("fault C2")
def test_a_stream_that_is_redirected_leads_nowhere() -> None:
    with streaming(ACCOUNT) as other:
        target = f"rtsp://127.0.0.1:{other.port}/stream1"
        with (
            streaming(ACCOUNT, redirect=target) as camera,
            pytest.raises(Misdirected, match="not followed"),
        ):
            take(stream(camera), 20)
        assert other.asked == 0
        assert take(stream(other), 20), "the other would have given one"


@pytest.mark.promise("inv I16")
def test_no_list_of_processes_shows_the_password_of_a_stream() -> None:
    with streaming(ACCOUNT, mood="half") as camera, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(take, stream(camera), 3.0)
        seen = eventually(lambda: next((t for t in processes() if COMMAND[-1] in t), ""))
        assert isinstance(asked.exception(10), CameraError)
    assert camera.asked
    assert "rtsp://" not in seen and ACCOUNT.username not in seen


def processes() -> list[str]:
    """The commands and the environment of all processes of ours."""
    texts = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                text = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
                texts.append(text.replace(b"\0", b" ").decode(errors="replace"))
    return texts


def test_each_end_of_the_process_has_a_meaning() -> None:
    assert sorted(MEANINGS) == sorted(ENDS.values())


@pytest.mark.promise("feat A7")
def test_a_device_that_is_none_is_told(tmp_path: Path) -> None:
    """There is no video device where tests run, so a picture of one is not tested."""
    for path, words in ((tmp_path / "video0", "No such file"), (tmp_path, "no video device")):
        with pytest.raises(CameraError, match=words):
            take(adapter_for(FetchSection(kind="v4l2", path=path)))


@pytest.mark.promise("feat A7", "feat A10", "feat A11")
def test_a_device_is_asked_for_one_picture_of_the_wanted_size_after_warming_up(
    shows: Shows,
) -> None:
    section = {"kind": "v4l2", "path": "/dev/video7", "resolution": "1280x720", "warm_up": 2}
    words = " ".join(v4l2.V4l2Adapter(Path("/dev/video7"), "1280x720", 2).arguments())
    assert FetchSection.model_validate(section).warm_up == 2
    assert "-f v4l2 -video_size 1280x720 -i /dev/video7" in words
    assert r"select=gte(n\,2) -frames:v 1" in words
    shows("Video device (V4L2)", "fetch", "the command for ffmpeg only: no device was there")
