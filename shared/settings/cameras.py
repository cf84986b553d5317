"""Settings of one camera: the doors through which it delivers."""

from __future__ import annotations

from inspect import isclass
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field, SecretStr, model_validator

from shared.events import ORGANISATION
from shared.settings.fetch import FetchSection
from shared.settings.section import CAMERA_ZONE, CameraName, DoorSection, Section, Zone


class QuotaSection(Section):
    """How much one camera may deliver on one day (UTC)."""

    pictures_a_day: int = Field(200_000, gt=0)
    bytes_a_day: int = Field(50_000_000_000, gt=0)


class FtpLoginSection(Section):
    """What an account of the FTP server may."""

    active: bool = Field(False, description="allow PORT and EPRT to the camera's own address")
    tls: Literal["plain", "optional", "required"] = Field(
        "optional",
        description="required: neither its password nor its pictures are taken without TLS",
    )
    quota: QuotaSection = QuotaSection()
    timezone: Zone = Field("", description=CAMERA_ZONE)


class FtpAccountSection(FtpLoginSection, DoorSection):
    """How this camera logs in to the FTP server: with an account of its own, which is called as the
    camera is, or with one that it shares."""

    username: str = Field("", description="account name; empty: the camera's name")
    password: SecretStr = Field(
        SecretStr(""), description="or in the secrets folder as camera_<name>_ftp_password"
    )
    account: str = Field(
        "", description="one of ftp.accounts, which it shares; then it has no account of its own"
    )
    names: tuple[str, ...] = Field(
        (),
        max_length=20,
        description="with a shared account: what folders and files call it besides its own name,"
        " such as its serial number, its address, or what the recorder calls it",
    )

    @model_validator(mode="after")
    def _logs_in_once(self) -> FtpAccountSection:
        own = {"username", "password", "active", "tls"} & self.model_fields_set
        if self.account and own:
            raise ValueError(f"'{min(own)}' is for an account of its own, and 'account' is shared")
        if self.names and not self.account:
            raise ValueError("'names' are for a shared account: set 'account', or remove them")
        return self


class MailAccountSection(DoorSection):
    """How this camera logs in to the mail server. Its address is ``<its name>@`` and anything."""

    username: str = Field("", description="account name; empty: the camera's name")
    password: SecretStr = Field(
        SecretStr(""), description="or in the secrets folder as camera_<name>_mail_password"
    )
    tls: Literal["plain", "optional", "required"] = Field(
        "optional",
        description="required: neither its password nor its pictures are taken without TLS",
    )
    quota: QuotaSection = QuotaSection()
    timezone: Zone = Field("", description=CAMERA_ZONE)


class HttpSection(DoorSection):
    """That this camera sends pictures to the API itself, with a key of scope ingest. A key is
    enough; this is for what differs from the defaults."""

    quota: QuotaSection = QuotaSection()
    timezone: Zone = Field("", description=CAMERA_ZONE)


class FolderSection(DoorSection):
    """A folder from which this camera's pictures are taken."""

    path: Path
    pattern: str = Field("", description="only files of such names, as snapshot_*.jpg; empty: all")
    poll: bool = Field(False, description="for network shares, which send no file events")
    every_s: float | None = Field(
        None, gt=0, description="how often it is read in full; null: folders.rescan_s"
    )
    keep: bool = Field(False, description="leave taken files where they are")
    processed: Path | None = Field(
        None,
        description="move taken files there, a relative one is below 'path'; it is made; null: they"
        " are removed",
    )
    results: bool = Field(
        False,
        description="write <name>_analysis.json with what was found, where taken files go, or to"
        " 'path'",
    )
    failed: Path | None = Field(
        None, description="move what is no whole picture there, with the reason; null: .rejected"
    )
    timezone: Zone = Field("", description=CAMERA_ZONE)

    @model_validator(mode="after")
    def _one_fate(self) -> FolderSection:
        if self.keep and self.processed:
            raise ValueError("'keep' leaves taken files and 'processed' moves them: choose one")
        return self


class CameraSection(Section):
    """One camera and its doors; it may have several."""

    organisation: CameraName = Field(ORGANISATION, description="whose camera it is")
    place: str = Field("", description="what people call the spot: 'Front door'")
    device_type: str = Field("Camera", description="what home automation calls this kind of device")
    ftp: FtpAccountSection | None = None
    mail: MailAccountSection | None = None
    http: HttpSection | None = None
    folder: FolderSection | None = None
    fetch: FetchSection | None = None

    def location(self, name: str) -> str:
        """What people call the spot; for a camera without a place its ``name``."""
        return self.place or name

    def device_key(self, name: str) -> str:
        """What the house calls the camera of this ``name``: its location and its type."""
        return f"{self.location(name)} {self.device_type}"

    @property
    def doors(self) -> dict[str, DoorSection]:
        """The configured doors by name."""
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
