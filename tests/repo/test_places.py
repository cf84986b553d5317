"""Whoever adds a service or an event is told which place was forgotten, and the guide names all."""

from __future__ import annotations

import re
from types import UnionType
from typing import get_args

import pytest
from pydantic import BaseModel, SecretStr

from shared.events import EVENTS
from shared.settings import Settings
from shared.settings.load import SECRET_FILES
from tests.repo.places import OF_A_SYSTEM, PLACES, forgotten
from tests.repo.tree import SERVICES, compose, read

GUIDE = "docs/guide/add-a-service.md"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_in_every_place(name: str) -> None:
    assert forgotten(name) == []


def test_of_a_service_that_is_nowhere_each_place_is_told() -> None:
    assert forgotten("plates") == [each.of("plates") for each in (*PLACES, *OF_A_SYSTEM)]


def test_the_guide_names_every_place() -> None:
    guide = read(GUIDE)

    places = {each.file.format(name="plates") for each in (*PLACES, *OF_A_SYSTEM)}
    assert sorted(each for each in places if f"`{each}`" not in guide) == []


def test_each_event_is_headed_on_the_page_and_stands_in_the_reference() -> None:
    reference = read("docs/ref/events.md")

    for topic, model in EVENTS.items():
        assert model.title and len(model.title) < 30, topic
        assert topic in reference


def test_the_page_knows_no_topic_that_nobody_says() -> None:
    script = "".join(
        read(f"services/api/static/js/{each}.js") for each in ("live", "story", "model")
    )

    assert set(re.findall(r'"((?:snapshot|camera)\.[a-z]+)"', script)) <= set(EVENTS)


def _secrets(model: type[BaseModel], path: str = "") -> set[str]:
    """The paths of all secret settings, but those of cameras."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        optional = isinstance(field.annotation, UnionType)
        for kind in get_args(field.annotation) if optional else [field.annotation]:
            if kind is SecretStr:
                found.add(f"{path}{name}")
            elif isinstance(kind, type) and issubclass(kind, BaseModel):
                found |= _secrets(kind, f"{path}{name}.")
    return found


def test_each_secret_setting_has_a_file_and_what_compose_gives_is_read() -> None:
    assert _secrets(Settings) == set(SECRET_FILES.values())
    ours = {
        secret if isinstance(secret, str) else secret["target"]
        for each in compose()["services"].values()
        if "build" in each
        for secret in each["secrets"]
    }
    assert ours <= set(SECRET_FILES)
