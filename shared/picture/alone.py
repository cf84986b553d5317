"""Decodes one costly picture in a process of its own, with limits of memory and processor.

A decoder can't be stopped from outside once it has begun, nor given less memory than it takes; a
process can. So whatever a picture does by its size, its scans or a fault of a codec, it does to a
process of its own: nothing else is delayed or ended. One such process runs at a time.
"""

from __future__ import annotations

import json
import mmap
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.errors import Crashed, IncompletePicture, NotAPicture, UnsoundPicture
from shared.picture.budget import Cost
from shared.picture.format import Bytes

LONGEST_S = 30.0
"""By the clock: far more than the seconds of processor, since the machine may be busy."""
_ERRORS = {each.__name__: each for each in (NotAPicture, IncompletePicture, UnsoundPicture)}
_TURN = threading.Lock()
_ROOT = Path(__file__).parents[2]


def decode(
    picture: Bytes | Path, expected: Cost, seconds: float, *, strict: bool
) -> npt.NDArray[np.uint8]:
    """The pixels, upright. Raises PictureError, also when the limits ended it: the same picture
    would meet them again; and Crashed when it ended otherwise, which may be no fault of its own."""
    with _TURN, _source(picture) as source, _memory() as target:
        job = {
            "source": source,
            "target": target,
            "divisor": expected.divisor,
            "strict": strict,
            "memory": expected.memory,
            "seconds": seconds,
        }
        shape = _shape(_run(job, seconds), seconds)
        mapped = mmap.mmap(target, 0)
    return np.frombuffer(mapped, dtype=np.uint8).reshape(shape)


@contextmanager
def _memory() -> Iterator[int]:
    descriptor = os.memfd_create("picture")
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _source(picture: Bytes | Path) -> Iterator[int]:
    if isinstance(picture, Path):
        with picture.open("rb") as file:
            yield file.fileno()
        return
    with _memory() as descriptor, open(descriptor, "wb", closefd=False) as file:
        file.write(picture)
        file.flush()
        yield descriptor


def _run(job: dict[str, Any], seconds: float) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603  our own module
            [sys.executable, "-m", "shared.picture.child", json.dumps(job)],
            cwd=_ROOT,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            pass_fds=(job["source"], job["target"]),
            timeout=LONGEST_S + seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Crashed(f"decoding it took longer than {LONGEST_S:.0f} s") from error
    except OSError as error:
        raise Crashed(f"its decoder could not be started: {error.strerror}") from error


def _shape(done: subprocess.CompletedProcess[bytes], seconds: float) -> list[int]:
    if done.returncode in (-signal.SIGPROF, -signal.SIGXCPU):
        raise UnsoundPicture(
            f"decoding it takes more than {seconds:g} s of processor, see detector.decode_seconds"
        )
    if done.returncode < 0:
        raise Crashed(f"its decoder was ended by {signal.Signals(-done.returncode).name}")
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise Crashed(f"its decoder ended: {words[-1][:200] if words else done.returncode}")
    answer = json.loads(done.stdout)
    if "error" in answer:
        raise _ERRORS[answer["error"]](answer["text"])
    return [int(each) for each in answer["shape"]]
