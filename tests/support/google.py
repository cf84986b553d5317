"""A simulated Google for tests, and real PyDrive2 that is told to ask it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from googleapiclient.discovery import build_from_document
from pydrive2.auth import GoogleAuth
from pydrive2.drive import GoogleDrive
from pydrive2.files import ApiRequestError

from services.simulator.google.account import CLIENT, REFRESH_TOKEN, SECRET, SimulatedGoogle
from services.simulator.google.file import FOLDER
from services.simulator.google.logins import DRIVE
from tests.support.fakes import eventually
from tests.support.simulated import running

SERVICE = "robot@project.iam.example.org"


@contextmanager
def simulated_google(path: Path | None = None) -> Iterator[SimulatedGoogle]:
    """A simulated Google at work, on a free port."""
    google = SimulatedGoogle(path=path)
    with running(google.run):
        eventually(lambda: google.port)
        yield google
    google.close()


class _Auth(GoogleAuth):
    """PyDrive2's login, with its calls sent to another root, and its connections remembered."""

    api_root = ""
    http: Any

    def __init__(self, *args: Any, **named: Any) -> None:
        self.opened: list[Any] = []
        super().__init__(*args, **named)

    def _build_http(self) -> Any:
        self.opened.append(super()._build_http())
        return self.opened[-1]

    def Authorize(self) -> None:
        self.http = self.credentials.authorize(self.http or self._build_http())
        documents = resources.files("googleapiclient.discovery_cache") / "documents"
        document = json.loads((documents / "drive.v2.json").read_text())
        document["rootUrl"] = self.api_root
        document["baseUrl"] = self.api_root + document["servicePath"]
        self.service = build_from_document(document, http=self.http)


@contextmanager
def pydrive(google: SimulatedGoogle, timeout: float = 10, **settings: Any) -> Iterator[GoogleDrive]:
    """PyDrive2 with the owner's account, or with the login of these settings."""
    auth = _Auth(settings=settings or owners_settings(google), http_timeout=timeout)
    auth.api_root = google.url
    try:
        if "service_config" in settings:
            auth.ServiceAuth()
        yield GoogleDrive(auth)
    finally:
        for http in auth.opened:
            http.close()


def owners_settings(google: SimulatedGoogle, token: str = REFRESH_TOKEN) -> dict[str, Any]:
    """Settings with a refresh token."""
    stored = {
        "access_token": None, "refresh_token": token, "token_expiry": "2020-01-01T00:00:00Z",
        "client_id": CLIENT, "client_secret": SECRET, "token_uri": f"{google.url}token",
        "user_agent": None, "revoke_uri": f"{google.url}revoke", "id_token": None,
        "token_response": None, "scopes": [DRIVE], "token_info_uri": None, "invalid": False,
        "_class": "OAuth2Credentials", "_module": "oauth2client.client",
    }  # fmt: skip
    return {
        **client_settings(google),
        "save_credentials": True,
        "save_credentials_backend": "dictionary",
        "save_credentials_dict": {"token": json.dumps(stored)},
        "save_credentials_key": "token",
    }


def client_settings(google: SimulatedGoogle) -> dict[str, Any]:
    """Settings of a program that nobody logged in to yet."""
    return {
        "client_config_backend": "settings",
        "client_config": {
            "client_id": CLIENT, "client_secret": SECRET, "redirect_uri": "http://localhost:1/",
            "auth_uri": f"{google.url}o/oauth2/auth", "token_uri": f"{google.url}token",
            "revoke_uri": f"{google.url}revoke",
        },
        "oauth_scope": [DRIVE],
        "get_refresh_token": True,
    }  # fmt: skip


def service_account(google: SimulatedGoogle, email: str = SERVICE) -> dict[str, Any]:
    """The key file of a new service account."""
    key = rsa.generate_private_key(65537, 2048)
    numbers = key.public_key().public_numbers()
    google.add_service_account(email, (numbers.n, numbers.e))
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {
        "type": "service_account", "project_id": "project", "private_key_id": "1",
        "private_key": pem.decode(), "client_email": email, "client_id": "1",
        "token_uri": f"{google.url}token", "auth_uri": f"{google.url}o/oauth2/auth",
    }  # fmt: skip


def service_settings(google: SimulatedGoogle, user: str = "") -> dict[str, Any]:
    """Settings of a service account, that may act as a user."""
    config = {"client_json_dict": service_account(google), "client_user_email": user}
    return {"client_config_backend": "service", "service_config": config, "oauth_scope": [DRIVE]}


def folder(drive: GoogleDrive, title: str, parent: str = "root") -> Any:
    """A new folder."""
    made = drive.CreateFile({"title": title, "mimeType": FOLDER, "parents": [{"id": parent}]})
    made.Upload()
    return made


def upload(drive: GoogleDrive, title: str, content: bytes = b"x", **more: Any) -> Any:
    """A new file."""
    made = drive.CreateFile({"title": title, "mimeType": "image/jpeg", **more})
    made.content = io.BytesIO(content)
    made.Upload()
    return made


def titles(drive: GoogleDrive, query: str, **more: Any) -> list[str]:
    """What a search finds, in order of the alphabet."""
    return sorted(each["title"] for each in drive.ListFile({"q": query, **more}).GetList())


def reason(error: pytest.ExceptionInfo[ApiRequestError]) -> tuple[int, str]:
    """What Google said."""
    return error.value.error["code"], error.value.GetField("reason")
