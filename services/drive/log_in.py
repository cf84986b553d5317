"""``login``: lets a Google archive into an account, from any terminal, also behind SSH.

    python -m services.drive login
    python -m services.drive login --device
    python -m services.drive login --archive cloud

It prints an address for a browser on any computer, and waits at most ten minutes.
"""

from __future__ import annotations

import argparse
import os
import selectors
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, TextIO

from services.drive.archives.google.oauth import Code, Login, LoginFailed, Pending
from services.drive.archives.google.token import token_file
from services.drive.which import google_section
from shared.errors import ConfigError
from shared.settings import Settings
from shared.settings.google import GoogleSection
from shared.settings.load import chosen, load

FINE, REFUSED, WRONG_USE = 0, 1, 2
PORT = 8085
PATIENCE_S = 600.0
MOST_BYTES = 8192
SLOWER_S = 5.0
_DONE = b"<!DOCTYPE html><meta charset=utf-8><title>Snapbus</title><p>%s You may close this page."
Say = Callable[[str], None]


def main(arguments: Sequence[str], told: TextIO = sys.stdout, asked: TextIO = sys.stdin) -> int:
    """Returns the exit status."""
    options = _parser().parse_args(arguments)

    def say(text: str) -> None:
        told.write(f"{text}\n")
        told.flush()

    try:
        settings = load(chosen(options.config))
        section = _section(settings, options.archive)
        token = _logged_in(section, options, say, asked)
        file = token_file(settings.data, section.token)
        with file.locked():
            file.write(token)
    except (ConfigError, LoginFailed) as error:
        sys.stderr.write(f"not logged in: {error}\n")
        return WRONG_USE if isinstance(error, ConfigError) else REFUSED
    except OSError as error:
        sys.stderr.write(f"the token can't be kept: {error}\n")
        return REFUSED
    say(f"Logged in. The token is in {file.path}; a running service goes on within seconds.")
    return FINE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="drive:login", description=__doc__.split("\n")[0])
    parser.add_argument("--archive", default="", help="of several: its name in the configuration")
    parser.add_argument("--device", action="store_true", help="type a code at google.com/device")
    parser.add_argument("--port", type=int, default=PORT, help="where the browser ends, here")
    parser.add_argument("--config", type=Path, help="default: config/snapbus.yml")
    return parser


def _section(settings: Settings, name: str) -> GoogleSection:
    """Raises ConfigError."""
    section = google_section(settings, name)[1].google
    if section.service:
        raise ConfigError("a service account logs in by its key: there is nothing to do")
    if section.program is None:
        raise ConfigError(
            "there is no OAuth client yet: make one of type 'Desktop app' in Google's console, and "
            "put its JSON file into secrets/google_client (docs/guide/google-drive.md)"
        )
    return section


def _logged_in(
    section: GoogleSection, options: argparse.Namespace, say: Say, asked: TextIO
) -> dict[str, Any]:
    program = section.program or {}
    if options.device:
        return by_device(Login(program, section.scope), say)
    with closing(_listening(options.port)) as server:
        port = server.getsockname()[1]
        login = Login(program, section.scope, f"http://127.0.0.1:{port}/")
        say("Open this address in a browser, on any computer:\n")
        say(f"  {login.url}\n")
        say(
            "Say yes there. If the browser then ends at a page that can't be shown, copy the "
            "address of that page, paste it here and press Enter."
        )
        return login.by_address(_address(server, asked))


def by_device(login: Login, say: Say, wait: Callable[[float], None] = time.sleep) -> dict[str, Any]:
    """The token, by a code that is typed on any device. Raises LoginFailed."""
    code: Code = login.code()
    say(f"Open {code.url} on any device and type this code there:\n\n  {code.text}\n")
    pause, waited = code.interval_s, 0.0
    while waited < min(code.ends_s, PATIENCE_S):
        wait(pause)
        waited += pause
        try:
            return login.by_code(code)
        except Pending as pending:
            pause += SLOWER_S if pending.slower else 0.0
    raise LoginFailed("nobody typed the code in time: begin again")


def _listening(port: int) -> socket.socket:
    """A socket on this machine only; on any port if that one is taken."""
    for each in (port, 0):
        try:
            return socket.create_server(("127.0.0.1", each))
        except OSError:
            continue
    raise LoginFailed("no port is free on 127.0.0.1")


def _address(server: socket.socket, asked: TextIO) -> str:
    """The address where the browser ended: it came here itself, or a person pasted it."""
    typed = b""
    with selectors.DefaultSelector() as selector:
        selector.register(server, selectors.EVENT_READ)
        with suppress(OSError, ValueError):  # no terminal, but a file or nothing
            selector.register(asked, selectors.EVENT_READ)
        ends = time.monotonic() + PATIENCE_S
        while (left := ends - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                if key.fileobj is server:
                    path = _came(server)
                    if "code=" in path or "error=" in path:
                        return path
                elif chunk := os.read(asked.fileno(), MOST_BYTES):
                    # Not readline(): what that reads ahead would wake nobody.
                    *lines, typed = (typed + chunk).split(b"\n")
                    for line in filter(bytes.strip, lines):
                        return line.decode(errors="replace")
                else:
                    selector.unregister(asked)
    raise LoginFailed("nobody said yes within ten minutes: begin again")


def _came(server: socket.socket) -> str:
    """The path that a browser asked for; empty: it did not ask."""
    connection, _ = server.accept()
    with connection:
        connection.settimeout(5.0)
        try:
            head = connection.recv(MOST_BYTES).split(b"\r\n", 1)[0].split()
            path = head[1].decode("ascii") if len(head) == 3 and head[0] == b"GET" else ""
            is_answer = "code=" in path or "error=" in path
            body = _DONE % (b"Snapbus has Google's answer." if is_answer else b"")
            status = b"200 OK" if is_answer else b"404 Not Found"
            connection.sendall(
                b"HTTP/1.1 %s\r\nContent-Type: text/html\r\nContent-Length: %d\r\n"
                b"Referrer-Policy: no-referrer\r\nConnection: close\r\n\r\n%s"
                % (status, len(body), body)
            )
        except (OSError, UnicodeDecodeError):
            return ""
        return path
