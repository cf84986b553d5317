"""A program whose output is a picture; it ends with the deadline."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from services.camera.failures import CameraError
from shared.http.deadline import Deadline

CHUNK_BYTES = 65_536
_ROOT = Path(__file__).parents[3]


@contextmanager
def output(
    command: Sequence[str],
    deadline: Deadline,
    meaning: Callable[[int], CameraError],
    job: bytes = b"",
) -> Iterator[Iterator[bytes]]:
    """What the program writes, when it is given ``job`` on its standard input. At its end a status
    that is not 0 raises its ``meaning``."""
    with subprocess.Popen(  # noqa: S603  no shell, and no word of the command is a stranger's
        command,
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as child:
        try:
            with deadline.cutting(child.kill):
                assert child.stdin
                with suppress(BrokenPipeError):  # its end says why
                    child.stdin.write(job)
                    child.stdin.close()
                yield _chunks(child, deadline, meaning)
        finally:
            child.kill()


def _chunks(
    child: subprocess.Popen[bytes], deadline: Deadline, meaning: Callable[[int], CameraError]
) -> Iterator[bytes]:
    assert child.stdout
    while chunk := child.stdout.read(CHUNK_BYTES):
        yield chunk
    status = child.wait()
    if deadline.over:
        raise deadline.too_slow()
    if status:
        raise meaning(status)
