"""Wires the ftp service."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from services.ftp.server import FtpServer
from services.ftp.state import ServerState
from shared.errors import ConfigError
from shared.ingest.accounts import Account
from shared.service import Context, Service
from shared.settings import Settings
from shared.settings.cameras import CameraSection
from shared.settings.directory import Derived
from shared.settings.section import zone_of

OFF = "FTP is switched off by ftp.enabled"
LOOK_S = 1.0
"""How often a server that is not needed yet looks whether a camera delivers by FTP by now."""


def build(context: Context) -> Service:
    """Takes the pictures that cameras push by FTP."""
    section = context.settings.ftp
    accounts = Derived(context.cameras, lambda cameras, _before: accounts_of(cameras))
    state = ServerState(section, accounts, context)
    server = FtpServer(state)

    def about() -> Mapping[str, Any]:
        count = len(accounts())
        what = f"FTP for {count} {'camera' if count == 1 else 'cameras'}"
        if not count:
            what = "no camera delivers by FTP"
        if not section.enabled:
            what = OFF
        return {"ok": True, "summary": what, **state.about(server.connections)}

    sources = [ServerSource(server, accounts)] if section.enabled else []
    return Service(name="ftp", sources=sources, about=about)


class ServerSource:
    """Runs the server from the moment on at which a camera delivers by FTP."""

    name = FtpServer.name

    def __init__(self, server: FtpServer, accounts: Callable[[], Mapping[str, Account]]) -> None:
        self.server = server
        self._accounts = accounts

    def run(self, stop: threading.Event) -> None:
        """Wait until it is needed, then serve until stopped."""
        while not self._accounts():
            if stop.wait(LOOK_S):
                return
        self.server.run(stop)


def check(settings: Settings) -> None:
    """Raises ConfigError for what ``build`` would refuse."""
    if settings.ftp.enabled:
        accounts_of(settings.cameras)


def accounts_of(cameras: Mapping[str, CameraSection]) -> dict[str, Account]:
    """The accounts by user name. Raises ConfigError for one that nobody could use safely."""
    accounts: dict[str, Account] = {}
    for name, camera in cameras.items():
        if camera.ftp is None:
            continue
        path = f"cameras.{name}.ftp"
        username = camera.ftp.username or name
        password = camera.ftp.password.get_secret_value()
        if not password:
            raise ConfigError(
                f"{path}.password: is missing. Set it, or put it into the secrets folder "
                f"as camera_{name}_ftp_password."
            )
        if username in accounts:
            raise ConfigError(
                f"{path}.username: {username!r} is the account of camera "
                f"{accounts[username].camera} already. Give each camera its own."
            )
        zone = zone_of(camera.ftp.timezone)
        accounts[username] = Account(name, username, password, camera.ftp.active, zone)
    return accounts
