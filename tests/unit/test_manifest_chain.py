"""Manifests are read as what they are: files that anybody may have written."""

from __future__ import annotations

import hashlib
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


def manifest(count: int) -> list[bytes]:
    """The lines of a whole manifest."""
    lines = [json.dumps(FIRST).encode()]
    for number in range(count):
        before = hashlib.sha256(lines[-1]).hexdigest()
        line = {"path": f"2026/03/01/{number}.jpg", "sha256": "a" * 64, "size": number}
        lines.append(
            json.dumps({**line, "kind": "original", "snapshot": "1", "before": before}).encode()
        )
    return lines


@pytest.mark.promise("feat F21")
def test_a_line_that_was_changed_or_taken_out_breaks_the_chain():
    lines = manifest(4)
    whole = chain.read(b"\n".join(lines) + b"\n")
    assert (whole.broken, len(whole.held)) == ("", 4)
    changed = [*lines[:2], lines[2].replace(b'"size": 1', b'"size": 7'), *lines[3:]]
    for broken, number in ((changed, 4), ([*lines[:2], *lines[3:]], 3)):
        found = chain.read(b"\n".join(broken) + b"\n")
        assert found.broken == f"line {number} does not follow from the line before it"
        assert len(found.held) == number - 2
