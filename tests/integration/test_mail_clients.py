"""Clients of mail: real programs, and the ways of some cameras."""

from __future__ import annotations

import base64
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.maildoor import PASSWORD, Running, mail, mail_door
from tests.support.making import picture

DATA = picture(7) + bytes(50_000)


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Running]:
    with mail_door(tmp_path) as running:
        yield running


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "MDAlarm_20260301-101112.jpg"
    path.write_bytes(DATA)
    return path


def run(*command: str, given: bytes = b"") -> subprocess.CompletedProcess[str]:
    program = shutil.which(command[0])
    assert program, f"{command[0]} is not installed: ./taskw test:setup"
    done = subprocess.run(
        [program, *command[1:]], input=given, capture_output=True, timeout=60, check=False
    )
    text = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    return subprocess.CompletedProcess(command, done.returncode, *text)


def came(door: Running, name: str = "MDAlarm_20260301-101112.jpg") -> bool:
    return door.names() == [name] and door.stored() == [DATA]


@pytest.mark.promise("feat B19")
@pytest.mark.parametrize("tls", ["", "STARTTLS", "at once"])
def test_curl_sends_a_mail(door: Running, tmp_path: Path, tls: str):
    file = tmp_path / "mail.eml"
    file.write_bytes(mail(DATA, _0="MDAlarm_20260301-101112.jpg"))
    url = f"smtp://127.0.0.1:{door.port}"
    more = ["--ssl-reqd"] if tls else []
    if tls == "at once":
        url = f"smtps://127.0.0.1:{door.server.tls_port}"
    done = run(
        "curl", "-sS", "-k", *more, "--url", url, "--user", f"porch:{PASSWORD}",
        "--mail-from", "cam@x", "--mail-rcpt", "porch@snapbus.local", "-T", str(file),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert came(door)


@pytest.mark.promise("feat B19")
def test_curl_attaches_the_picture_as_the_guide_says(door: Running, photo: Path):
    done = run(
        "curl", "--url", f"smtp://127.0.0.1:{door.port}", "--user", f"porch:{PASSWORD}",
        "--mail-from", "camera@example.org", "--mail-rcpt", "porch@snapbus.local",
        "-F", f"=@{photo};encoder=base64",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert came(door)


@pytest.mark.promise("feat B19")
@pytest.mark.parametrize("way", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("tls", [False, True])
def test_swaks_sends_a_mail(door: Running, photo: Path, way: str, tls: bool):
    more = ["--tls"] if tls else []
    done = run(
        "swaks", "--server", "127.0.0.1", "--port", str(door.port), "--from", "cam@x",
        "--to", "porch@snapbus.local", "--auth", way, "--auth-user", "porch",
        "--auth-password", PASSWORD, "--attach-type", "image/jpeg", "--attach", f"@{photo}", *more,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert came(door)


@pytest.mark.promise("feat B19")
def test_msmtp_sends_a_mail_in_tls(door: Running, tmp_path: Path):
    config = tmp_path / "msmtprc"
    config.write_text(
        f"account default\nhost 127.0.0.1\nport {door.port}\nauth on\nuser porch\n"
        f"password {PASSWORD}\nfrom cam@x\ntls on\ntls_starttls on\ntls_certcheck off\n"
    )
    config.chmod(0o600)
    data = mail(DATA, _0="MDAlarm_20260301-101112.jpg").replace(b"\r\n", b"\n")
    done = run("msmtp", "-C", str(config), "porch@snapbus.local", given=data)
    assert done.returncode == 0, done.stderr
    assert came(door)


@pytest.mark.promise("feat B19")
def test_a_camera_that_speaks_by_the_line_and_writes_its_own_mime(door: Running):
    """As the firmware of many cameras: no pipelining, AUTH LOGIN, no Message-ID, odd headers."""
    lines = base64.encodebytes(DATA).replace(b"\n", b"\r\n")
    content = (
        b"From:<camera>\r\nTo:<porch@snapbus.local>\r\nSubject:IPCAM Alarm\r\n"
        b'MIME-Version:1.0\r\nContent-Type:multipart/mixed;boundary="#BOUNDARY#"\r\n\r\n'
        b"--#BOUNDARY#\r\nContent-Type:text/plain;charset=utf-8\r\n"
        b"Content-Transfer-Encoding:7bit\r\n\r\nalarm\r\n\r\n"
        b'--#BOUNDARY#\r\nContent-Type:image/pjpeg;name="alarm.jpg"\r\n'
        b"Content-Transfer-Encoding:base64\r\n"
        b'Content-Disposition:attachment;filename="alarm.jpg"\r\n\r\n' + lines + b"\r\n"
        b"--#BOUNDARY#--\r\n"
    )
    with door.raw("") as raw:
        assert raw.ask("EHLO 192.168.1.9").splitlines()[0] == "250-snapbus"
        assert raw.ask("AUTH LOGIN").startswith("334")
        assert raw.ask(base64.b64encode(b"porch").decode()).startswith("334")
        assert raw.ask(base64.b64encode(PASSWORD.encode()).decode()).startswith("235")
        raw.begin()
        for line in content.splitlines(keepends=True):
            raw.send(line)
        assert raw.ask(".").startswith("250 2.0.0 Taken as ")
        assert raw.ask("QUIT").startswith("221")
        assert raw.read() == ""
    assert came(door, "alarm.jpg")
