"""Costly pictures are decoded alone, and ordinary ones share the memory of their process."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shared.errors import Crashed, UnsoundPicture
from shared.picture import alone
from shared.picture import decode as decoding
from shared.picture.budget import MEMORY_BYTES, Cost, Room, cost
from shared.picture.decode import Limits, decode, decode_here
from shared.picture.header import read_header
from tests.support.fakes import eventually
from tests.support.hostile import dense_jpeg, pixel_bomb, scan_bomb
from tests.support.pictures import damaged, jpeg, png, scene, with_orientation

SAMPLES = {
    "JPEG": jpeg(),
    "progressive, restarts": jpeg(progressive=True, restart_marker_rows=1),
    "on its side": with_orientation(scene(96, 64), 6),
    "grey": jpeg(scene(64, 48).convert("L")),
    "CMYK": jpeg(scene(64, 48).convert("CMYK")),
    "PNG": png(),
    "PNG on its side": with_orientation(scene(96, 64), 8, "PNG"),
    "16 bits": png(Image.fromarray(np.full((17, 31), 0x80FF, dtype=np.uint16))),
}


def _cost(data: bytes, divisor: int = 1, memory: int = MEMORY_BYTES) -> Cost:
    return replace(cost(read_header(data), len(data), divisor, simple=False), memory=memory)


@pytest.mark.promise("fault D3", "fault D8")
@pytest.mark.parametrize("divisor", [1, 4])
@pytest.mark.parametrize("data", SAMPLES.values(), ids=SAMPLES)
def test_alone_gives_the_pixels_that_would_be_given_here(data, divisor, tmp_path):
    here = decode_here(memoryview(data), read_header(data), divisor, strict=True)
    path = tmp_path / "picture"
    path.write_bytes(data)
    for source in (data, path):
        pixels = alone.decode(source, _cost(data, divisor), 5, strict=True)
        assert np.array_equal(pixels, here)


@pytest.mark.promise("fault D3", "fault D8")
def test_alone_refuses_a_damaged_picture_in_the_same_words():
    data = damaged(jpeg())["flipped bytes"]
    with pytest.raises(UnsoundPicture) as here:
        decode_here(memoryview(data), read_header(data), 1, strict=True)
    with pytest.raises(UnsoundPicture) as there:
        alone.decode(data, _cost(data), 5, strict=True)
    assert str(there.value) == str(here.value)


@pytest.mark.promise("find H2", "sec V1", "fault D3")
def test_a_decode_that_takes_too_long_is_ended():
    data = scan_bomb(5000, 39)
    with pytest.raises(UnsoundPicture, match=r"more than 0\.05 s of processor"):
        decode(data, Limits(seconds=0.05))


@pytest.mark.promise("find H3", "sec V1", "fault D3")
@pytest.mark.parametrize("data", [pixel_bomb(6000, 5000), dense_jpeg(2000)], ids=["PNG", "JPEG"])
def test_a_decode_that_takes_more_memory_than_was_reckoned_is_ended(data):
    with pytest.raises(UnsoundPicture, match=r"memory|does not decode"):
        alone.decode(data, _cost(data, 1, memory=-(60 * 2**20)), 5, strict=True)


def child() -> int:
    """The process that decodes for this one."""
    for children in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):  # it ended just now
            for pid in children.read_text().split():
                if b"shared.picture.child" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return int(pid)
    return 0


@pytest.mark.promise("sec V1", "fault D3")
def test_a_decoder_that_crashes_ends_only_its_own_process():
    data = scan_bomb(5000, 39)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(decode, data, Limits(seconds=20))
        os.kill(eventually(child), signal.SIGSEGV)
        with pytest.raises(Crashed, match="SIGSEGV"):
            answer.result(20)


@pytest.mark.promise("find H3", "sec V1")
def test_ordinary_decodes_wait_for_memory_and_keep_their_order():
    room, go = Room(100), threading.Event()
    order: list[str] = []

    def use(name: str, size: int) -> None:
        with room.reserve(size):
            order.append(name)
            go.wait(10)

    with ThreadPoolExecutor(4) as pool:
        users = []
        for name, size in (("a", 60), ("b", 30)):
            users.append(pool.submit(use, name, size))
        eventually(lambda: sorted(order) == ["a", "b"])
        users.append(pool.submit(use, "large", 100))
        eventually(room._turn.locked)
        users.append(pool.submit(use, "small", 5))
        assert len(order) == 2  # although there is room for the small one
        go.set()
        for user in users:
            user.result(10)
    assert order[2:] == ["large", "small"]


@pytest.mark.promise("find H3")
def test_what_is_decoded_here_reserves_its_memory(monkeypatch):
    room = Room(1)
    monkeypatch.setattr(decoding, "ROOM", room)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(decode, jpeg())
        with pytest.raises(TimeoutError):
            waiting.result(0.3)
        with room._freed:
            room._free += 10**6
            room._freed.notify()
        assert waiting.result(10).width == 320
