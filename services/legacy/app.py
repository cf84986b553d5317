"""Wires the service that speaks with the programs of an existing system."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from services.legacy.devices import Devices
from services.legacy.heartbeat import Heartbeat
from services.legacy.house import House
from services.legacy.tell import TellHouse
from services.legacy.triggers import Triggers
from services.legacy.where import url_of
from shared.events import SnapshotAnalyzed, SnapshotShared
from shared.service import NOTHING_OLD, Context, Service, switched_off


def build(context: Context) -> Service:
    """The service of this configuration."""
    settings = context.settings
    section = settings.legacy
    if not section.enabled:
        return switched_off("legacy")
    devices = Devices(section, context.cameras)
    triggers = Triggers(context, section, devices)
    keys = sorted(set(_keys(section.topic, devices)))
    house = House(url_of(settings), section.exchange, keys, triggers.hear)
    triggers.house = house
    tell = TellHouse(
        context.journal,
        context.store,
        house,
        devices,
        section,
        analyzer=settings.analyzers[0],
    )

    def about() -> Mapping[str, Any]:
        taken, ignored = triggers.counts["taken"], triggers.counts["ignored"]
        summary = f"speaks with the house at {house.place} as {section.device_name}"
        if house.trouble:
            summary = f"the house at {house.place} is away: {house.trouble}"
        counts = {"triggers": taken, "ignored": ignored}
        return {"ok": not house.trouble, "summary": summary, **counts}

    return Service(
        name="legacy",
        handlers={SnapshotAnalyzed.topic: tell.analyzed, SnapshotShared.topic: tell.shared},
        sources=[house, triggers, Heartbeat(house, devices, section.topic)],
        workers=2,
        history=NOTHING_OLD,
        about=about,
    )


def _keys(topic: str, devices: Devices) -> Iterator[str]:
    """Those of triggers: by the topic, or derived from the type of a device that has none. Their
    sender writes them in lower case."""
    yield f"event.trigger.{topic}"
    yield f"event.trigger.{topic.lower()}"
    for each in ({"type": "camera"}, *devices.outputs()):
        yield f"event.trigger.{re.sub(r'[^a-z0-9_]', '_', each['type'].lower())}"
