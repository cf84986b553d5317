"""Writes reference_yolov8n.json: what ultralytics itself sees on the photos of the test data.

    <a Python with ultralytics> tests/data/make_reference.py $SNAPBUS_TEST_DATA

It holds boxes of photographs, no picture and no weights. ``fitted`` is ultralytics' own way, with
as little padding as the network's stride allows; ``square`` is padded to 640×640, which is what a
network of fixed size gets. Both start from the file, so that they cover decoding as well.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path

TARGET = Path(__file__).with_name("reference_yolov8n.json")


def photos(data: Path) -> list[Path]:
    return sorted([*(data / "coco128/train2017").glob("*.jpg"), *(data / "photos").glob("*.jpg")])


def main(data: Path) -> None:
    os.environ.update(ULTRALYTICS_SAFE_LOAD="1", YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false")
    os.environ["YOLO_CONFIG_DIR"] = tempfile.mkdtemp(prefix="ultralytics-")
    import torch
    import ultralytics

    weights = data / "weights/yolov8n.pt"
    model = ultralytics.YOLO(str(weights))

    def seen(photo: Path, rect: bool) -> list[list[object]]:
        result = model.predict(str(photo), rect=rect, verbose=False)[0]
        rows = zip(
            result.boxes.cls.tolist(),
            result.boxes.conf.tolist(),
            result.boxes.xyxyn.tolist(),
            strict=True,
        )
        return [
            [result.names[int(kind)], round(sure, 4), *(round(side, 5) for side in box)]
            for kind, sure, box in rows
        ]

    lines = []
    for photo in photos(data):
        entry = {"fitted": seen(photo, True), "square": seen(photo, False)}
        lines.append(f" {json.dumps(photo.name)}: {json.dumps(entry, separators=(',', ':'))}")
    made = {
        "ultralytics": ultralytics.__version__,
        "torch": torch.__version__,
        "weights_sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
    }
    TARGET.write_text(
        f'{{"made": {json.dumps(made)},\n"photos": {{\n' + ",\n".join(lines) + "\n}}\n", "utf-8"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
