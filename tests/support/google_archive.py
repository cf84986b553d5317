"""The Google archive with a simulated Google behind it, over HTTP, by real PyDrive2."""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

from services.drive.archives.archive import Archive, Filed, Filing
from services.drive.archives.google.archive import GoogleArchive
from services.drive.archives.google.pace import Pace
from services.simulator.google.account import CLIENT, REFRESH_TOKEN, SECRET, SimulatedGoogle
from services.simulator.google.file import File
from shared.errors import Retry
from shared.journal import Journal
from shared.settings.google import GoogleSection
from tests.support.google import simulated_google
from tests.support.making import picture, sqlite_journal

TOKEN = "tokens/google.json"
TIME = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)


def client_file(url: str) -> str:
    """What the console of the Google at this address would give for the program."""
    return json.dumps(
        {
            "installed": {
                "client_id": CLIENT, "client_secret": SECRET,
                "auth_uri": f"{url}o/oauth2/auth", "token_uri": f"{url}token",
            }
        }
    )  # fmt: skip


def log_in(
    google: SimulatedGoogle, data: Path, token: str = REFRESH_TOKEN, to: str = TOKEN
) -> Path:
    """Put a token where the archive finds it, as a program of oauth2client writes it."""
    stored: dict[str, Any] = {
        "access_token": None, "refresh_token": token, "token_expiry": None,
        "client_id": CLIENT, "client_secret": SECRET, "token_uri": f"{google.url}token",
        "user_agent": None, "revoke_uri": None, "id_token": None, "token_response": None,
        "scopes": [], "token_info_uri": None, "invalid": False,
        "_class": "OAuth2Credentials", "_module": "oauth2client.client",
    }  # fmt: skip
    path = data / to
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(json.dumps(stored))
    path.chmod(0o600)
    return path


def archive_at(
    url: str,
    data: Path,
    journal: Journal,
    name: str = "google",
    zone: tzinfo | None = UTC,
    **more: Any,
) -> GoogleArchive:
    """An archive at the Google with this address."""
    given = {"client": client_file(url), "api": url, "timeout_s": 5.0, **more}
    return GoogleArchive(name, GoogleSection(**given), data, journal, Pace(0.02, 0.1), zone=zone)


def numbered(folder: Path, number: int = 1) -> Filing:
    """A picture of the camera porch; each number is another."""
    source = folder / f"{number}.jpg"
    source.write_bytes(picture(number))
    digest = hashlib.sha256(picture(number)).hexdigest()
    size = source.stat().st_size
    return Filing(f"01ABC{number}", "porch", TIME, "image/jpeg", digest, size, source)


def google_archive(
    google: SimulatedGoogle, data: Path, journal: Journal, name: str = "google", **more: Any
) -> GoogleArchive:
    """An archive that is logged in."""
    log_in(google, data)
    return archive_at(google.url, data, journal, name, **more)


def persist(archive: GoogleArchive, filing: Filing, tries: int = 40) -> Filed:
    """File it as the journal would: again and again while it must wait."""
    for _ in range(tries):
        try:
            return archive.file(filing)
        except Retry as error:
            told = error
            time.sleep(0.1)  # the gate is shut for no longer
    raise AssertionError(f"not filed: {told}")


class GoogleRig:
    """Drive as the contract of archives breaks it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._ends = ExitStack()
        self.google = self._ends.enter_context(simulated_google())
        self.journal = sqlite_journal(folder / "journal.db")
        self._ends.callback(self.journal.close)
        self.drive = google_archive(self.google, folder, self.journal)
        self.archive: Archive = self.drive
        self._ends.callback(self.drive.client.close)

    def close(self) -> None:
        self._ends.close()

    def _file(self, path: str) -> File:
        return next(file for found, file in self.google.live() if found == f"/Snapbus/{path}")

    def live(self) -> list[str]:
        return sorted(path.removeprefix("/Snapbus/") for path, _ in self.google.live())

    def content(self, path: str) -> bytes:
        return self.google.tree.content(self._file(path).id)

    def damage(self, path: str) -> None:
        if path not in self.live():
            *folders, title = path.split("/")
            body = {
                "id": self.drive.client.ids(1)[0],
                "title": title,
                "parents": [{"id": self.drive.folders.of(*folders)}],
            }
            self.drive.client.insert(body, b"damaged", "id")
            return
        file = self._file(path)
        with self.google.lock:
            md5 = hashlib.md5(b"damaged").hexdigest()
            sha256 = hashlib.sha256(b"damaged").hexdigest()
            self.google.tree.put(replace(file, size=7, md5=md5, sha256=sha256), b"damaged")

    def remove(self, path: str) -> None:
        with self.google.lock:
            self.google.tree.drop(self._file(path).id)

    def away(self) -> None:
        self.google.storm(1.0, 0, "503")

    def back(self) -> None:
        self.google.calm()
