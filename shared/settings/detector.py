"""Settings of the detector."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from shared.settings.section import Section


class DetectorSection(Section):
    enabled: bool = Field(
        True, description='false: pictures are only checked, and passed on as "not analysed"'
    )
    engine: Literal["auto", "ultralytics", "openvino", "onnx", "none"] = "auto"
    model: Path | None = Field(
        None, description="model file, or a name such as yolov8n in 'models'; null: the best there"
    )
    models: Path = Field(Path("models"), description="folder where `task model` puts models")
    confidence: float = Field(0.25, ge=0, le=1, description="less is not reported")
    iou: float = Field(0.7, ge=0, le=1, description="boxes of a label that overlap more are one")
    person_confidence: float = Field(
        0.8, ge=0, le=1, description="from here on a person counts, and a human was seen"
    )
    precision: Literal["auto", "f32", "bf16"] = "auto"
    streams: int = Field(0, ge=0, description="pictures at a time; 0: one per processor core")
    threads: int = Field(0, ge=0, description="per stream; 0: chosen with the streams")
    strict: bool = Field(True, description="any flaw in a JPEG means quarantine")
    max_pixels: int = Field(50_000_000, gt=0, description="of a picture that is decoded at all")
    decode_seconds: float = Field(
        1.5, gt=0, le=60, description="of processor, for a picture that is costly to decode"
    )
    decode: Literal["fast", "full"] = Field(
        "fast", description="fast: large JPEGs are decoded no larger than the network needs"
    )
    device: str = Field("", description="for ultralytics: cpu, cuda:0 …; empty: its choice")
