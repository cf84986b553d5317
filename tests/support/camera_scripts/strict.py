"""Uploads as a strict old camera does: waits for each answer, and hangs up on an unexpected one.

``host port user password mode file=name …``; mode: pasv, port, eprt, appe, rename. Prints the last
answer of each.
"""

from __future__ import annotations

import re
import socket
import sys
from pathlib import Path


class Camera:
    """One session for one picture."""

    def __init__(self, host: str, port: int, user: str, password: str) -> None:
        self._control = socket.create_connection((host, port), timeout=20)
        self._answers = self._control.makefile("r", encoding="utf-8", newline="\r\n")
        self._expect("220")
        self.ask(f"USER {user}", "331")
        self.ask(f"PASS {password}", "230")
        self.ask("SYST", "215")
        self.ask("TYPE I", "200")

    def ask(self, line: str, code: str) -> str:
        """Send a command; anything but this answer ends the program."""
        self._control.sendall(f"{line}\r\n".encode())
        return self._expect(code)

    def _expect(self, code: str) -> str:
        answer = self._answers.readline()
        if not answer.startswith(code):
            sys.exit(f"expected {code}, got {answer!r}")
        return answer

    def put(self, mode: str, name: str, content: bytes) -> str:
        """Upload a picture; the answer to it."""
        *folders, own = name.split("/")
        for folder in folders:
            self.ask(f"MKD {folder}", "257")
            self.ask(f"CWD {folder}", "250")
        self.ask(f"ALLO {len(content)}", "200")
        command, said = ("APPE" if mode == "appe" else "STOR"), own
        if mode == "rename":
            said += ".tmp"
        if mode in ("port", "eprt"):
            with socket.create_server((self._control.getsockname()[0], 0)) as listener:
                self._offer(mode, *listener.getsockname()[:2])
                data, _ = listener.accept()
                self.ask(f"{command} {said}", "150")
        else:
            numbers = re.findall(r"\d+", self.ask("PASV", "227"))
            address = ".".join(numbers[1:5]), int(numbers[5]) * 256 + int(numbers[6])
            data = socket.create_connection(address, timeout=20)
            self.ask(f"{command} {said}", "150")
        with data:
            data.sendall(content)
        answer = self._expect("226")
        if mode == "rename":
            self.ask(f"RNFR {said}", "350")
            self.ask(f"RNTO {own}", "250")
        self.ask("QUIT", "221")
        return answer

    def _offer(self, mode: str, host: str, port: int) -> None:
        if mode == "eprt":
            self.ask(f"EPRT |1|{host}|{port}|", "200")
        else:
            self.ask(f"PORT {host.replace('.', ',')},{port >> 8},{port & 255}", "200")


def main() -> None:
    """Upload each file."""
    host, port, user, password, mode, *files = sys.argv[1:]
    for each in files:
        file, _, name = each.partition("=")
        camera = Camera(host, int(port), user, password)
        sys.stdout.write(camera.put(mode, name, Path(file).read_bytes()))


if __name__ == "__main__":
    main()
