"""The login of the demo at its simulated Google, as a person would have left it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from services.simulator.demo import google_root
from services.simulator.google.account import CLIENT, REFRESH_TOKEN, SECRET
from services.simulator.google.logins import DRIVE
from shared.settings import Settings


def log_in(settings: Settings, port: int) -> None:
    """Write the token of each archive that files at this simulated Google."""
    for archive in settings.all_archives.values():
        if archive.archive == "google" and archive.google.api == google_root(port):
            _write(settings.data / archive.google.token, port)


def _write(path: Path, port: int) -> None:
    """In the format of oauth2client, 0600."""
    root = google_root(port)
    token = {
        "access_token": None,
        "refresh_token": REFRESH_TOKEN,
        "token_expiry": "2020-01-01T00:00:00Z",
        "client_id": CLIENT,
        "client_secret": SECRET,
        "token_uri": f"{root}token",
        "revoke_uri": f"{root}revoke",
        "scopes": [DRIVE],
        "invalid": False,
        "user_agent": None,
        "id_token": None,
        "token_response": None,
        "token_info_uri": None,
        "_class": "OAuth2Credentials",
        "_module": "oauth2client.client",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.demo")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(token, file)
    part.replace(path)
