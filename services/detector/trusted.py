"""Weights that are trusted by their hash; others need consent.

A .pt file is a Python pickle. It is loaded as weights only, and only if its hash is one of these or
somebody consented to it once with `task model MODEL=… CONSENT=yes`.
"""

from __future__ import annotations

from services.detector.engines.engine import EngineUnavailable
from services.detector.model_file import ModelFile

YOLOV8N_URL = "https://github.com/ultralytics/assets/releases/download/v8.3.0/yolov8n.pt"

YOLOV8N_SHA256 = frozenset(
    {
        # since release v8.2.0 of ultralytics/assets, 6,549,796 bytes
        "f59b3d833e2ff32e194b5bb8e08d211dc7c5bdf144b90d2c8412c47ccfc83b36",
        # release v0.0.0, 6,534,387 bytes
        "31e20dde3def09e2cf938c7be6fe23d9150bbbe503982af13345706515f2ef95",
    }
)


def check_trusted(file: ModelFile) -> None:
    """Raises EngineUnavailable for weights that are not trusted and have no consent."""
    if not (file.recorded or file.sha256 in YOLOV8N_SHA256):
        raise EngineUnavailable(
            f"the weights {file.path} are unknown (SHA-256 {file.sha256}); if you trust where they"
            f" come from, run: task model MODEL={file.path} CONSENT=yes"
        )
