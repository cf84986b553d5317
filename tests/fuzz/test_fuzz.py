"""A few seconds of `task fuzz`, and that it finds what is planted."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.picture import exif, header
from tests.fuzz.run import Finding, again, fuzz, keep
from tests.fuzz.targets import TARGETS

SECONDS = 3.0
SEED = 7


@pytest.mark.promise("sec V1", "sec M2", "fault D4", "fault D8", "sec A9")
@pytest.mark.parametrize("target", TARGETS)
def test_mutated_inputs_are_answered_as_they_may_be(target: str, tmp_path: Path):
    tried, finding = fuzz(target, SECONDS, SEED, tmp_path)
    assert finding is None, finding
    assert tried > 5


def test_what_is_wrong_is_found_kept_and_thrown_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def careless(tiff: memoryview) -> int:
        return 1 if tiff[4] else 1 // 0

    right = exif.orientation
    monkeypatch.setattr(header, "orientation", careless)
    _tried, finding = fuzz("pictures", 60, SEED, tmp_path)
    assert isinstance(finding, Finding)
    assert "ZeroDivisionError" in finding.error
    data = keep(finding, tmp_path / "found").read_bytes()
    assert again("pictures", data, tmp_path) == finding.error
    monkeypatch.setattr(header, "orientation", right)
    assert again("pictures", data, tmp_path) == ""
