"""Cameras that push: each logs in, stores one picture, and leaves; again and again.

Reads "port clients files first" from its input and answers with the seconds that took.
"""

from __future__ import annotations

import socket
import struct
import sys
import threading
import time

from tests.bench.ftp_server import PASSWORD

SIZE = 300_000


def picture(number: int) -> tuple[bytes, bytes]:
    """About 300 kB that pass for a JPEG, different for each number; head and shared rest."""
    comment = b"%020d" % number
    head = b"\xff\xd8\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment
    return head, REST


def rest() -> bytes:
    """Picture data with as many escaped FF as real ones have, about one byte in 256."""
    import random

    noise = bytearray(random.Random(7).randbytes(SIZE - 1500))
    data = bytes(noise).replace(b"\xff", b"\xff\x00")
    return b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + data + b"\xff\xd9"


REST = rest()


def push(port: int, number: int) -> None:
    """One picture as a camera pushes it; raises when it isn't acknowledged."""
    with socket.create_connection(("127.0.0.1", port)) as control:

        def ask(line: bytes, code: bytes) -> bytes:
            if line:
                control.sendall(line + b"\r\n")
            answer = control.recv(4096)
            if not answer.startswith(code):
                raise RuntimeError(f"{line!r}: {answer!r}")
            return answer

        ask(b"", b"220")
        ask(b"USER cam", b"331")
        ask(b"PASS " + PASSWORD.encode(), b"230")
        ask(b"TYPE I", b"200")
        where = int(ask(b"EPSV", b"229").split(b"|")[3])
        with socket.create_connection(("127.0.0.1", where)) as data:
            ask(b"STOR picture_%d.jpg" % number, b"1")
            for piece in picture(number):
                data.sendall(piece)
        ask(b"", b"226")
        ask(b"QUIT", b"221")


def run(port: int, clients: int, files: int, first: int) -> float:
    """Seconds for so many files from so many cameras at once."""
    numbers = iter(range(first, first + files))
    lock = threading.Lock()
    errors: list[BaseException] = []

    def camera() -> None:
        while not errors:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            try:
                push(port, number)
            except (OSError, RuntimeError) as error:
                errors.append(error)

    threads = [threading.Thread(target=camera, daemon=True) for _ in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return time.perf_counter() - began


def main() -> None:
    for line in sys.stdin:
        port, clients, files, first = map(int, line.split())
        sys.stdout.write(f"{run(port, clients, files, first)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
