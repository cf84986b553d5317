"""The process in which a costly picture is decoded: ``python -m shared.picture.child <job>``.

It gets the file and the memory for the pixels as open descriptors, and answers on its standard
output; see shared/picture/alone.py.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

from shared.errors import PictureError
from shared.picture.decode import decode_here
from shared.picture.header import read_header

SPARE_BYTES = 64 * 2**20
"""Address space beyond what was reckoned, for what libraries keep beside."""
DESCRIPTORS = 32


def main() -> None:
    """Decode one picture within its limits."""
    job = json.loads(sys.argv[1])
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # libraries print as they please
    with (
        mmap.mmap(job["source"], 0, access=mmap.ACCESS_READ) as mapped,
        memoryview(mapped) as data,
    ):
        _limit(job["memory"], job["seconds"])
        try:
            answer = _decoded(data, job)
        except PictureError as error:
            answer = {"error": type(error).__name__, "text": str(error)}
        except MemoryError:
            answer = {"error": "UnsoundPicture", "text": "decoding it takes too much memory"}
    json.dump(answer, out)
    out.close()


def _limit(memory: int, seconds: float) -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * mmap.PAGESIZE + memory + SPARE_BYTES
    _lower(resource.RLIMIT_AS, most)
    _lower(resource.RLIMIT_NOFILE, DESCRIPTORS)
    _lower(resource.RLIMIT_CORE, 0)
    # The timer counts fractions of a second, and from here on; the limit stands behind it.
    spent = resource.getrusage(resource.RUSAGE_SELF)
    _lower(resource.RLIMIT_CPU, math.ceil(spent.ru_utime + spent.ru_stime + seconds) + 1)
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _lower(limit: int, most: int) -> None:
    """The parent may have a limit of its own, which can't be raised."""
    _soft, hard = resource.getrlimit(limit)
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.setrlimit(limit, (most, most))


def _decoded(data: memoryview, job: dict[str, Any]) -> dict[str, Any]:
    header = read_header(data)
    pixels = decode_here(data, header, job["divisor"], strict=job["strict"])
    os.ftruncate(job["target"], pixels.nbytes)
    with mmap.mmap(job["target"], pixels.nbytes) as mapped:
        target = np.frombuffer(mapped, dtype=np.uint8).reshape(pixels.shape)
        np.copyto(target, pixels)
        del target
    return {"shape": pixels.shape}


if __name__ == "__main__":
    main()
