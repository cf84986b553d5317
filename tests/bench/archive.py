"""Filing: pictures a second into each kind of archive, beside a bare loop of its client library.

The peers run in this process: a folder of this disk, a simulated Google; moto beside it. The bare
client writes one after the other and proves nothing; ours goes with as many threads as the service,
proves each picture before and after it is sent, syncs folders, and records ids in Drive first. So
the ratio has no target: it tells what the promises cost where the peer takes no time at all.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from itertools import count
from pathlib import Path

from services.drive.archives.archive import Archive, Filing
from services.drive.archives.folder import FolderArchive
from tests.bench.camera_pictures import full_hd
from tests.bench.results import Row, ratios
from tests.support.google import pydrive
from tests.support.google_archive import TIME, GoogleRig
from tests.support.s3rig import S3Rig

PICTURES, ROUNDS = 24, 3
NUMBERS = count()
Put = Callable[[int], None]


def run() -> Iterator[Row]:
    """Row 15."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as ends:
        folder = Path(name)
        source = folder / "picture"
        source.write_bytes(full_hd())
        for measure in (_folder, _google, _s3):
            yield measure(folder, source, ends)


def _folder(folder: Path, source: Path, _ends: ExitStack) -> Row:
    archive = FolderArchive(folder / "archive")
    archive.prepare(first=True)
    bare = folder / "bare"
    bare.mkdir()

    def copy(number: int) -> None:
        with (bare / f"{number}.jpg").open("wb") as file:
            file.write(source.read_bytes())
            file.flush()
            os.fsync(file.fileno())

    return _row("a folder", archive, source, copy, 2)


def _google(folder: Path, source: Path, ends: ExitStack) -> Row:
    rig = ends.enter_context(closing(GoogleRig(folder / "google")))
    drive = ends.enter_context(pydrive(rig.google))
    drive.GetAbout()  # logs in

    def upload(number: int) -> None:
        file = drive.CreateFile({"title": f"{number}.jpg", "mimeType": "image/jpeg"})
        file.content = io.BytesIO(source.read_bytes())
        file.Upload()

    return _row("Google Drive", rig.archive, source, upload, 4)


def _s3(folder: Path, source: Path, ends: ExitStack) -> Row:
    rig = ends.enter_context(closing(S3Rig(folder)))
    pail = rig.pail

    def put(number: int) -> None:
        pail.put(f"bare/{number}.jpg", source.read_bytes())

    return _row("S3", rig.archive, source, put, 2)


def _row(kind: str, archive: Archive, source: Path, bare: Put, threads: int) -> Row:
    base = partial(_seconds, bare, 1)
    ours = partial(_seconds, partial(_file, archive, source), threads)
    base()
    ours()  # folders, tokens and connections are there from here on
    ((ratio, base_s, ours_s),) = ratios(base, ours, rounds=ROUNDS)
    detail = f"{PICTURES / ours_s:.0f} and {PICTURES / base_s:.0f} /s"
    return Row(15, f"filed in {kind} /s beside its bare client", ratio, detail=detail)


def _seconds(put: Put, threads: int) -> float:
    numbers = [next(NUMBERS) for _ in range(PICTURES)]
    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(put, numbers))
    return time.perf_counter() - began


def _file(archive: Archive, source: Path, number: int) -> None:
    data = source.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    archive.file(Filing(f"id{number}", "porch", TIME, "image/jpeg", digest, len(data), source))
