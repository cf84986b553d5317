"""A model of the delivery: whatever happens in whatever order, the invariants hold after each step.

tests/model/delivery.py says what may happen; what fails is shrunk to the shortest story.
SNAPBUS_MODEL_STEPS asks for more than the few hundred steps of every day.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.model.delivery import Delivery, begin_with
from tests.model.faults import POINTS, WAYS, thorough

STEPS = int(os.environ.get("SNAPBUS_MODEL_STEPS", "250"))


@pytest.mark.promise("inv I1", "inv I2", "inv I4", "inv I5", "inv I6", "inv I7", "inv I8")
@pytest.mark.promise("inv I9", "inv I10", "inv I12", "inv I14", "inv I18", "fault P1", "fault D5")
@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("unlogged")
def test_whatever_happens_in_whatever_order_the_invariants_hold(tmp_path: Path):
    begin_with(tmp_path)
    run_state_machine_as_test(Delivery, settings=thorough(STEPS))


def test_each_failpoint_that_a_story_gets_to_is_among_its_faults():
    ways = tuple(part for parts in WAYS.values() for part in parts)

    assert [point for point in POINTS if not point.startswith(ways)] == []
