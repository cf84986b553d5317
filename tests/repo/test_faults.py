"""docs/design/faults.md and the tests agree on which fault is tested."""

from __future__ import annotations

import re

from tests.repo.tree import ROOT, read

ROW = re.compile(r"^\| ([A-Z]+\d+) \| .+? \| (.+) \|$", re.MULTILINE)
MARK = re.compile(r'"fault ([A-Z]+\d+)"')


def rows() -> dict[str, str]:
    """What the page says of each fault."""
    return dict(ROW.findall(read("docs/design/faults.md")))


def marked() -> set[str]:
    """The faults that tests name."""
    folder = ROOT / "tests"
    return {each for path in folder.rglob("test_*.py") for each in MARK.findall(path.read_text())}


def test_each_fault_has_a_test_or_a_reason() -> None:
    told = rows()
    excused = {each for each, text in told.items() if text.startswith("*Not tested*")}

    assert len(told) > 50
    assert set(told) - marked() == excused


def test_each_tested_fault_is_on_the_page() -> None:
    assert marked() - set(rows()) == set()
