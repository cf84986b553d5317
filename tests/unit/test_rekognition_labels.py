"""Amazon's answers as detections, and which pictures are worth a call."""

from __future__ import annotations

from typing import Any

import pytest

from services.rekognition.labels import MOST, WHOLE, detections
from services.rekognition.wishes import wants
from shared.errors import Retry
from shared.events import Detection, SnapshotAnalyzed, counts_of
from shared.settings.rekognition import RekognitionSection
from tests.support.amazon import label


def read(*labels: dict[str, Any], confidence: float = 0.5) -> list[Detection]:
    return detections({"Labels": list(labels), "LabelModelVersion": "3.0"}, confidence)[0]


@pytest.mark.promise("feat E2", "feat E7")
def test_percentages_become_fractions_and_instances_boxes() -> None:
    box = {"Left": -0.01, "Top": 0.5, "Width": 0.25, "Height": 0.6}

    (person, scene) = read(label("Person", 98.5, 98.5, box=box), label("Outdoors", 77.0))

    assert person == Detection(label="person", confidence=0.985, box=(0, 0.5, 0.24, 1))
    assert scene == Detection(label="outdoors", confidence=0.77, box=WHOLE)


@pytest.mark.promise("feat E2", "feat E25")
def test_the_threshold_filters_labels_and_their_instances() -> None:
    found = read(label("Car", 99, 99, 81, 79), label("Cat", 79.9), label("Dog", 80), confidence=0.8)

    assert [(each.label, each.confidence) for each in found] == [
        ("car", 0.99), ("car", 0.81), ("dog", 0.8),
    ]  # fmt: skip


@pytest.mark.promise("feat E2", "feat E8")
@pytest.mark.parametrize(
    ("labels", "people"),
    [
        ([label("Person", 99, 99, 95, 90)], 3),
        ([label("Person", 99, 99, 95), label("Human", 99, 99, 95)], 2),
        ([label("Human", 99, 99)], 1),
        ([label("Person", 92)], 1),  # it is there, Amazon does not say where
        ([label("Person", 92, 92, 60)], 1),
        ([label("Person", 60)], 0),
        ([label("Car", 99, 99)], 0),
    ],
)
def test_people_are_counted_once(labels: list[dict[str, Any]], people: int) -> None:
    counted = counts_of(read(*labels), 0.8)

    assert (counted["person_count"], counted["human_seen"]) == (people, people > 0)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"Hello": "world"},
        {"Labels": None},
        {"Labels": [{"Name": "Person"}]},
        {"Labels": [label("Person", float("nan"))]},
        {"Labels": [label("Person", 99, float("inf"))]},
        {"Labels": [{"Name": "Car", "Confidence": 99, "Instances": [{"Confidence": 9}]}]},
    ],
)
@pytest.mark.promise("fault D7")
def test_what_is_no_answer_is_never_nothing_found(answer: dict[str, Any]) -> None:
    with pytest.raises(Retry, match="can't be read"):
        detections(answer, 0.5)


def test_an_answer_without_end_fits_into_a_message() -> None:
    found = read(*(label("x" * 5000, 99, *[99] * 50) for _ in range(50)))

    assert len(found) == MOST
    assert {len(each.label) for each in found} == {64}


def local(*found: tuple[str, float], analyzed: bool = True) -> SnapshotAnalyzed:
    seen = tuple(Detection(label=name, confidence=sure, box=WHOLE) for name, sure in found)
    return SnapshotAnalyzed(camera="porch", analyzed=analyzed, detections=seen)


@pytest.mark.promise("feat E3")
@pytest.mark.parametrize(
    ("section", "result", "wanted"),
    [
        ({}, local(("person", 0.95)), False),
        ({}, local(("person", 0.95), ("person", 0.3)), False),
        ({}, local(("person", 0.79)), True),
        ({}, local(("person", 0.95), ("dog", 0.4)), True),
        ({}, local(), False),
        ({}, local(analyzed=False), True),
        ({"unsure_when_empty": True}, local(), True),
        ({"unsure_of": ["Person"]}, local(("person", 0.95), ("dog", 0.4)), False),
        ({"unsure_of": ["person"]}, local(("person", 0.5), ("dog", 0.99)), True),
        ({"unsure_of": ["person"], "unsure_when_empty": True}, local(("dog", 0.99)), True),
        ({"unsure_below": 0.5}, local(("person", 0.6)), False),
        ({"when": "always"}, local(("person", 0.99)), True),
        ({"when": "always", "cameras": ["yard"]}, local(("person", 0.3)), False),
        ({"when": "always", "cameras": ["porch"]}, local(), True),
    ],
)
def test_a_picture_is_sent_when_the_local_detector_is_not_sure(
    section: dict[str, Any], result: SnapshotAnalyzed, wanted: bool
) -> None:
    assert wants(RekognitionSection(**section), result) is wanted
