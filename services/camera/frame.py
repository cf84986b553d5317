"""One picture of a video stream, in a process of its own: ``python -m services.camera.frame``.

Streams are decoded by FFmpeg, which a hostile camera may crash or fill; so this happens apart, with
limits. The job comes as JSON on the standard input, where no list of processes shows its password;
the picture leaves as JPEG on the standard output, or a word of ``ENDS`` as exit status.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import resource
import signal
import sys
from fractions import Fraction
from typing import Any

import av
from av.codec.context import CodecContext
from av.error import (
    FFmpegError,
    HTTPClientError,
    HTTPForbiddenError,
    HTTPNotFoundError,
    HTTPUnauthorizedError,
)
from av.video.frame import VideoFrame

ENDS = {
    "refused": 10,  # user and password
    "missing": 11,  # no such stream
    "unreachable": 12,
    "silent": 13,
    "no video": 14,
    "broken": 15,
    "redirected": 16,
}
MEMORY = 1 << 30
"""Bytes of address space, most of it libraries: a picture of 8 megapixels takes a tenth."""
DESCRIPTORS = 64
PACKETS = 3000
"""A stream that has no whole picture in so many packets has none."""
PR_SET_PDEATHSIG = 1


def main() -> None:
    """Read the job, write the picture."""
    job = json.loads(sys.stdin.buffer.read())
    _limit(float(job["seconds"]))
    _end_at_redirects()
    try:
        picture = _jpeg(_frame(job))
    except HTTPUnauthorizedError:
        _end("refused")
    except HTTPForbiddenError:
        _end("refused")
    except (HTTPNotFoundError, HTTPClientError):
        _end("missing")
    except TimeoutError:
        _end("silent")
    except (ConnectionError, EOFError):
        _end("unreachable")
    except (FFmpegError, OSError, MemoryError):
        _end("broken")
    sys.stdout.buffer.write(picture)
    sys.stdout.buffer.flush()
    _end("")  # without closing the stream, for which some cameras let wait


def _limit(seconds: float) -> None:
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # nobody waits for it any more then
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    cpu = int(seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))


class _Redirects(logging.Handler):
    """Ends the process when FFmpeg says that it is sent elsewhere, which it says before it goes:
    a camera must not choose whom we ask."""

    def emit(self, record: logging.LogRecord) -> None:
        if "redirecting to" in record.getMessage().lower():
            _end("redirected")


def _end_at_redirects() -> None:
    av.logging.set_level(av.logging.INFO)
    log = logging.getLogger("libav")
    log.setLevel(logging.DEBUG)
    log.propagate = False
    log.addHandler(_Redirects())


def _frame(job: dict[str, Any]) -> VideoFrame:
    """The first whole picture after those that are to be thrown away."""
    quiet = str(int(float(job["silence"]) * 1e6))  # microseconds
    options = {
        "rtsp_transport": "tcp",
        "timeout": quiet,
        "protocol_whitelist": "rtsp,rtp,tcp",
        # Cameras say beforehand what they send; else FFmpeg looks on for five seconds.
        "analyzeduration": "500000",
        "fpsprobesize": "0",
    }
    with av.open(job["url"], options=options, timeout=float(job["seconds"])) as stream:
        if not stream.streams.video:
            _end("no video")
        video = stream.streams.video[0]
        video.codec_context.thread_count = 1
        if not job["warm_up"]:
            video.codec_context.skip_frame = "NONKEY"
        left = int(job["warm_up"])
        for number, packet in enumerate(stream.demux(video)):
            for frame in packet.decode():
                if isinstance(frame, VideoFrame):
                    if left <= 0:
                        return frame
                    left -= 1
            if number > PACKETS:
                _end("broken")
    raise EOFError


def _jpeg(frame: VideoFrame) -> bytes:
    encoder = CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height = frame.width, frame.height
    encoder.pix_fmt = "yuvj420p"
    encoder.time_base = Fraction(1, 25)  # it wants one
    encoder.options = {"qmin": "2", "qmax": "2"}
    ready = frame.reformat(format="yuvj420p")
    packets = [*encoder.encode(ready), *encoder.encode(None)]
    return b"".join(bytes(packet) for packet in packets)


def _end(why: str) -> None:
    sys.stdout.flush()
    os._exit(ENDS.get(why, 0))


if __name__ == "__main__":
    main()
