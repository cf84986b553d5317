"""Clients of FTPS: real programs, the standard library, and one that ends TLS as it likes."""

from __future__ import annotations

import hashlib
import random
import socket
import ssl
import subprocess
from concurrent.futures import ThreadPoolExecutor
from ftplib import FTP_TLS
from pathlib import Path

from tests.support.ftpdoor import PASSWORD, Raw
from tests.support.making import picture

CURLS = 8


def trusting() -> ssl.SSLContext:
    """A client that checks no certificate, as cameras do."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def large(number: int, size: int) -> bytes:
    """A whole picture of about this size: the rest is comments that nothing can compress."""
    small, noise = picture(number), random.Random(number)
    comments = b""
    while len(small) + len(comments) < size:
        text = noise.randbytes(min(65_533, size - len(comments)))
        comments += b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text
    return small[:2] + comments + small[2:]


def photographs(folder: Path, count: int) -> dict[str, str]:
    """So many pictures of many sizes; the hash of each by its name."""
    sizes = random.Random(count)
    hashes = {}
    for number in range(count):
        content = large(number, sizes.choice((3_000, 17_000, 150_000, 300_000)))
        path = folder / f"p{number}.jpg"
        path.write_bytes(content)
        hashes[path.name] = hashlib.sha256(content).hexdigest()
    return hashes


class RawTls(Raw):
    """A control connection in TLS, line by line, and data connections whose end is up to the
    test."""

    def __init__(self, port: int, camera: str = "porch", password: str = PASSWORD) -> None:
        super().__init__(port)
        assert self.ask("AUTH TLS").startswith("234")
        self.start_tls()
        if camera:
            assert self.ask(f"USER {camera}").startswith("331")
            assert self.ask(f"PASS {password}").startswith("230")
            assert self.ask("PBSZ 0").startswith("200")
            assert self.ask("PROT P").startswith("200")

    def start_tls(self) -> None:
        self._file.close()
        self.socket = trusting().wrap_socket(self.socket)
        self._file = self.socket.makefile("rb")

    def put_in_tls(self, name: str, content: bytes, *, notify: bool) -> str:
        """The answer to a picture that ends with or without close_notify."""
        plain = self.begin(name)
        context = trusting()
        with context.wrap_socket(plain) as data:
            data.sendall(content)
            if notify:
                data.unwrap()
            else:
                data.shutdown(socket.SHUT_WR)  # the TCP connection ends, TLS is told nothing
        return self.read()


def put_by_ftplib(port: int, folder: Path, names: list[str]) -> list[str]:
    """The names that were acknowledged."""
    done = []
    with FTP_TLS(context=trusting(), timeout=30) as ftp:
        ftp.connect("127.0.0.1", port)
        ftp.login("porch", PASSWORD)
        ftp.prot_p()
        for name in names:
            with (folder / name).open("rb") as file:
                if ftp.storbinary(f"STOR {name}", file).startswith("226"):
                    done.append(name)
    return done


def put_by_curl(port: int, folder: Path, names: list[str]) -> list[str]:
    """The same; curl ends with 0 only when each was acknowledged.

    Several at once: curl often sleeps for a second before it connects for its next picture.
    """
    command = ["curl", "-sS", "-k", "--ssl-reqd", "-u", f"porch:{PASSWORD}", "-T"]

    def put(some: list[str]) -> None:
        files = ",".join(str(folder / name) for name in some)
        _run([*command, f"{{{files}}}", f"ftp://127.0.0.1:{port}/"])

    with ThreadPoolExecutor(CURLS) as curls:
        list(curls.map(put, (names[number::CURLS] for number in range(CURLS))))
    return names


def put_by_lftp(port: int, folder: Path, names: list[str]) -> list[str]:
    """The same; what was answered otherwise than 226, lftp sends again."""
    script = "; ".join(
        [
            "set ssl:verify-certificate no; set ftp:ssl-force yes; set ftp:ssl-protect-data yes",
            "set cmd:fail-exit yes; set net:max-retries 1; set net:reconnect-interval-base 1",
            f"open -u 'porch,{PASSWORD}' -p {port} 127.0.0.1",
            *(f"put {folder / name}" for name in names),
        ]
    )
    _run(["lftp", "--norc", "-c", script])
    return names


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr
