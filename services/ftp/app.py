"""Wires the ftp service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.ftp.server import FtpServer
from services.ftp.state import ServerState
from shared.errors import ConfigError
from shared.ingest.accounts import Account
from shared.service import Context, Service
from shared.settings import Settings
from shared.settings.section import zone_of

OFF = "FTP is switched off by ftp.enabled"


def build(context: Context) -> Service:
    """Takes the pictures that cameras push by FTP."""
    settings = context.settings
    accounts = accounts_of(settings)
    state = ServerState(settings.ftp, accounts, context)
    server = FtpServer(state) if accounts else None

    def about() -> Mapping[str, Any]:
        if server:
            count = len(accounts)
            what = f"FTP for {count} {'camera' if count == 1 else 'cameras'}"
        else:
            what = "no camera delivers by FTP" if settings.ftp.enabled else OFF
        return {"ok": True, "summary": what, **state.about(server.connections if server else 0)}

    return Service(name="ftp", sources=[server] if server else [], about=about)


def check(settings: Settings) -> None:
    """Raises ConfigError for what ``build`` would refuse."""
    accounts_of(settings)


def accounts_of(settings: Settings) -> dict[str, Account]:
    """The accounts by user name. Raises ConfigError for one that nobody could use safely."""
    accounts: dict[str, Account] = {}
    if not settings.ftp.enabled:
        return accounts
    for name, camera in settings.cameras.items():
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
