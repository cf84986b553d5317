"""``python -m tests.support.witness LOG MODULE ARGUMENTS…`` runs a module as ``python -m`` would,
and writes into LOG each connection, look-up and request that it or a fork of it tries."""

from __future__ import annotations

import os
import runpy
import sys

WATCHED = {
    "http.client.connect",
    "socket.connect",
    "socket.getaddrinfo",
    "socket.gethostbyaddr",
    "socket.gethostbyname",
    "socket.sendmsg",
    "socket.sendto",
    "urllib.Request",
}


def watch(log: str) -> None:
    """From here on write what is tried; nothing that is imported later can take this back."""
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in WATCHED:
            os.write(out, f"{event} {arguments}\n".encode())

    sys.addaudithook(hook)


if __name__ == "__main__":
    watch(sys.argv[1])
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
