"""The FTP commands that cameras use in ways of their own, apart from the library behind them.

Pictures go in and nothing comes out: there is no RETR, no resuming, no changing of modes or times.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from services.ftp.filesystem import VirtualFilesystem
from shared.text import printable

if TYPE_CHECKING:
    from shared.ingest.accounts import Account

_TYPES = re.compile(r"(?i)(A|I|L ?[78]|E)( [NTC])?$")
_FEATURES = ("EPRT", "EPSV", "MDTM", "MLST modify*;size*;type*;", "SIZE", "TVFS", "UTF8")


class Commands:
    """Mixed into the library's session class, before it."""

    account: Account | None
    fs: VirtualFilesystem
    respond: Any

    def ftp_ALLO(self, line: str) -> None:
        # A 202, which the RFC allows, makes Dahua cameras hang up.
        self.respond("200 ALLO command successful.")

    def ftp_CLNT(self, line: str) -> None:
        self.respond("200 Noted.")

    def ftp_TYPE(self, line: str) -> None:
        # Cameras forget TYPE I: whatever they say, bytes are taken as they come.
        if _TYPES.match(line):
            self.respond(f"200 Type set to {line[0].upper()}.")
        else:
            self.respond("504 Unknown type.")

    def ftp_CWD(self, path: str) -> None:
        try:
            self.fs.chdir(path)
        except OSError as error:
            self.respond(f"550 {error.strerror}.")
        else:
            self.respond(f'250 "{_quoted(path)}" is the current directory.')

    def ftp_REST(self, line: str) -> None:
        if line.strip() == "0":
            self.respond("350 Starting at the beginning.")
        else:
            self.respond("502 Uploads can't be resumed: send the whole file.")

    def ftp_RETR(self, path: str) -> None:
        self.respond("550 Pictures can't be read back here.")

    def ftp_FEAT(self, line: str) -> None:
        lines = "".join(f" {feature}\r\n" for feature in _FEATURES)
        self.respond(f"211-Features supported:\r\n{lines}211 End FEAT.")

    def ftp_HELP(self, line: str) -> None:
        self.respond("214 Log in as a camera, then STOR its pictures.")

    def ftp_STAT(self, path: str) -> None:
        self.respond("211 Ready.")

    def ftp_PORT(self, line: str) -> None:
        if self._active_allowed("PORT"):
            super().ftp_PORT(line)  # type: ignore[misc]

    def ftp_EPRT(self, line: str) -> None:
        if self._active_allowed("EPRT"):
            super().ftp_EPRT(line)  # type: ignore[misc]

    def _active_allowed(self, command: str) -> bool:
        if self.account and self.account.active:
            return True
        camera = self.account.camera if self.account else "<name>"
        self.respond(
            f"502 {command} is off for this camera: choose passive mode in the camera, "
            f"or set cameras.{camera}.ftp.active to true."
        )
        return False


def _quoted(path: str) -> str:
    return printable(path).replace('"', '""')
