"""Prints what an engine of the product sees on the photos of the test data, as JSON.

    <a Python with ultralytics> -m tests.data.see ultralytics yolov8n.pt $SNAPBUS_TEST_DATA

Tests run it where their own Python lacks the engine's library.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from services.detector.engines.choose import Choice, open_engine
from shared.picture.decode import decode
from shared.settings.detector import DetectorSection
from tests.data.make_reference import photos


def main(name: str, model: Path, data: Path) -> None:
    """The last line printed is {photo: [[label, confidence, left, top, right, bottom], …]}."""
    section = DetectorSection(streams=1, precision="f32", device="cpu")
    engine = open_engine(Choice(name, model, ""), section, model.parent)
    seen = {
        photo.name: [
            (found.label, found.confidence, *found.box)
            for found in engine.detect(decode(photo.read_bytes()).pixels).detections
        ]
        for photo in photos(data)
    }
    sys.stdout.write(f"\n{json.dumps(seen)}\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
