"""What was seen in a picture, and how it is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, TypedDict

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class Detection(BaseModel):
    """One thing seen. ``box`` is left, top, right, bottom as fractions of the upright picture."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    label: str
    confidence: Fraction
    box: tuple[Fraction, Fraction, Fraction, Fraction]


PERSONS = frozenset({"person", "human"})
"""Labels of people, in lower case: COCO says person, Rekognition Person and Human."""


class Counts(TypedDict):
    """What was seen, in numbers: fields of ``SnapshotAnalyzed``."""

    label_counts: dict[str, int]
    person_count: int
    human_seen: bool


def counts_of(detections: Sequence[Detection], person_confidence: float) -> Counts:
    """The numbers of an analysis, the same for each analyser: all things by label, and the people
    of those at least this sure."""
    people = [each for each in detections if each.label.lower() in PERSONS]
    sure = sum(each.confidence >= person_confidence for each in people)
    labels = Counter(each.label for each in detections)
    return Counts(label_counts=dict(labels), person_count=sure, human_seen=sure > 0)
