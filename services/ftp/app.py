"""Wires the ftp service."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.ftp.accounts import Account
from services.ftp.collector import Collector
from services.ftp.door import Door
from services.ftp.folder import FolderSource
from services.ftp.server import FtpServer
from services.ftp.shelf import Shelf
from shared.errors import ConfigError
from shared.service import Context, Service, Source
from shared.settings import Settings
from shared.settings.cameras import FolderSection
from shared.settings.section import zone_of

OFF = "FTP is switched off by ftp.enabled"


def build(context: Context) -> Service:
    """Takes the pictures that cameras push by FTP or into folders."""
    settings = context.settings
    accounts = accounts_of(settings)
    door = Door(settings.ftp, accounts, context)
    server = FtpServer(door) if accounts else None
    folders = folders_of(context)

    def about() -> Mapping[str, Any]:
        states = [folder.collector.about() for folder in folders]
        troubles = [state["trouble"] for state in states if not state["ok"]]
        if server:
            what = f"FTP for {_number(len(accounts), 'camera')}"
        else:
            what = "no camera delivers by FTP" if settings.ftp.enabled else OFF
        if folders:
            what += f", {_number(len(folders), 'watched folder')}"
        return {
            "ok": not troubles,
            "summary": "; ".join([what, *troubles]),
            "folders": states,
            **door.about(server.connections if server else 0),
        }

    sources: list[Source] = [server] if server else []
    return Service(name="ftp", sources=[*sources, *folders], about=about)


def check(settings: Settings) -> None:
    """Raises ConfigError for what ``build`` would refuse."""
    accounts_of(settings)
    watched_of(settings)


def folders_of(context: Context) -> list[FolderSource]:
    """One source for each watched folder. Raises ConfigError where two cameras share one."""
    section = context.settings.folders
    sources: list[FolderSource] = []
    for root, (name, folder) in watched_of(context.settings).items():
        collector = Collector(
            name,
            Shelf(root),
            context,
            keep=folder.keep,
            zone=zone_of(folder.timezone),
            settle_s=section.settle_s,
        )
        sources.append(FolderSource(collector, section, poll=folder.poll))
    return sources


def watched_of(settings: Settings) -> dict[Path, tuple[str, FolderSection]]:
    """The watched folders by path, each with its camera. Raises ConfigError where two overlap."""
    watched: dict[Path, tuple[str, FolderSection]] = {}
    for name, camera in settings.cameras.items():
        if camera.folder is None:
            continue
        root = camera.folder.path.resolve()
        for other, (owner, _) in watched.items():
            if root.is_relative_to(other) or other.is_relative_to(root):
                raise ConfigError(
                    f"cameras.{name}.folder.path: {root} overlaps with the folder of camera "
                    f"{owner}. Give each camera a folder of its own."
                )
        watched[root] = (name, camera.folder)
    return watched


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


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
