"""Switches off the telemetry of the engines' libraries."""

from __future__ import annotations

import os
import sys


def hush() -> None:
    """Switch it off for all libraries that are imported afterwards."""
    # ONNX Runtime tells Microsoft what it runs, from 1.29 on, and keeps an id in the home folder.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    # OpenVINO's converter calls Google Analytics, by a package that we don't install. None makes
    # the converter's import fail, which OpenVINO allows for; it is half of what it imports, too.
    sys.modules["openvino.tools.ovc"] = None  # type: ignore[assignment]
