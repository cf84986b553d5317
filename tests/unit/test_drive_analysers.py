"""What is filed when a second analyser did not look, and when it is the one that counts."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from services.drive.app import build
from shared.events import Event
from shared.service import Context
from shared.settings import Settings
from tests.support.making import Core, analyzed, events_of, picture

AMAZON = {"rekognition": {"enabled": True}}
ALONE = {"rekognition": {"enabled": True, "when": "always"}, "detector": {"enabled": False}}


def drive(here: Core, policy: str, tree: dict[str, Any]) -> Any:
    sections = {"data": here.settings.data, "drive": {"policy": policy}, **tree}
    context: Context = dataclasses.replace(here.parts, settings=Settings.model_validate(sections))
    (service,) = build(context)
    return service.handlers["snapshot.analyzed"]


def said(event: Event, analyzer: str, *labels: str, looked: bool = True) -> Event:
    """A result of this analyser of the picture of an event."""
    data = {**analyzed(event, *labels).data, "analyzer": analyzer}
    if not looked:
        data |= {"analyzed": False, "reason": "budget", "detections": ()}
        for each in ("label_counts", "person_count", "human_seen"):
            data.pop(each)
    return dataclasses.replace(analyzed(event, *labels), id=f"{analyzer} {looked}", data=data)


@pytest.fixture
def taken(here: Core) -> Event:
    here.arrive(picture(), name="a.jpg")
    return here.told[0]


@pytest.mark.promise("feat E3")
@pytest.mark.parametrize("policy", ["objects", "people"])
def test_what_only_the_second_analyser_did_not_look_at_is_decided_by_the_first(
    here: Core, taken: Event, policy: str
) -> None:
    handler = drive(here, policy, AMAZON)

    (first,) = events_of(handler(said(taken, "detector")))
    assert first.topic == "snapshot.skipped"
    assert handler(said(taken, "rekognition", looked=False)) == []
    (more,) = events_of(handler(said(taken, "rekognition", "person")))
    assert more.topic == "snapshot.archived"


@pytest.mark.promise("feat E3")
def test_where_amazon_alone_looks_it_decides_and_what_it_did_not_see_is_filed(
    here: Core, taken: Event
) -> None:
    handler = drive(here, "people", ALONE)

    assert handler(said(taken, "detector", looked=False)) == []
    (event,) = events_of(handler(said(taken, "rekognition", looked=False)))
    assert event.topic == "snapshot.archived"


def test_who_files_everything_waits_for_nobody(here: Core, taken: Event) -> None:
    (event,) = events_of(drive(here, "everything", ALONE)(said(taken, "detector", looked=False)))

    assert event.topic == "snapshot.archived"
