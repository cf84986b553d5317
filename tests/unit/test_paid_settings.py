"""Budgets: what one place leaves out, another says."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from shared.settings.paid import PaidSection


def limits(**tree: Any) -> list[tuple[float | None, float | None]]:
    """Daily and monthly, of the engine, a camera and an organisation."""
    section = PaidSection.model_validate(tree)
    found = section.budgets("rekognition", "porch", "home")
    return [(budget.daily, budget.monthly) for _, _, budget in found]


@pytest.mark.promise("feat E29")
@pytest.mark.parametrize(
    ("tree", "engine"),
    [
        ({}, (1.0, 10.0)),
        ({"engine": {"daily": 2}}, (2.0, 10.0)),
        ({"engine": {"monthly": 0}}, (1.0, 0.0)),
        ({"engine": {"monthly": None}}, (1.0, None)),
        ({"engines": {"rekognition": {"daily": 0.5}}}, (0.5, 10.0)),
        ({"engines": {"rekognition": {"daily": None}}}, (None, 10.0)),
        ({"engine": {"monthly": 5}, "engines": {"rekognition": {"daily": 0.5}}}, (0.5, 5.0)),
    ],
)
def test_one_limit_does_not_lift_the_other(tree: dict[str, Any], engine: tuple[float | None, ...]):
    assert limits(**tree) == [engine, (None, None), (None, None)]
    own = PaidSection.model_validate(tree).of_engine("rekognition")
    assert (own.daily, own.monthly) == engine


def test_cameras_and_organisations_leave_out_what_is_as_for_all():
    tree = {
        "camera": {"daily": 0.2, "monthly": 3},
        "cameras": {"porch": {"daily": 0.5}},
        "organisation": {"monthly": 20},
        "organisations": {"home": {"daily": 7}},
    }
    assert limits(**tree)[1:] == [(0.5, 3.0), (7.0, 20.0)]


def test_an_engine_that_is_not_there_is_refused():
    with pytest.raises(ValidationError, match="rekognition"):
        PaidSection.model_validate({"engines": {"recognition": {"daily": 0.5}}})
