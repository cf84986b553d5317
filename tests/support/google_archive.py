"""The Google archive with a simulated Google behind it, over HTTP, by real PyDrive2."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from services.drive.archives.google.archive import GoogleArchive
from services.simulator.google.account import CLIENT, REFRESH_TOKEN, SECRET, SimulatedGoogle
from shared.journal import Journal
from shared.settings.google import GoogleSection

TOKEN = "tokens/google.json"


def client_file(google: SimulatedGoogle) -> str:
    """What Google's console would give for the program."""
    return json.dumps(
        {
            "installed": {
                "client_id": CLIENT, "client_secret": SECRET,
                "auth_uri": f"{google.url}o/oauth2/auth", "token_uri": f"{google.url}token",
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


def section(google: SimulatedGoogle, **more: Any) -> GoogleSection:
    """Settings of an archive there."""
    return GoogleSection(
        **{"client": client_file(google), "api": google.url, "timeout_s": 5.0, **more}
    )


def google_archive(
    google: SimulatedGoogle, data: Path, journal: Journal, name: str = "google", **more: Any
) -> GoogleArchive:
    """An archive that is logged in."""
    log_in(google, data)
    return GoogleArchive(name, section(google, **more), data, journal)
