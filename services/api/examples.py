"""Examples of bodies in /openapi.json, by the name of their model; a test holds them to it."""

from __future__ import annotations

from typing import Any

_TIME = "2026-11-21T17:03:12Z"
_ID = "01KAJ8Q2V4M7Z9D3T6X1R5BHNE"
_BASE = f"/v1/snapshots/{_ID}"
_ANALYSIS = {
    "analyzer": "detector", "analyzed": True, "engine": "onnx", "model": "yolov8n.onnx",
    "width": 1920, "height": 1080, "milliseconds": {"decode": 4.1, "infer": 61.0},
}  # fmt: skip
_FILING = {
    "archive": "folder",
    "state": "archived",
    "path": "2026/11/21/porch_18-03-12.jpg",
    "kind": "original",
}
_SNAPSHOT: dict[str, Any] = {
    "id": _ID, "camera": "porch", "place": "Front door", "door": "ftp", "name": "snap.jpg",
    "captured_at": _TIME, "captured_by": "name", "received_at": "2026-11-21T17:03:13Z",
    "skew_s": None, "trigger": "motion", "size": 284113, "media_type": "image/jpeg",
    "sha256": "9f" * 32, "state": "archived", "kept": False, "dead": [],
    "analysis": _ANALYSIS, "analyses": [_ANALYSIS],
    "detections": [
        {"label": "person", "confidence": 0.91, "box": [0.1, 0.2, 0.4, 0.9], "analyzer": "detector"}
    ],
    "label_counts": {"person": 1}, "person_count": 1, "human_seen": True,
    "archive": _FILING, "filings": [_FILING],
    "urls": {
        "page": f"/snapshots/{_ID}", "snapshot": _BASE, "picture": f"{_BASE}/picture",
        "thumbnail": f"{_BASE}/thumbnail", "original": f"{_BASE}/picture?original=1",
    },
}  # fmt: skip
_EVENT = "5f1f2f2e-6f0c-5a44-9c1d-0b0f4a3e9b11"
_KEY = {
    "id": "4k2m9x7q1v", "name": "Home Assistant", "scopes": ["read"], "cameras": None,
    "rate": 600, "state": "valid", "created_by": "anna", "created_at": _TIME, "expires_at": None,
    "used_at": None,
}  # fmt: skip
EXAMPLES: dict[str, Any] = {
    "SnapshotView": _SNAPSHOT,
    "SnapshotList": {"snapshots": [_SNAPSHOT], "next": _ID},
    "Counts": {
        "by": "hour", "since": "2026-11-21T00:00:00+01:00", "until": "2026-11-22T00:00:00+01:00",
        "counts": [
            {
                "start": "2026-11-21T18:00:00+01:00", "camera": "porch", "snapshots": 12,
                "humans": 2, "labels": {"person": 3},
            }
        ],
    },
    "Accepted": {"id": _EVENT, "url": f"/v1/requests/{_EVENT}"},
    "RequestView": {
        "id": _EVENT, "camera": "porch", "requested_at": _TIME, "state": "done", "snapshot": _BASE,
        "reason": "", "work": [],
    },
    "Replay": {"service": "drive"},
    "Replayed": {"replayed": 2},
    "Credentials": {"name": "anna", "password": "correct horse battery"},
    "FirstAccount": {"name": "anna", "password": "correct horse battery", "code": "7MQ2-KX4T"},
    "NewPassword": {"old": "correct horse battery", "new": "a better one of mine"},
    "NewPerson": {
        "name": "ben", "password": "correct horse battery", "role": "viewer", "cameras": ["porch"],
    },
    "Changes": {"role": "operator"},
    "NewKey": {"name": "Home Assistant", "scopes": ["read"]},
    "KeyView": _KEY,
    "KeyShown": {**_KEY, "key": "4k2m9x7q1v.Q0b1…"},
    "Rotation": {"overlap_s": 3600},
}  # fmt: skip
