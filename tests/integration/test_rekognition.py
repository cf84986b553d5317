"""Amazon Rekognition by a simulated one over HTTP: what is said of a picture, and when."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.amazon import FIRST, amazon, asking
from tests.support.pictures import jpeg


@pytest.mark.promise("feat E2", "feat E7")
def test_a_picture_has_two_results_that_of_the_detector_and_that_of_amazon(tmp_path: Path) -> None:
    with amazon() as cloud, asking(tmp_path, cloud) as asks:
        event = asks.local(jpeg(), "dog", confidence=0.5)
        said = asks.handle(event)

        assert said is not None and said.analyzed
        assert (said.analyzer, said.engine, said.model) == (
            "rekognition", "rekognition", "DetectLabels 3.0",
        )  # fmt: skip
        person, garden = said.detections
        assert (person.label, person.confidence, person.box) == (
            "person",
            0.991,
            (0.25, 0.5, 0.5, 0.75),
        )
        assert (garden.label, garden.confidence, garden.box) == ("garden", 0.88, (0, 0, 1, 1))
        assert (said.person_count, said.human_seen) == (1, True)
        assert (said.width, said.height) == (320, 240)
        snapshot = asks.core.journal.read.snapshot(event.snapshot_id or "")
        assert snapshot is not None
        assert [each.analyzer for each in snapshot.analyses] == ["detector", "rekognition"]
        assert cloud.charged == {FIRST: 1}
