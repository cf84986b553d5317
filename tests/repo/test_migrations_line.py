"""Migrations are one line, each numbered as its file; with two of one number nothing starts."""

from __future__ import annotations

import re

from tests.repo.tree import ROOT

VERSIONS = ROOT / "shared/journal/migrations/versions"
IDS = re.compile(r'^(?:down_)?revision(?:: .*)? = (?:"(\d{4})"|None)$', re.MULTILINE)


def test_each_migration_follows_the_one_before_it() -> None:
    files = sorted(VERSIONS.glob("[0-9]*.py"))
    told = [tuple(IDS.findall(file.read_text("utf-8"))) for file in files]

    numbers = [f"{number:04}" for number in range(len(files) + 1)]
    assert [file.name[:4] for file in files] == numbers[1:]
    assert told == list(zip(numbers[1:], ["", *numbers[1:-1]], strict=True))
