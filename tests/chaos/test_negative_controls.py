"""Every safeguard taken away makes its test red; with it, nothing is lost and nothing done twice.

The controls that need a power cut are measured by ``python -m tests.chaos.power --control …``; one
of them runs in test_power.py. docs/design/delivery-tables.md lists all.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.controls import WORLDS
from tests.chaos.controls_rabbit import RABBIT_WORLDS
from tests.chaos.power import CONTROLS

ALL = [*WORLDS, *RABBIT_WORLDS]
DOCUMENT = Path(__file__).parents[2] / "docs" / "design" / "delivery-tables.md"


def play(name: str, folder: Path, request: pytest.FixtureRequest, *, broken: bool):
    if name in WORLDS:
        outcome = WORLDS[name](folder, broken)
    else:
        outcome = RABBIT_WORLDS[name](request.getfixturevalue("amqp_url"), broken)
    assert outcome.acknowledged > 0
    return outcome.lost, outcome.twice


@pytest.mark.promise("inv I1", "inv I8")
@pytest.mark.parametrize("name", ALL)
def test_with_its_safeguard_nothing_is_lost_or_twice(name: str, tmp_path: Path, request):
    assert play(name, tmp_path, request, broken=False) == (0, 0)


@pytest.mark.parametrize("name", ALL)
def test_without_its_safeguard_the_same_count_is_red(name: str, tmp_path: Path, request):
    assert play(name, tmp_path, request, broken=True) > (0, 0)


def test_the_document_lists_every_control():
    text = DOCUMENT.read_text(encoding="utf-8")

    assert [name for name in (*ALL, *CONTROLS) if name not in text] == []
