"""Wires the ftp service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.ftp.accounts import Logins, logins_of
from services.ftp.mirror import Mirror
from services.ftp.server import FtpServer
from services.ftp.state import ServerState
from shared.ingest.accounts import Account
from shared.service import Context, Service, Source, switched_off
from shared.settings.cameras import CameraSection
from shared.settings.directory import Derived
from shared.stop import Stop

LOOK_S = 1.0
"""How often a server that is not needed yet looks whether a camera delivers by FTP by now."""


def build(context: Context) -> Service:
    """Takes the pictures that cameras push by FTP."""
    section = context.settings.ftp
    if not section.enabled:
        return switched_off("ftp")
    names = context.intake.names

    def made(cameras: Mapping[str, CameraSection], _before: Logins | None) -> Logins:
        return logins_of(cameras, section, names)

    logins = Derived(context.cameras, made)
    state = ServerState(section, logins, context)
    server = FtpServer(state)
    mirror = _mirror(context)

    def about() -> Mapping[str, Any]:
        count = len(_cameras(logins()))
        what = f"FTP for {count} {'camera' if count == 1 else 'cameras'}"
        if not count:
            what = "no camera delivers by FTP"
        told = {"places": server.places, **state.about(server.connections)}
        if told["guessed"]:
            what += f"; somebody guesses the password of {', '.join(told['guessed'])}"
        if told["over_quota"]:
            what += f"; over the quota of today: {', '.join(told['over_quota'])}"
        if mirror:
            told["mirror"] = mirror.about()
            what += f"; {mirror.trouble}" if mirror.trouble else ""
        return {"ok": True, "summary": what, **told}

    sources: list[Source] = [ServerSource(server, lambda: logins().accounts)]
    if mirror:
        sources.append(mirror)
    return Service(name="ftp", sources=sources, about=about)


def _mirror(context: Context) -> Mirror | None:
    section = context.settings.ftp.mirror
    if section.folder is None:
        return None

    def own(name: str) -> bool:
        camera = context.cameras.get(name)
        return camera is not None and camera.ftp is not None and not camera.ftp.account

    return Mirror(section.folder, section, context, own)


def _cameras(logins: Logins) -> set[str]:
    """The cameras that deliver by FTP."""
    own = {each.camera for name, each in logins.accounts.items() if name not in logins.shared}
    return own.union(*(each.members for each in logins.shared.values()))


class ServerSource:
    """Runs the server from the moment on at which a camera delivers by FTP."""

    name = FtpServer.name

    def __init__(self, server: FtpServer, accounts: Callable[[], Mapping[str, Account]]) -> None:
        self.server = server
        self._accounts = accounts

    def run(self, stop: Stop) -> None:
        """Wait until it is needed, then serve until stopped."""
        while not self._accounts():
            if stop.wait(LOOK_S):
                return
        self.server.run(stop)
