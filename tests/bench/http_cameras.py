"""Cameras that push by HTTP, each on a connection that it keeps.

Reads "port key clients files first" from its input and answers with the seconds that took.
"""

from __future__ import annotations

import socket
import sys
import threading
import time

from tests.bench.ftp_cameras import picture


def push(link: socket.socket, key: str, number: int) -> None:
    """One picture; raises when it isn't acknowledged."""
    pieces = picture(number)
    head = (
        f"PUT /v1/cameras/cam/snapshots/picture_{number}.jpg HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {key}\r\nContent-Length: {sum(map(len, pieces))}\r\n\r\n"
    )
    link.sendall(head.encode() + pieces[0])
    link.sendall(pieces[1])
    answer = b""
    while b"\r\n\r\n" not in answer:
        if not (more := link.recv(4096)):
            raise RuntimeError(f"hung up: {answer!r}")
        answer += more
    head_, _, body = answer.partition(b"\r\n\r\n")
    if not head_.startswith(b"HTTP/1.1 201"):
        raise RuntimeError(repr(answer))
    length = int(head_.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += link.recv(4096)


def run(port: int, key: str, clients: int, files: int, first: int) -> float:
    """Seconds for so many files from so many cameras at once."""
    numbers = iter(range(first, first + files))
    lock = threading.Lock()
    errors: list[BaseException] = []

    def camera() -> None:
        with socket.create_connection(("127.0.0.1", port)) as link:
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not errors:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                try:
                    push(link, key, number)
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
        port, key, *numbers = line.split()
        sys.stdout.write(f"{run(int(port), key, *map(int, numbers))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
