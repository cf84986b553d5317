"""Clients of FTP: real programs, and the ways of some cameras."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
from datetime import UTC, datetime
from ftplib import error_perm, error_temp
from pathlib import Path

import pytest

from tests.support.ftpdoor import PASSWORD, ftp_door
from tests.support.making import picture


def run(*command: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, input=given, capture_output=True, text=True, timeout=60, check=False
    )


def client(name: str) -> str:
    path = shutil.which(name)
    assert path, f"{name} is not installed; tests/requirements of the system name it"
    return path


@pytest.fixture
def photo(tmp_path) -> Path:
    path = tmp_path / "MDAlarm_20260301-101112.jpg"
    path.write_bytes(picture(7) + bytes(50_000))
    return path


@pytest.mark.promise("feat B1")
@pytest.mark.promise("feat B2")
@pytest.mark.promise("inv I1")
def test_curl_puts_a_picture(door, photo):
    url = f"ftp://127.0.0.1:{door.port}/snap/{photo.name}"
    done = run(
        client("curl"), "-sS", "--ftp-create-dirs", "-T", str(photo), "-u", f"porch:{PASSWORD}", url
    )
    assert done.returncode == 0, done.stderr
    assert door.stored(photo.name) == photo.read_bytes()
    (row,) = door.core.journal.read.snapshots()
    assert (row.camera, row.door, row.name) == ("porch", "ftp", f"snap/{photo.name}")
    assert row.sha256 == hashlib.sha256(photo.read_bytes()).hexdigest()
    assert [event.topic for event in door.core.told] == ["snapshot.taken"]


@pytest.mark.promise("feat B1")
def test_lftp_makes_folders_puts_renames_and_lists(door, photo):
    script = f"""
set ftp:ssl-allow no; set net:max-retries 1; set cmd:fail-exit yes
mkdir -p a/b/c
cd a/b/c
put {photo} -o x.tmp
mv x.tmp x.jpg
cls -1
"""
    done = run(client("lftp"), "-u", f"porch,{PASSWORD}", f"127.0.0.1:{door.port}", given=script)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["x.jpg"]
    assert door.names() == ["a/b/c/x.tmp"]
    assert door.stored("x.tmp") == photo.read_bytes()


@pytest.mark.promise("feat B1")
@pytest.mark.parametrize("mode", ["binary", "ascii"])
def test_tnftp_puts_a_picture_whatever_it_says_of_its_type(door, photo, mode):
    done = run(
        client("tnftp"),
        "-n",
        "127.0.0.1",
        str(door.port),
        given=f'user porch "{PASSWORD}"\n{mode}\nput {photo} x.jpg\nbye\n',
    )
    assert done.returncode == 0, done.stderr
    # In ASCII mode the client itself adds \r to each \n; the server changes nothing.
    changed = photo.read_bytes().replace(b"\n", b"\r\n")
    assert door.stored("x.jpg") in (photo.read_bytes(), changed)


@pytest.mark.promise("feat B18")
def test_the_time_in_the_name_is_the_time_of_the_picture(tmp_path):
    cameras = {"porch": {"ftp": {"password": PASSWORD, "timezone": "Europe/Berlin"}}}
    with ftp_door(tmp_path, cameras=cameras) as door, door.client() as ftp:
        ftp.storbinary("STOR MDAlarm_20260301-101112.jpg", io.BytesIO(picture(1)))
        ftp.storbinary("STOR snapshot.jpg", io.BytesIO(picture(2)))
        later, first = door.core.journal.read.snapshots()
    assert first.captured_at == datetime(2026, 3, 1, 9, 11, 12, tzinfo=UTC)
    assert (first.captured_by, later.captured_by) == ("name", "arrival")


def test_dahua_reserves_space_and_is_told_200(door):
    with door.raw() as raw:
        assert raw.ask("ALLO 123456").startswith("200")
        assert raw.ask("CLNT camera").startswith("200")


def test_a_foscam_walks_down_its_folders_each_time(door):
    for number in range(2):
        with door.client() as ftp:
            for folder in ("FI9821W_C4D6553CA13C", "snap"):
                ftp.mkd(folder)
                ftp.mkd(folder)
                ftp.cwd(folder)
            ftp.storbinary(f"STOR MDAlarm_20260301-10111{number}.jpg", io.BytesIO(picture(number)))
    assert len(door.names()) == 2


def test_a_folder_of_yesterday_is_there_today(door):
    with door.client() as ftp:
        ftp.cwd("snap/2026")
        assert ftp.pwd() == "/snap/2026"


def test_a_busybox_asks_in_lower_case(door):
    with door.raw("") as raw:
        assert raw.ask("user porch").startswith("331")
        assert raw.ask(f"pass {PASSWORD}").startswith("230")
        assert raw.ask("epsv").startswith("229")
        assert raw.ask("type i").startswith("200")
        assert raw.ask("noop").startswith("200")


def test_lines_may_end_without_carriage_return(door):
    with door.raw("") as raw:
        raw.socket.sendall(b"USER porch\n")
        assert raw.read().startswith("331")


@pytest.mark.parametrize(
    "kind", ["A", "I", "A N", "L 8", "i", "E"], ids=lambda kind: kind.replace(" ", "_")
)
def test_every_type_means_bytes_as_they_come(door, kind):
    content = picture(1) + b"\r\n\n\r" * 100
    with door.raw() as raw:
        assert raw.ask(f"TYPE {kind}").startswith("200")
        assert raw.put("x.jpg", content).startswith("226")
    assert door.stored("x.jpg") == content


@pytest.mark.parametrize("command", ["STOR", "APPE"])
@pytest.mark.promise("fault F6")
def test_every_upload_is_a_whole_file(door, command):
    with door.raw() as raw:
        assert raw.put("x.jpg", picture(1), command).startswith("226")
        assert raw.put("x.jpg", picture(2), command).startswith("226")
    assert len(door.names()) == 2


def test_ftplib_raises_what_the_answers_mean(door):
    with door.client() as ftp:
        with pytest.raises(error_temp, match="incomplete"):
            ftp.storbinary("STOR x.jpg", io.BytesIO(picture(1)[:-2]))
        with pytest.raises(error_perm, match="AVI"):
            ftp.storbinary("STOR x.avi", io.BytesIO(b"RIFF\0\0\0\0AVI " + bytes(2000)))
