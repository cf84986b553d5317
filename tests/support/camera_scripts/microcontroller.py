"""Uploads as small boards do: one connection for all, commands ahead of their answers, no QUIT.

``host port user password mode file=name …``; mode: pasv, epsv, stou. Prints the last answer to
each.
"""

from __future__ import annotations

import re
import socket
import sys
from pathlib import Path


def main() -> None:
    """Upload each file."""
    host, port, user, password, mode, *files = sys.argv[1:]
    control = socket.create_connection((host, int(port)), timeout=20)
    answers = control.makefile("r", encoding="utf-8", newline="\n")
    # All at once, with bare line feeds, and the answers are counted and not read.
    control.sendall(f"USER {user}\nPASS {password}\nTYPE I\n".encode())
    for _ in range(4):
        answers.readline()
    for each in files:
        file, _, name = each.partition("=")
        control.sendall(b"EPSV\n" if mode == "epsv" else b"PASV\n")
        numbers = [int(each) for each in re.findall(r"\d+", answers.readline())]
        there = numbers[-1] if mode == "epsv" else numbers[-2] * 256 + numbers[-1]
        with socket.create_connection((host, there), timeout=20) as data:
            command = "STOU" if mode == "stou" else "STOR"
            control.sendall(f"{command} {name}\n".encode())
            with Path(file).open("rb") as picture:
                while chunk := picture.read(1460):  # a segment at a time: there is no room for more
                    data.sendall(chunk)
        answers.readline()  # 150
        sys.stdout.write(answers.readline())
    control.close()


if __name__ == "__main__":
    main()
