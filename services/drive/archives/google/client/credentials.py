"""The login in force: of a person, from the token file, or of a service account, from its key."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

from oauth2client import crypt
from oauth2client.client import OAuth2Credentials, Storage
from oauth2client.service_account import ServiceAccountCredentials

from services.drive.archives.google.client.transport import Http
from services.drive.archives.google.errors import GoogleError, Halted, halted
from services.drive.archives.google.token import TokenFile, Version
from shared.http.deadline import Deadline


class Credentials:
    """The credentials in force. A token that Google refused is not tried again; a new file is."""

    def __init__(
        self,
        token: TokenFile,
        service: Mapping[str, Any] | None,
        acts_for: str,
        scope: str,
        timeout_s: float,
    ) -> None:
        self._token = token
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._version: Version | None = None
        self._credentials: Any = _service_credentials(service, acts_for, scope)
        self._is_service = service is not None
        self._refused: dict[Version | None, Halted] = {}

    def problem(self) -> GoogleError | None:
        """Why nothing can be asked now, as far as that is known without asking."""
        if self._is_service:
            return self._refused.get(None)
        version = self._token.version()
        if version is None or _credentials(self._token.read()) is None:
            return halted("no_login", "nobody has logged in yet")
        return self._refused.get(version)

    def current(self, deadline: Deadline | None) -> Any:
        """Credentials whose token is not over. Raises GoogleError and the library's errors."""
        with self._lock:
            version = None if self._is_service else self._token.version()
            if not self._is_service and (version is None or version != self._version):
                self._load(version)
            if refused := self._refused.get(version):
                raise refused
            found = self._credentials
            if not found.access_token or found.access_token_expired:
                http = Http(self._timeout_s)
                http.deadline = deadline
                try:
                    found.refresh(http)
                finally:
                    http.close()
                self._version = None if self._is_service else self._token.version()
            return found

    def _load(self, version: Version | None) -> None:
        loaded = _credentials(self._token.read())
        if loaded is None:
            raise halted("no_login", "nobody has logged in yet")
        loaded.set_store(_Store(self._token))
        self._credentials, self._version = loaded, version

    def refused(self, error: Halted) -> None:
        """Google takes this token no more."""
        if error.reason in ("invalid_grant", "authError", "unauthorized_client"):
            self._refused = {None if self._is_service else self._version: error}

    def forgive(self) -> None:
        """The token is good, although the library thinks otherwise."""
        self._credentials.invalid = False


def _service_credentials(service: Mapping[str, Any] | None, acts_for: str, scope: str) -> Any:
    if service is None:
        return None
    # Beside pyOpenSSL from 24.3 on the library's own choice has no `sign` any more.
    crypt.Signer = crypt.RsaSigner
    made = ServiceAccountCredentials.from_json_keyfile_dict(dict(service), scopes=[scope])
    return made.create_delegated(acts_for) if acts_for else made


class _Store(Storage):  # type: ignore[misc]
    """The token file as oauth2client wants it: what it writes is on disk, and only good tokens."""

    def __init__(self, file: TokenFile) -> None:
        super().__init__()
        self._file = file
        self._held: Any = None

    def acquire_lock(self) -> None:
        held = self._file.locked()
        held.__enter__()
        self._held = held

    def release_lock(self) -> None:
        self._held.__exit__(None, None, None)

    def locked_get(self) -> Any:
        return _credentials(self._file.read())

    def locked_put(self, credentials: Any) -> None:
        if not credentials.invalid:
            self._file.write(json.loads(credentials.to_json()))


def _credentials(token: Mapping[str, Any] | None) -> Any:
    """The credentials in a token file; None if it is none."""
    if not token or not token.get("refresh_token"):
        return None
    try:
        known = {"user_agent": None, "access_token": None, "token_expiry": None, **token}
        credentials = OAuth2Credentials.from_json(json.dumps(known | {"invalid": False}))
    except (KeyError, TypeError, ValueError):
        return None
    credentials.token_expiry = credentials.token_expiry if credentials.access_token else None
    return credentials
