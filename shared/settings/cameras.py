"""Settings of one camera: the doors through which it delivers."""

from __future__ import annotations

from inspect import isclass
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field, SecretStr, model_validator

from shared.events import ORGANISATION
from shared.settings.section import CAMERA_ZONE, CameraName, Seconds, Section, Zone


class DoorSection(Section):
    """One way in which a camera delivers, named by its field of CameraSection."""

    def told(self, door: str) -> str:
        """How the camera delivers, in a word or few."""
        return door


class FtpAccountSection(DoorSection):
    """How this camera logs in to the FTP server; the account is the camera's name by default."""

    username: str = Field("", description="account name; empty: the camera's name")
    password: SecretStr = Field(
        SecretStr(""), description="or in the secrets folder as camera_<name>_ftp_password"
    )
    active: bool = Field(False, description="allow PORT and EPRT to the camera's own address")
    timezone: Zone = Field("", description=CAMERA_ZONE)


class FolderSection(DoorSection):
    """A folder from which this camera's pictures are taken."""

    path: Path
    poll: bool = Field(False, description="for network shares, which send no file events")
    keep: bool = Field(False, description="leave taken files where they are")
    timezone: Zone = Field("", description=CAMERA_ZONE)


class FetchSection(DoorSection):
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

    def told(self, door: str) -> str:
        return f"{door} every {self.every_s:g} s" if self.every_s else f"{door} on request"

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

    organisation: CameraName = Field(ORGANISATION, description="whose camera it is")
    place: str = Field("", description="what people call the spot: 'Front door'")
    ftp: FtpAccountSection | None = None
    folder: FolderSection | None = None
    fetch: FetchSection | None = None

    @property
    def doors(self) -> dict[str, DoorSection]:
        """Those it has, by name."""
        return {name: each for name, each in self if isinstance(each, DoorSection)}


_SECTIONS = {
    name: section
    for name, field in CameraSection.model_fields.items()
    for section in get_args(field.annotation)
    if isclass(section) and issubclass(section, DoorSection)
}
DOORS = tuple(_SECTIONS)
"""The doors that a camera's configuration can name."""
DOORS_WITH_PASSWORD = tuple(
    name for name, section in _SECTIONS.items() if "password" in section.model_fields
)
