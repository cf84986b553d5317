"""Who walks about: skin, hair and clothes that go together well enough."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

from .shapes import Colour, shade

SKIN: tuple[Colour, ...] = (
    (244, 208, 178),
    (229, 184, 148),
    (203, 152, 112),
    (164, 114, 78),
    (120, 80, 54),
    (92, 60, 42),
)
HAIR: tuple[Colour, ...] = (
    (38, 28, 24),
    (70, 46, 30),
    (112, 74, 42),
    (190, 150, 92),
    (150, 78, 44),
    (168, 166, 164),
)
CLOTH: tuple[Colour, ...] = (
    (178, 52, 48),
    (46, 84, 140),
    (58, 112, 78),
    (224, 168, 62),
    (88, 64, 112),
    (214, 214, 208),
    (60, 62, 70),
    (196, 112, 70),
    (72, 142, 158),
    (164, 92, 116),
    (112, 100, 84),
    (236, 128, 52),
)
TROUSERS: tuple[Colour, ...] = (
    (44, 56, 84),
    (66, 82, 112),
    (58, 56, 58),
    (128, 112, 88),
    (84, 74, 62),
    (38, 40, 46),
)


@dataclass(frozen=True, slots=True)
class Person:
    """How one person looks."""

    height: float
    build: float
    skin: Colour
    hair: Colour
    long_hair: bool
    top: Colour
    lower: Colour
    shoes: Colour
    coat: float  # how far the top reaches below the hip, in metres
    sleeves: bool
    skirt: bool
    hat: Literal["none", "cap", "beanie", "hood"]
    bag: Literal["none", "backpack", "parcel", "shopping"]
    accent: Colour


def somebody(rng: random.Random) -> Person:
    """A person with clothes that go together well enough."""
    child = rng.random() < 0.14
    return Person(
        height=rng.uniform(1.12, 1.42) if child else rng.uniform(1.58, 1.9),
        build=rng.uniform(0.88, 1.22),
        skin=rng.choice(SKIN),
        hair=rng.choice(HAIR),
        long_hair=rng.random() < 0.4,
        top=shade(rng.choice(CLOTH), rng.uniform(0.85, 1.12)),
        lower=shade(rng.choice(TROUSERS), rng.uniform(0.85, 1.15)),
        shoes=rng.choice(((40, 36, 36), (92, 66, 46), (226, 224, 220), (60, 60, 72))),
        coat=rng.choice((0.0, 0.04, 0.06, 0.1, 0.42)),
        sleeves=rng.random() < 0.7,
        skirt=rng.random() < 0.18,
        hat=rng.choices(("none", "cap", "beanie", "hood"), (6, 2, 1, 1))[0],
        bag=rng.choices(("none", "backpack", "parcel", "shopping"), (6, 2, 2, 1))[0],
        accent=rng.choice(CLOTH),
    )
