"""The sections of config/snapbus.yml: every setting, its default and what it is for.

One tree describes all services, so that an unknown key is refused wherever it stands and one
JSON schema (config/snapbus.schema.json) describes the whole file.
"""

from __future__ import annotations

from datetime import tzinfo
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    model_validator,
)

CameraName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
"""A name that is safe as a routing key, an account and a part of a file name."""


def zone_of(name: str) -> tzinfo | None:
    """The time zone of this name; None: that of this machine (TZ). Raises ValueError."""
    try:
        return ZoneInfo(name) if name else None
    except (OSError, ValueError, KeyError):
        raise ValueError(f"there is no zone {name!r}; write it like Europe/Berlin") from None


def _checked(zone: str) -> str:
    zone_of(zone)
    return zone


Zone = Annotated[str, AfterValidator(_checked)]
_ZONE = "of the times in file names, such as Europe/Berlin; empty: the zone of this machine (TZ)"
Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A part of the configuration; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FtpAccount(Section):
    """How this camera logs in to the FTP server; the account is the camera's name by default."""

    username: str = Field("", description="account name; empty: the camera's name")
    password: SecretStr = Field(
        SecretStr(""), description="or in the secrets folder as camera_<name>_ftp_password"
    )
    active: bool = Field(False, description="allow PORT and EPRT to the camera's own address")
    timezone: Zone = Field("", description=_ZONE)


class WatchedFolder(Section):
    """A folder from which this camera's pictures are taken."""

    path: Path
    poll: bool = Field(False, description="for network shares, which send no file events")
    keep: bool = Field(False, description="leave taken files where they are")
    timezone: Zone = Field("", description=_ZONE)


class Fetch(Section):
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
    def _has_source(self) -> Fetch:
        if self.kind == "file" and self.path is None:
            raise ValueError("kind 'file' needs 'path'")
        if "@" in self.url.partition("://")[2].partition("/")[0]:
            raise ValueError("put the name and password of 'url' into 'username' and 'password'")
        if self.kind != "file" and not self.url.startswith(("http://", "https://")):
            raise ValueError("'url' must begin with http:// or https://")
        return self


class Camera(Section):
    """One camera and its doors; it may have several."""

    place: str = Field("", description="what people call the spot: 'Front door'")
    ftp: FtpAccount | None = None
    folder: WatchedFolder | None = None
    fetch: Fetch | None = None


class JournalSection(Section):
    url: SecretStr = Field(
        SecretStr(""),
        description="sqlite:////path or postgresql://user@host/db; empty: SQLite below data",
    )


class BrokerSection(Section):
    url: SecretStr = Field(
        SecretStr("local"),
        description="'local' (one process) or amqp[s]://user:password@host/vhost",
    )
    exchange: str = "snapbus"
    max_length: int = Field(100_000, gt=0, description="messages per queue before it refuses more")


class Intake(Section):
    max_bytes: int = Field(32_000_000, gt=0, description="largest picture taken")
    reserve_fraction: float = Field(
        0.10, ge=0, lt=1, description="refuse pictures when less of the disk is free"
    )
    reserve_bytes: int = Field(0, ge=0, description="or less than this")


class Ftp(Section):
    enabled: bool = Field(True, description="false: no FTP server; folders are still watched")
    host: str = "0.0.0.0"  # noqa: S104  cameras reach it over the network
    port: Port = 2121
    passive_ports: str = Field("30000-30009", pattern=r"^(\d+-\d+)?$")
    masquerade_address: str = Field("", description="address cameras see when behind NAT or Docker")
    max_connections: int = Field(256, gt=0)
    max_connections_per_ip: int = Field(32, gt=0)
    timeout_s: Seconds = Field(300.0, description="silent connections are closed after this")
    stall_s: Seconds = Field(30.0, description="an upload without a byte for so long is given up")
    upload_s: Seconds = Field(300.0, description="and one that takes longer as a whole")
    store_threads: int = Field(32, ge=1, le=64, description="pictures synced to disk at a time")


class Folders(Section):
    rescan_s: Seconds = Field(10.0, description="how often folders are read in full")
    settle_s: Seconds = Field(2.0, description="a file without close event must rest this long")


class Detector(Section):
    enabled: bool = Field(
        True, description='false: pictures are only checked, and passed on as "not analysed"'
    )
    engine: Literal["auto", "ultralytics", "openvino", "onnx", "none"] = "auto"
    model: Path | None = Field(None, description="model file; null: look in 'models'")
    models: Path = Field(Path("models"), description="folder where `task model` puts models")
    confidence: float = Field(0.25, ge=0, le=1, description="less is not reported")
    iou: float = Field(0.7, ge=0, le=1, description="boxes of a label that overlap more are one")
    person_confidence: float = Field(
        0.5, ge=0, le=1, description="from here on a person counts as seen"
    )
    precision: Literal["auto", "f32", "bf16"] = "auto"
    streams: int = Field(0, ge=0, description="pictures at a time; 0: one per processor core")
    threads: int = Field(0, ge=0, description="per stream; 0: chosen with the streams")
    strict: bool = Field(True, description="any flaw in a JPEG means quarantine")
    max_pixels: int = Field(50_000_000, gt=0)
    decode: Literal["fast", "full"] = Field(
        "fast", description="fast: large JPEGs are decoded no larger than the network needs"
    )
    device: str = Field("", description="for ultralytics: cpu, cuda:0 …; empty: its choice")


class Drive(Section):
    enabled: bool = Field(
        True, description="false: nothing is filed; pictures end as skipped, and stay in the store"
    )
    archive: Literal["folder"] = "folder"
    folder: Path = Field(Path("archive"), description="relative paths are below the data folder")
    timezone: Zone = Field(
        "",
        description="whose days and times folders and file names show, such as Europe/Berlin; "
        "empty: the zone of this machine (TZ)",
    )
    policy: Literal["everything", "objects", "people"] = "everything"


class Scheduler(Section):
    enabled: bool = Field(
        True,
        description="false: no camera is asked at intervals; unfinished work is still looked after",
    )
    reconcile_s: Seconds = Field(2.0, description="how often forgotten work is looked for")
    grace_s: Seconds = Field(30.0, description="an event without result is forgotten then")


class Api(Section):
    enabled: bool = Field(True, description="false: no page and no API")
    host: str = "0.0.0.0"  # noqa: S104  the page is for the local network
    port: Port = 8080
    thumbnail_px: int = Field(480, ge=32, le=2048, description="longest side")
    hosts: tuple[str, ...] = Field(
        (),
        description="names of this server that a proxy uses, such as cams.example.org; addresses "
        "and local names (nas, nas.local, nas.lan) need no mention",
    )


class Health(Section):
    host: str = "127.0.0.1"
    port: Port = Field(8081, description="of /live, /ready and /metrics of each process; 0: any")
    stuck_s: Seconds = Field(120.0, description="older unpublished or unfinished work is stuck")


class Log(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"
    sentry_dsn: SecretStr = SecretStr("")


class Work(Section):
    attempts: int = Field(5, ge=1, description="unexpected failures before work is dead")
    retries: int = Field(20, ge=1, description="known temporary failures before work is dead")
    first_retry_s: Seconds = 5.0
    longest_retry_s: Seconds = 3600.0
    stop_grace_s: Seconds = 6.0


class Simulator(Section):
    http_port: Port = 8090
    host: str = "127.0.0.1"
    pictures: Path | None = Field(None, description="a folder of photographs; null: drawn scenes")
    ftp_host: str = "127.0.0.1"
    ftp_port: Port | None = Field(None, description="null: that of ftp.port")
    ftp_every_s: Seconds = 5.0
