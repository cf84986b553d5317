"""Photographs by every client of FTP in every mode it has: content, camera and time. The same
twenty by each client, and a few of them in its other modes.

Left out is curl in active mode with TLS: that of Debian 12 (7.88) sends its data in the clear then.
"""

from __future__ import annotations

import ftplib
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.camera_scripts import microcontroller, strict
from tests.support.ftpdoor import PASSWORD, Running, ftp_door
from tests.support.ftps import trusting

COUNT, FEW = 20, 3
BEGAN = datetime(2026, 10, 31, 7, 0, tzinfo=UTC)
Put = Callable[[int, list[Path]], None]


def run(*command: str | Path, given: str = "") -> str:
    """Run a program that must succeed; what it printed."""
    found = shutil.which(str(command[0]))
    assert found, f"{command[0]} is not installed; tasks/test-programs installs it"
    done = subprocess.run(
        [found, *map(str, command[1:])],
        input=given,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def curl(*options: str) -> Put:
    def put(port: int, files: list[Path]) -> None:
        both = [
            part
            for file in files
            for part in ("-T", str(file), f"ftp://127.0.0.1:{port}/snap/{file.name}")
        ]
        login = ("-u", f"gate:{PASSWORD}", "--ftp-create-dirs", *options)
        run("curl", "-sS", "--fail-early", *login, *both)

    return put


def lftp(*settings: str, put: str = "mput") -> Put:
    def send(port: int, files: list[Path]) -> None:
        always = ("ftp:ssl-allow no", "net:max-retries 1", "cmd:fail-exit yes")
        script = "".join(f"set {each}\n" for each in (*always, *settings))
        script += f"mkdir -p snap\ncd snap\n{put} {' '.join(map(str, files))}\n"
        run("lftp", "-u", f"gate,{PASSWORD}", "-p", str(port), "127.0.0.1", given=script)

    return send


def tnftp(*commands: str) -> Put:
    def put(port: int, files: list[Path]) -> None:
        lines = [f'user gate "{PASSWORD}"', "binary", *commands, "mkdir snap", "cd snap"]
        lines += [f"put {file} {file.name}" for file in files]
        run("tnftp", "-n", "127.0.0.1", str(port), given="\n".join([*lines, "bye", ""]))

    return put


def busybox(port: int, files: list[Path]) -> None:
    for file in files:
        login = ("-u", "gate", "-p", PASSWORD, "-P", str(port))
        run("busybox", "ftpput", *login, "127.0.0.1", f"snap/{file.name}", file)


def library(passive: bool = True, secure: bool = False, command: str = "STOR") -> Put:
    def put(port: int, files: list[Path]) -> None:
        with ftplib.FTP_TLS(context=trusting()) if secure else ftplib.FTP() as ftp:
            ftp.connect("127.0.0.1", port, timeout=20)
            ftp.login("gate", PASSWORD)
            ftp.set_pasv(passive)
            if isinstance(ftp, ftplib.FTP_TLS):
                ftp.prot_p()
            ftp.mkd("snap")
            ftp.cwd("snap")
            for file in files:
                with file.open("rb") as content:
                    ftp.storbinary(f"{command} {file.name}", content)

    return put


def script(module: object, mode: str) -> Put:
    def put(port: int, files: list[Path]) -> None:
        program = str(module.__file__)  # type: ignore[attr-defined]
        uploads = [f"{file}=snap/{file.name}" for file in files]
        out = run(sys.executable, program, "127.0.0.1", str(port), "gate", PASSWORD, mode, *uploads)
        assert [line[:3] for line in out.splitlines()] == ["226"] * len(files)

    return put


CLIENTS: dict[str, Put] = {
    "curl EPSV": curl(),
    "curl PASV": curl("--disable-epsv"),
    "curl EPRT": curl("-P", "-"),
    "curl PORT": curl("-P", "-", "--disable-eprt"),
    "curl APPE": curl("--append"),
    "curl single folders": curl("--ftp-method", "multicwd"),
    "curl no folders": curl("--ftp-method", "nocwd"),
    "curl TLS": curl("-k", "--ssl-reqd"),
    "curl TLS of commands only": curl("-k", "--ftp-ssl-control"),
    "lftp PASV": lftp("ftp:prefer-epsv no"),
    "lftp EPSV": lftp("ftp:prefer-epsv yes"),
    "lftp active": lftp("ftp:passive-mode off"),
    "lftp TLS": lftp("ftp:ssl-allow yes", "ftp:ssl-force yes", "ssl:verify-certificate no"),
    "lftp four at a time": lftp(put="mput -P 4"),
    "tnftp EPSV": tnftp("passive on"),
    "tnftp PASV": tnftp("passive on", "epsv4 off"),
    "tnftp EPRT": tnftp("passive off"),
    "tnftp PORT": tnftp("passive off", "epsv4 off"),
    "busybox": busybox,
    "ftplib PASV": library(),
    "ftplib PORT": library(passive=False),
    "ftplib TLS": library(secure=True),
    "ftplib TLS PORT": library(passive=False, secure=True),
    "ftplib APPE": library(command="APPE"),
    **{f"board {mode}": script(microcontroller, mode) for mode in ("pasv", "epsv", "stou")},
    **{
        f"strict camera {mode}": script(strict, mode)
        for mode in ("pasv", "port", "eprt", "appe", "rename")
    },
}


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    login = {"password": PASSWORD, "active": True, "timezone": "Asia/Kolkata"}
    folder = tmp_path_factory.mktemp("modes")
    with ftp_door(folder, cameras={"gate": {"ftp": login}}, max_bytes=10**7) as door:
        yield door


@pytest.fixture(scope="module")
def photographs(test_data: Path) -> list[bytes]:
    """Twenty that are not alike."""
    found = sorted((test_data / "coco128").rglob("*.jpg"))[:COUNT]
    assert len(found) == COUNT
    return [each.read_bytes() for each in found]


def name_at(number: int) -> str:
    """Of a picture taken so many minutes later, by a clock in India."""
    local = BEGAN + timedelta(hours=5, minutes=30 + number)
    return f"MDAlarm_{local:%Y%m%d-%H%M%S}.jpg"


ALL = {
    "curl PASV",
    "lftp PASV",
    "tnftp PASV",
    "busybox",
    "ftplib PASV",
    "board pasv",
    "strict camera pasv",
}
"""One mode of each client."""


@pytest.mark.promise("feat B1", "feat B2", "feat B18", "inv I1", "inv I2", "fault F13")
@pytest.mark.parametrize("client", CLIENTS)
def test_photographs_arrive_whole_of_the_right_camera_and_time(
    client: str, door: Running, photographs: list[bytes], tmp_path: Path
):
    before = len(door.core.journal.read.snapshots(limit=10_000))
    files, wanted = [], {}
    some = photographs if client in ALL else photographs[:FEW]
    for number, content in enumerate(some):
        file = tmp_path / name_at(number)
        # Of each client: the same bytes of the same time would be known already.
        own = content + f"\n{client}".encode()
        file.write_bytes(own)
        files.append(file)
        wanted[BEGAN + timedelta(minutes=number)] = hashlib.sha256(own).hexdigest()
    CLIENTS[client](door.port, files)
    rows = door.core.journal.read.snapshots(limit=10_000)
    rows = rows[: len(rows) - before]
    assert len(rows) == len(some)
    assert {row.captured_at: row.sha256 for row in rows} == wanted
    assert {(row.camera, row.captured_by, row.trigger) for row in rows} == {
        ("gate", "name", "motion")
    }
    assert all(row.name.startswith("snap/") for row in rows)
    for row in rows:
        stored = door.core.store.read(row.sha256)
        assert hashlib.sha256(stored).hexdigest() == row.sha256
