"""Manifests are read as what they are: files that anybody may have written."""

from __future__ import annotations

import json

import pytest

from services.drive.verified import chain

FIRST = {"archive": "a", "before": "", "day": "2026-03-01", "day_before": "", "manifest": 1}


@pytest.mark.promise("feat F21")
@pytest.mark.parametrize(
    ("data", "broken"),
    [
        (b"", ""),
        (b"\n", "line 1"),
        (b"[" * 100_000, "line 1"),
        (b"\xff\xfe\n", "line 1"),
        (b'{"a": 1}\n', "line 1"),
        (json.dumps(FIRST).encode(), "cut off"),
        (json.dumps(FIRST).encode() + b"\n{}\n", "line 2"),
        (json.dumps(FIRST).encode() + b"\n" + b'{"before": "x"' + b" " * 9000 + b"}\n", "line 2"),
    ],
)
def test_what_is_no_manifest_is_told_and_believed_in_nothing(data: bytes, broken: str):
    found = chain.read(data)
    assert found.held == ()
    assert broken in found.broken
    assert bool(found.broken) == bool(broken)
