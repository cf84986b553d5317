"""Settings of the service that asks Amazon Rekognition."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.settings.paid import ThriftSection
from shared.settings.section import CameraName, Seconds, Section

Region = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{0,40}$")]


class RekognitionSection(Section):
    enabled: bool = Field(
        False, description="true: pictures are sent to Amazon, which takes money for each"
    )
    when: Literal["unsure", "always"] = Field(
        "unsure", description="unsure: only pictures of which the local detector is not sure"
    )
    unsure_below: float = Field(
        0.8, ge=0, le=1, description="it is unsure of a label of which nothing is surer than this"
    )
    unsure_of: tuple[str, ...] = Field(
        (), description="labels that matter for that, such as [person]; empty: all"
    )
    unsure_when_empty: bool = Field(
        False, description="true: of a picture where it found nothing (of these labels), too"
    )
    cameras: tuple[CameraName, ...] | None = Field(
        None, description="whose pictures may be sent at all; null: all"
    )
    confidence: float = Field(0.55, ge=0, le=1, description="less is not reported")
    max_labels: int = Field(50, ge=1, le=1000, description="asked for")
    region: Region = Field("", description="empty: that of aws.region")
    alternate_region: Region = Field(
        "", description="asked when the first does not answer; empty: none"
    )
    endpoint: str = Field(
        "", pattern=r"^(https?://[^@?#\s]+)?$", description="another server; empty: Amazon's"
    )
    request_s: Seconds = Field(10.0, le=60, description="a request that takes longer is given up")
    longest_side: int = Field(
        1920, ge=80, le=10_000, description="pixels; larger pictures are sent smaller"
    )
    valid_s: Seconds = Field(
        86_400.0, description="older pictures are not sent once Amazon is back"
    )
    workers: int = Field(2, ge=1, le=50, description="requests at a time")
    thrift: ThriftSection = Field(
        ThriftSection(price=0.001), description="what spares calls; budgets are in `paid`"
    )

    @property
    def answers_all(self) -> bool:
        """Whether every picture gets an answer."""
        return self.when == "always" and self.cameras is None


class CloudwatchSection(Section):
    enabled: bool = Field(False, description="true: figures are sent to Amazon CloudWatch")
    namespace: str = Field("automation", pattern=r"^[A-Za-z0-9_./#-]{1,255}$")
    region: Region = Field("", description="empty: that of aws.region")
    endpoint: str = Field(
        "", pattern=r"^(https?://[^@?#\s]+)?$", description="another server; empty: Amazon's"
    )
    every_s: float = Field(60.0, ge=10, le=86_400)
