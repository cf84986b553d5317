"""Settings of Google Drive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, field_validator

from shared.settings.cron import Cron
from shared.settings.section import Seconds, Section

SCOPE = "https://www.googleapis.com/auth/drive"
AUTH, TOKEN = "https://accounts.google.com/o/oauth2/auth", "https://oauth2.googleapis.com/token"
_WANTED = "the file that Google's console gives for an OAuth client or for a service account"


class GoogleSection(Section):
    folder: str = Field(
        "Snapbus",
        min_length=1,
        description="the folder of Google Drive in which years are; / between folders in folders",
    )
    client: SecretStr = Field(
        SecretStr(""),
        description=f"the content of {_WANTED}; or in the secrets folder as google_client, of "
        "archives.<name> as google_client_<name>; empty: that of the token",
    )
    acts_for: str = Field("", description="the person for whom a service account acts; or nobody")
    shared_drive: str = Field("", description="id of a shared drive; empty: that of the account")
    token: Path = Field(
        Path("tokens/google.json"),
        description="where `task drive:login` keeps its token; relative paths are below the data "
        "folder, where the older place snapshot_processor_creds is taken too",
    )
    sees: Literal["own", "all"] = Field(
        "own",
        description="own: only files that this program made; all: the whole Drive, which the "
        "login by a code (--device) can't give",
    )
    streams: int = Field(4, ge=1, le=32, description="pictures sent at the same time")
    archive_at: Cron = Field(
        "15 3 * * *",
        description="when files older than a day that lie flat in the folder, of people or of the "
        "program before Snapbus, are moved to the folders of their days; also at the start; empty: "
        "only by `task drive:archive`",
    )
    timeout_s: Seconds = Field(120.0, description="for one request, with the bytes of a picture")
    api: str = Field("https://www.googleapis.com/", description="root of the API")

    @field_validator("api")
    @classmethod
    def _root(cls, api: str) -> str:
        if not api.startswith(("https://", "http://")):
            raise ValueError("write it like https://www.googleapis.com/")
        return api if api.endswith("/") else f"{api}/"

    @field_validator("client")
    @classmethod
    def _file(cls, client: SecretStr) -> SecretStr:
        if client.get_secret_value():
            _read(client)
        return client

    @property
    def scope(self) -> str:
        """What is asked for at the login."""
        return SCOPE if self.sees == "all" else f"{SCOPE}.file"

    @property
    def service(self) -> dict[str, Any] | None:
        """The key of the service account, if the client is one."""
        found = _read(self.client) if self.client.get_secret_value() else {}
        return found if found.get("type") == "service_account" else None

    @property
    def program(self) -> dict[str, str] | None:
        """Id, secret and addresses of the OAuth client, if there is one."""
        if not self.client.get_secret_value() or self.service:
            return None
        return {"auth_uri": AUTH, "token_uri": TOKEN, "client_secret": "", **_read(self.client)}


def _read(client: SecretStr) -> dict[str, Any]:
    """What the file says. Raises ValueError, without what is in it."""
    try:
        found = json.loads(client.get_secret_value())
        found = found.get("installed") or found.get("web") or found
        needed = {"private_key", "client_email"} if "type" in found else {"client_id"}
        if needed <= set(found):
            return dict(found)
    except (ValueError, AttributeError, TypeError):
        pass
    raise ValueError(f"is not {_WANTED}: download it again, as JSON")
