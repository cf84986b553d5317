"""Settings of a camera that is asked for pictures: its kind, and what that kind needs."""

from __future__ import annotations

from collections.abc import Mapping, Set
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field, SecretStr, model_validator

from shared.settings.section import DoorSection, Seconds

Kind = Literal[
    "url",
    "foscam",
    "foscam_mjpeg",
    "reolink",
    "hikvision",
    "dahua",
    "axis",
    "onvif",
    "vigi",
    "unifi",
    "esp32",
    "tasmota",
    "rtsp",
    "v4l2",
    "file",
    "told",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
_LOGIN = {"username", "password"}
_HTTP = {"host", "url", "verify_tls", "fingerprint"}
USES: Mapping[Kind, Set[str]] = {
    "url": (_HTTP - {"host"}) | _LOGIN | {"auth"},
    "foscam": _HTTP | _LOGIN | {"command"},
    "foscam_mjpeg": _HTTP | _LOGIN,
    "reolink": _HTTP | _LOGIN | {"channel", "stream", "resolution"},
    "hikvision": _HTTP | _LOGIN | {"auth", "channel", "stream", "resolution"},
    "dahua": _HTTP | _LOGIN | {"auth", "channel"},
    "axis": _HTTP | _LOGIN | {"auth", "channel", "resolution"},
    "onvif": _HTTP | _LOGIN | {"auth", "channel", "stream"},
    "vigi": _HTTP | _LOGIN | {"auth", "channel"},
    "unifi": _HTTP | {"password", "id"},
    "esp32": _HTTP | _LOGIN | {"auth"},
    "tasmota": _HTTP | _LOGIN | {"auth"},
    "rtsp": _LOGIN | {"url", "warm_up"},
    "v4l2": {"path", "resolution", "warm_up"},
    "file": {"path"},
    "told": {"path", "command"},
}
"""The settings that a kind uses beside those of every kind."""
OF_EVERY_KIND = frozenset({"kind", "every_s", "timeout_s", "attempts"})
NEEDS: Mapping[Kind, Set[str]] = {
    "url": {"url"},
    "reolink": {"username"},
    "rtsp": {"url"},
    "v4l2": {"path"},
    "file": {"path"},
    "told": {"path"},
}
REOLINK_PASSWORD = 31
"""Characters: a Reolink takes no more."""
_HOST = r"^((\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:\d{1,5})?)?$"


class FetchSection(DoorSection):
    """Where a picture of this camera can be asked for."""

    kind: Kind = Field("url", description="the brand; docs/guide/cameras.md says what each wants")
    host: str = Field(
        "",
        pattern=_HOST,
        description="name or address of the camera, such as 192.168.1.20 or 192.168.1.20:88",
    )
    url: str = Field(
        "",
        description="kind url: of the still picture, where {username} and {password} stand for"
        " the two below; rtsp: of the stream; others: http(s)://host:port in place of 'host'",
    )
    channel: int = Field(
        1, ge=1, le=256, description="of a recorder, or of a camera with several lenses; from 1"
    )
    stream: Literal["main", "sub"] = Field("main", description="sub: the small picture")
    resolution: str = Field("", pattern=r"^(\d{2,5}x\d{2,5})?$", description="such as 1280x720")
    id: str = Field(
        "",
        pattern=r"^[A-Za-z0-9]*$",
        description="kind unifi: the camera's id in Protect; the password is then the API key",
    )
    command: str = Field(
        "snapPicture2", pattern=r"^[A-Za-z0-9_]+$", description="for kind foscam: the CGI command"
    )
    path: Path | None = Field(
        None,
        description="kind file: a picture, or a folder of them; v4l2: /dev/video0; told: the file "
        "that keeps the address which a trigger of an existing system told",
    )
    username: str = ""
    password: SecretStr = Field(
        SecretStr(""), description="or in the secrets folder as camera_<name>_fetch_password"
    )
    auth: Literal["auto", "none", "basic", "digest"] = "auto"
    verify_tls: bool = True
    fingerprint: str = Field(
        "",
        pattern=r"^(|[0-9A-Fa-f]{64}|([0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2})$",
        description="SHA-256 of the camera's certificate: this one is trusted, and no other",
    )
    warm_up: int = Field(
        0, ge=0, le=100, description="kinds rtsp and v4l2: frames to throw away before the picture"
    )
    every_s: float | None = Field(None, gt=0, description="null: only on request")
    timeout_s: Seconds = Field(15.0, description="for one whole attempt, connection to last byte")
    attempts: int = Field(3, ge=1, le=10)

    def told(self, door: str) -> str:
        return f"{door} every {self.every_s:g} s" if self.every_s else f"{door} on request"

    @model_validator(mode="after")
    def _fits_its_kind(self) -> FetchSection:
        for name in sorted(self.model_fields_set - OF_EVERY_KIND - USES[self.kind]):
            if getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"kind '{self.kind}' has no use for '{name}'")
        for name in sorted(NEEDS.get(self.kind, ())):
            if not getattr(self, name):
                raise ValueError(f"kind '{self.kind}' needs '{name}'")
        if "host" in USES[self.kind] and bool(self.host) == bool(self.url):
            raise ValueError(f"kind '{self.kind}' needs 'host', or 'url' in place of it")
        return self

    @model_validator(mode="after")
    def _has_a_plain_url(self) -> FetchSection:
        schemes = ("rtsp://",) if self.kind == "rtsp" else ("http://", "https://")
        authority = self.url.partition("://")[2].partition("/")[0]
        if "@" in authority:
            raise ValueError("put the name and password of 'url' into 'username' and 'password'")
        if self.url and not self.url.startswith(schemes):
            raise ValueError(f"'url' must begin with {' or '.join(schemes)}")
        if self.url and not authority:
            raise ValueError("'url' names no host")
        return self

    @model_validator(mode="after")
    def _has_a_login_that_can_be_sent(self) -> FetchSection:
        if self.kind == "reolink" and len(self.password.get_secret_value()) > REOLINK_PASSWORD:
            raise ValueError(f"a Reolink takes passwords of {REOLINK_PASSWORD} characters at most")
        unsendable = {"rtsp": ':"'}.get(self.kind, ":" if self.auth == "basic" else "")
        if found := [each for each in unsendable if each in self.username]:
            raise ValueError(f"a user name with {found[0]} can't be sent by this login")
        if self.kind == "unifi" and bool(self.id) != bool(self.password.get_secret_value()):
            raise ValueError("Protect wants 'id' and its API key as 'password'; a camera, neither")
        if self.fingerprint and self.url.startswith("http://"):
            raise ValueError("'fingerprint' is of a certificate, so 'url' must begin with https://")
        return self
