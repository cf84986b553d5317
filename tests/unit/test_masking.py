"""Secrets taken out of texts: in every form, whole, and without the words around them."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest

from shared.masking import MASK, Masker

SECRET = "c@nary & pass#1"


@pytest.mark.promise("find M2", "sec K1")
@pytest.mark.parametrize("user", ["", "a", "ad", "adm", "admin"])
@pytest.mark.parametrize("after", ["", "x", "xy"])
def test_a_secret_is_masked_in_base64_wherever_it_stands(user: str, after: str) -> None:
    encoded = base64.b64encode(f"{user}:{SECRET}{after}".encode()).decode()
    told = Masker([SECRET]).text(f"Authorization: Basic {encoded}")
    assert told.startswith("Authorization: Basic ")
    assert MASK in told
    left = told.rpartition(" ")[2].replace(MASK, "")
    assert len(encoded) - len(left) >= len(SECRET) * 8 // 6 - 1, "all letters that are only its own"


@pytest.mark.promise("find M2")
@pytest.mark.parametrize("code", [str.upper, str.lower])
def test_a_secret_is_masked_in_percent_code_of_either_case(code) -> None:
    every = code("".join(f"%{byte:02x}" for byte in SECRET.encode()))
    few = quote(SECRET).replace("%40", code("%4f")).replace("%4F", "%40").replace("%4f", "%40")
    told = Masker([SECRET]).text(f"pwd={every}&again={few}")
    assert told == f"pwd={MASK}&again={MASK}"


@pytest.mark.promise("find T3")
@pytest.mark.parametrize(
    ("secret", "text", "told"),
    [
        ("wrong", "camera wrongpw: a wrong password", f"camera wrongpw: a {MASK} password"),
        ("1234", "took 12345 pictures, pwd=1234&x", f"took 12345 pictures, pwd={MASK}&x"),
        ("password", "cameras.porch.passwords", "cameras.porch.passwords"),
        ("hunter2!", "loginhunter2!ok", f"login{MASK}ok"),
    ],
)
def test_words_that_only_hold_a_short_secret_stay(secret: str, text: str, told: str) -> None:
    assert Masker([secret]).text(text) == told


def test_the_longest_secret_is_masked_whole_and_an_empty_one_masks_nothing() -> None:
    masker = Masker(["secret-1", "secret-1-and-more", ""])
    assert masker.text("secret-1-and-more, secret-1") == f"{MASK}, {MASK}"


def test_what_is_learnt_later_is_masked_as_well_and_things_within_things() -> None:
    masker = Masker(["first-secret"])
    masker.learn(["second-secret"])
    tree = {"a": ["first-secret", {"b": ("second-secret", 7, None)}]}
    assert masker.masked(tree) == {"a": [MASK, {"b": [MASK, 7, None]}]}
