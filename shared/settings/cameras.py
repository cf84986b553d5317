"""Settings of one camera: the doors through which it delivers."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, model_validator

from shared.settings.section import CAMERA_ZONE, Seconds, Section, Zone


class FtpAccountSection(Section):
    """How this camera logs in to the FTP server; the account is the camera's name by default."""

    username: str = Field("", description="account name; empty: the camera's name")
    password: SecretStr = Field(
        SecretStr(""), description="or in the secrets folder as camera_<name>_ftp_password"
    )
    active: bool = Field(False, description="allow PORT and EPRT to the camera's own address")
    timezone: Zone = Field("", description=CAMERA_ZONE)


class FolderSection(Section):
    """A folder from which this camera's pictures are taken."""

    path: Path
    poll: bool = Field(False, description="for network shares, which send no file events")
    keep: bool = Field(False, description="leave taken files where they are")
    timezone: Zone = Field("", description=CAMERA_ZONE)


class FetchSection(Section):
    """Where a picture of this camera can be asked for."""

    kind: Literal["url", "foscam", "file"] = "url"
    url: str = Field(
        "",
        description="of the still picture, where {username} and {password} stand for the two below;"
        " foscam: http://host:port",
    )
    command: str = Field(
        "snapPicture2", pattern=r"^[A-Za-z0-9_]+$", description="for kind foscam: the CGI command"
    )
    path: Path | None = Field(None, description="for kind file: a picture, or a folder of them")
    username: str = ""
    password: SecretStr = Field(
        SecretStr(""), description="or in the secrets folder as camera_<name>_fetch_password"
    )
    auth: Literal["auto", "none", "basic", "digest"] = "auto"
    verify_tls: bool = True
    every_s: float | None = Field(None, gt=0, description="null: only on request")
    timeout_s: Seconds = Field(15.0, description="for one whole attempt, connection to last byte")
    attempts: int = Field(3, ge=1, le=10)

    @model_validator(mode="after")
    def _has_source(self) -> FetchSection:
        if self.kind == "file" and self.path is None:
            raise ValueError("kind 'file' needs 'path'")
        if "@" in self.url.partition("://")[2].partition("/")[0]:
            raise ValueError("put the name and password of 'url' into 'username' and 'password'")
        if self.kind != "file" and not self.url.startswith(("http://", "https://")):
            raise ValueError("'url' must begin with http:// or https://")
        return self


class CameraSection(Section):
    """One camera and its doors; it may have several."""

    place: str = Field("", description="what people call the spot: 'Front door'")
    ftp: FtpAccountSection | None = None
    folder: FolderSection | None = None
    fetch: FetchSection | None = None
