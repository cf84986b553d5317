"""What Amazon answers, as detections: its percentages become fractions, its things have boxes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from shared.errors import Retry
from shared.events import Detection

WHOLE = (0.0, 0.0, 1.0, 1.0)
"""The box of a scene, and of a thing of which Amazon does not say where it is."""
PERSON, HUMAN = "person", "human"
LABEL_CHARACTERS = 64
MOST = 100


class _Box(BaseModel):
    Left: float
    Top: float
    Width: float
    Height: float


class _Instance(BaseModel):
    BoundingBox: _Box
    Confidence: float


class _Label(BaseModel):
    Name: str = Field(min_length=1)
    Confidence: float
    Instances: list[_Instance] = []


class _Answer(BaseModel):
    Labels: list[_Label]
    LabelModelVersion: str = ""


def detections(answer: Mapping[str, Any], confidence: float) -> tuple[list[Detection], str]:
    """The things and scenes at least this sure, the surest first, and the model. Names are in lower
    case, as those of other analysers. Raises Retry for what is no answer: it is not "nothing"."""
    try:
        read = _Answer.model_validate(answer)
        found = [each for label in _once(read.Labels) for each in _seen(label)]
    except (ValidationError, ValueError) as error:
        raise Retry("Amazon's answer can't be read") from error
    sure = [each for each in found if each.confidence >= confidence]
    sure.sort(key=lambda each: -each.confidence)
    return sure[:MOST], f"DetectLabels {read.LabelModelVersion}".strip()


def _once(labels: Sequence[_Label]) -> Iterator[_Label]:
    """Without the second word for people, which would count each twice."""
    has_person = any(each.Name.lower() == PERSON for each in labels)
    for each in labels:
        if not (has_person and each.Name.lower() == HUMAN):
            yield each


def _seen(label: _Label) -> Iterator[Detection]:
    name = label.Name.lower()[:LABEL_CHARACTERS]
    if not label.Instances:
        yield Detection(label=name, confidence=_fraction(label.Confidence), box=WHOLE)
    for each in label.Instances:
        box = each.BoundingBox
        edges = (box.Left, box.Top, box.Left + box.Width, box.Top + box.Height)
        left, top, right, bottom = (round(min(1.0, max(0.0, _real(edge))), 5) for edge in edges)
        yield Detection(
            label=name, confidence=_fraction(each.Confidence), box=(left, top, right, bottom)
        )


def _fraction(percent: float) -> float:
    return round(min(1.0, max(0.0, _real(percent) / 100)), 4)


def _real(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError("no number")
    return number
