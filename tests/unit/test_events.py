"""Events: ids that their cause fixes, and data that fits its model."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from pydantic import ValidationError

from shared.events import EVENTS, NAMESPACE, SnapshotRejected, SnapshotTaken, event_id
from tests.support.making import analyzed, taken


@pytest.mark.promise("inv I8")
def test_the_same_cause_makes_the_same_event_and_another_another():
    assert analyzed(taken(1)).id == analyzed(taken(1)).id
    assert analyzed(taken(1)).id != analyzed(taken(2)).id
    assert event_id("a", "snapshot.taken") != event_id("a", "snapshot.analyzed")
    assert event_id("a", "t", "1") != event_id("a", "t", "2")


def test_an_id_is_a_uuid5_and_stays_what_it_was():
    found = event_id("cause", "snapshot.taken")
    assert uuid.UUID(found).version == 5
    assert found == str(uuid.uuid5(NAMESPACE, "cause\nsnapshot.taken\n"))
    # In journals and at receivers: it must never change between versions.
    assert str(NAMESPACE) == "6f0d8a52-6d0b-5c1e-9f57-0a0f4f3b7c11"


def test_an_event_inherits_what_belongs_to_its_snapshot():
    parent = taken(7)
    child = SnapshotRejected(camera="porch", reason="cut").event(subject="porch", cause=parent)
    assert child.snapshot_id == parent.snapshot_id
    assert child.cause == parent.id
    assert child.routing_key == "snapshot.rejected.porch"


@pytest.mark.parametrize("topic", EVENTS)
def test_every_topic_is_past_tense_two_words_and_has_a_described_model(topic: str):
    model = EVENTS[topic]
    assert model.topic == topic
    assert topic.count(".") == 1
    assert topic.endswith(("ed", "taken", "kept"))
    assert model.__doc__
    assert model.model_config["extra"] == "forbid"


def test_a_field_that_nobody_knows_is_an_error():
    with pytest.raises(ValidationError):
        SnapshotRejected.model_validate({"camera": "a", "reason": "b", "confidnce": 1})


def test_a_changed_copy_of_an_event_is_parsed_anew():
    event = taken(1)
    assert event.parsed(SnapshotTaken).camera == "porch"

    changed = replace(event, data={**event.data, "camera": "gate"})

    assert changed.parsed(SnapshotTaken).camera == "gate"
    assert event == taken(1)
    with pytest.raises(ValidationError):
        event.parsed(SnapshotRejected)
