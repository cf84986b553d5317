"""PyDrive2's login, taught to ask nobody and to find the API where we say."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from googleapiclient.discovery import build_from_document
from pydrive2.auth import GoogleAuth

from services.drive.archives.google.client.credentials import Credentials
from services.drive.archives.google.client.transport import Http


class Auth(GoogleAuth):  # type: ignore[misc]
    """``api`` is the root of the API. One for all threads."""

    def __init__(self, login: Credentials, api: str, timeout_s: float) -> None:
        super().__init__(settings_file=None, http_timeout=timeout_s)
        self._login = login
        folder = resources.files("googleapiclient.discovery_cache") / "documents"
        document = json.loads((folder / "drive.v2.json").read_text(encoding="utf-8"))
        # Uploads use the root too, which client_options.api_endpoint would not move.
        document["rootUrl"] = api
        document["baseUrl"] = f"{api}{document['servicePath']}"
        self.service = build_from_document(document, http=Http(timeout_s))
        # Each call of files() makes all methods anew, which takes longer than the rest together.
        files = self.service.files()
        self.service.files = lambda: files

    def LocalWebserverAuth(self, *_: Any, **__: Any) -> None:
        """What PyDrive2 calls when a token is over: here it is only renewed."""
        self._login.current(None)

    ServiceAuth = LocalWebserverAuth
