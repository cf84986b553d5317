"""Settings of the service that speaks with the programs of an existing system."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints

from shared.settings.api import Network
from shared.settings.section import CameraName, Seconds, Section

PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
_Exchange = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,100}$")]
_Key = Annotated[str, StringConstraints(pattern=r"^[^\s#*]{1,100}$")]


class LegacySection(Section):
    enabled: bool = Field(
        False,
        description="true: triggers are taken from, and pictures told to, the programs of an "
        "existing system, in its own format",
    )
    url: SecretStr = Field(
        SecretStr(""),
        description="of the RabbitMQ those programs use, amqp[s]://user:password@host/vhost, or in "
        "the secrets folder as legacy_url; empty: that of broker.url",
    )
    exchange: _Exchange = Field(
        "home_automation", description="theirs; triggers come by the one named so with _control"
    )
    topic: _Key = Field("snapshot", description="third part of the routing keys")
    device_name: _Key = Field(
        "snapshot-processor",
        description="how we are called there; unlike that of another program that answers too",
    )
    inputs: tuple[CameraName, ...] | None = Field(
        None, description="cameras whose pictures are told without a trigger; null: all"
    )
    outputs: tuple[CameraName, ...] | None = Field(
        None, description="cameras that triggers may ask; null: all that can be asked"
    )
    valid_s: Seconds = Field(
        120.0, description="an older trigger is ignored, of an older picture nobody is told"
    )
    triggers_a_minute: int = Field(60, gt=0, description="of one camera; more are ignored")
    networks: tuple[Network, ...] = Field(
        PRIVATE,
        description="where a camera of fetch kind 'told' may be; a trigger that names an address "
        "elsewhere is ignored",
    )
    max_bytes: int = Field(
        15_000_000, gt=0, description="larger pictures are not told; RabbitMQ takes 16 MiB"
    )
    intervals: bool = Field(
        False,
        description="true: tell also of pictures that a person or an interval asked for, not only "
        "of those that were triggered or uploaded",
    )
    root: PurePosixPath = Field(
        PurePosixPath("/data/ftp"), description="begins the paths that are told (storage_path)"
    )
    upload_dir: str = Field("uploads/snapshots", description="below it, in these paths")
    image_format: str = Field(
        "jpg", pattern=r"^[A-Za-z0-9]{1,10}$", description="ends the paths of fetched pictures"
    )
