"""Keeps the libraries of the engines from telling their makers what runs here."""

from __future__ import annotations

import os
import sys


def hush() -> None:
    """Call it before an engine is imported: later it is too late."""
    # ONNX Runtime tells Microsoft what it runs, from 1.29 on, and keeps an id in the home folder.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    # OpenVINO calls Google Analytics by a package that we don't install. Where it is all the same,
    # None makes its import fail, and OpenVINO takes a stand-in that does nothing.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
