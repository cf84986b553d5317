"""Two archives in one place would count one copy as two: the settings refuse them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from shared.settings.tree import Settings

DRIVE = {"archive": "google", "google": {"folder": "a/b"}}
S3 = {"archive": "s3", "s3": {"bucket": "pictures", "prefix": "home"}}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (DRIVE, {"archive": "google", "google": {"folder": "/a//b/"}}),
        (S3, {"archive": "s3", "s3": {"bucket": "pictures", "prefix": "home/"}}),
    ],
)
def test_one_place_is_no_place_for_two(first: dict[str, Any], second: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="same place"):
        Settings.model_validate({"drive": first, "archives": {"second": second}})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (DRIVE, {"archive": "google", "google": {"folder": "a/c"}}),
        (DRIVE, {"archive": "google", "google": {"folder": "a/b", "token": "tokens/other.json"}}),
        (S3, {"archive": "s3", "s3": {"bucket": "pictures", "prefix": "barn"}}),
    ],
)
def test_two_places_are_taken(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert Settings.model_validate({"drive": first, "archives": {"second": second}})
