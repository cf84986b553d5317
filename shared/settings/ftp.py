"""Settings of the FTP server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from shared.settings.cameras import FtpAccountSection, FtpLoginSection
from shared.settings.section import CameraName, Port, Seconds, Section


def _range(ports: str) -> str:
    first, _, last = ports.partition("-")
    if ports and not 0 < int(first) <= int(last) <= 65_535:
        raise ValueError("write the lower port first, both from 1 to 65535, such as 30000-30009")
    return ports


def _folder(path: str) -> str:
    parts = [each.strip() for each in path.strip("/ ").split("/")]
    strange = any(each in ("", ".", "..") or not each.isprintable() for each in parts)
    if strange or len(path) > 200:
        raise ValueError("write folders as a/b/c, without .. and at most 200 characters")
    return "/".join(parts)


def _listed(folders: object) -> object:
    """One text, as a variable holds it, is a list with commas."""
    if isinstance(folders, str):
        return [each for each in (part.strip() for part in folders.split(",")) if each]
    return folders


VirtualFolder = Annotated[str, AfterValidator(_folder)]
VirtualFolders = Annotated[tuple[VirtualFolder, ...], BeforeValidator(_listed)]


class FtpSharedSection(FtpLoginSection):
    """An account of several cameras, which are told apart by the folders and names of their
    files."""

    username: str = Field("", description="empty: as it is called here")
    password: SecretStr = Field(
        SecretStr(""), description="or in the secrets folder as ftp_<name>_password"
    )
    new_cameras: int = Field(
        0,
        ge=0,
        le=1000,
        description="so many folders that are no camera's become cameras by themselves; what"
        " belongs to no camera is refused before its first byte",
    )


class MirrorSection(Section):
    """A folder that gets a copy of each picture pushed by FTP, as its camera called it."""

    folder: Path | None = Field(None, description="such as /data/ftp; empty: none")
    days: float = Field(7.0, gt=0, description="older copies are removed")
    max_bytes: int = Field(
        10_000_000_000, gt=0, description="and the oldest, when they are more than this in all"
    )


class FtpSection(Section):
    enabled: bool = Field(True, description="false: no FTP server")
    host: str = "0.0.0.0"  # noqa: S104  cameras reach it over the network
    port: Port = 2121
    passive_ports: Annotated[str, AfterValidator(_range)] = Field(
        "30000-30009",
        pattern=r"^(\d{1,5}-\d{1,5})?$",
        description="first and last port of data connections; empty: any",
    )
    masquerade_address: str = Field("", description="address cameras see when behind NAT or Docker")
    accounts: dict[CameraName, FtpSharedSection] = Field(
        default_factory=dict, description="accounts that several cameras share"
    )
    folders: VirtualFolders = Field(
        (), max_length=100, description="shown to cameras that look for folders, such as snap/gate"
    )
    upload_folder: VirtualFolder | None = Field(
        None, description="one more, which says nothing of the camera"
    )
    mirror: MirrorSection = MirrorSection()
    certificate: Path | None = Field(
        None, description="of FTPS, PEM with its chain; empty: one is made and kept in the data"
    )
    certificate_key: Path | None = Field(None, description="its key, if it is not in that file")
    max_connections: int = Field(
        256, gt=0, description="in all; fewer where the process may have few descriptors"
    )
    max_connections_per_ip: int = Field(
        32, gt=0, description="four times as many from an address that a camera logged in from"
    )
    timeout_s: Seconds = Field(300.0, description="silent connections are closed after this")
    stall_s: Seconds = Field(30.0, description="an upload without a byte for so long is given up")
    upload_s: Seconds = Field(300.0, description="and one that takes longer as a whole")
    store_threads: int = Field(
        4, ge=1, le=64, description="threads that store pictures; each takes all that wait"
    )

    def login(self, camera: str, section: FtpAccountSection) -> str:
        """The user name that a camera logs in with."""
        shared = self.accounts.get(section.account)
        if shared:
            return shared.username or section.account
        return section.username or camera

    @model_validator(mode="after")
    def _key_has_certificate(self) -> FtpSection:
        if self.certificate_key and not self.certificate:
            raise ValueError("'certificate_key' needs 'certificate'")
        return self
