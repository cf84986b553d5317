"""A process of its own that detects on one decoded frame: ``<engine> <model> <frame.npy> …``.

Says "ready <seconds> <seconds of processor>" once the first picture is done; then for each line
"<n>" on its input detects n times, as many at a time as it has streams, and answers with the
seconds.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

STARTED = time.perf_counter()


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(engine: str, model: str, frame: str, precision: str, streams: str) -> None:
    import numpy as np

    pixels = np.load(frame)
    if engine == "baseline":
        detect = _baseline(model)
    else:
        detect = _ours(engine, model, precision, int(streams))
    detect(pixels)
    say(f"ready {time.perf_counter() - STARTED} {time.process_time()}")
    _serve(detect, pixels, int(streams))


def _serve(detect, pixels, streams: int) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(streams) as pool:
        for line in sys.stdin:
            start = time.perf_counter()
            if streams == 1:
                for _ in range(int(line)):
                    detect(pixels)
            else:
                list(pool.map(detect, [pixels] * int(line)))
            say(str(time.perf_counter() - start))


def _baseline(model: str):
    """ultralytics as its own documentation uses it."""
    import os

    os.environ.update(YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false", ULTRALYTICS_SAFE_LOAD="1")
    from ultralytics import YOLO

    network = YOLO(model)
    return lambda pixels: network.predict(pixels, verbose=False)


def _ours(engine: str, model: str, precision: str, streams: int):
    from services.detector.engines.choose import Choice, open_engine
    from shared.settings.detector import DetectorSection

    path = Path(model)
    section = DetectorSection(precision=precision, streams=streams)
    return open_engine(Choice(engine, path, ""), section, path.parent).detect


if __name__ == "__main__":
    main(*sys.argv[1:])
