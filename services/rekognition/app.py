"""Wires the service that asks Amazon Rekognition."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from services.rekognition.analyst import LOCAL, NAME, Analyst
from services.rekognition.circuit import Circuit
from services.rekognition.regions import Region, Regions
from services.rekognition.wishes import wants
from shared.aws.client import Client
from shared.events import Event, SnapshotAnalyzed
from shared.paid import Governor, amount
from shared.picture.decode import Limits
from shared.service import NOTHING_OLD, Context, Service, switched_off
from shared.settings import Settings
from shared.settings.rekognition import RekognitionSection

log = logging.getLogger(__name__)

NO_KEYS = "nobody is named who asks Amazon; set aws.access_key_id and aws.secret_access_key"


def build(context: Context) -> Service:
    """The service of this configuration."""
    settings, section = context.settings, context.settings.rekognition
    if not section.enabled:
        return switched_off(NAME)
    aws, detector = settings.aws, settings.detector
    if not (aws.has_keys or aws.machine_role):
        return _without_keys(section)
    regions = Regions([_region(settings, each) for each in _names(settings)])
    governor = Governor(NAME, context.journal, settings.paid, section.thrift)
    analyst = Analyst(
        section,
        context.journal,
        context.store,
        regions,
        governor,
        limits=Limits(detector.max_pixels, detector.strict, detector.decode_seconds),
        person_confidence=detector.person_confidence,
    )

    def about() -> Mapping[str, Any]:
        return told(regions, governor)

    return Service(
        name=NAME,
        handlers={SnapshotAnalyzed.topic: analyst},
        workers=section.workers,
        history=NOTHING_OLD,
        about=about,
        close=regions.close,
    )


def _without_keys(section: RekognitionSection) -> Service:
    """What can be said when nobody is named who asks: that, of each picture that would be sent."""
    log.warning("pictures are not sent: %s", NO_KEYS, extra={"action": "no_keys"})

    def answer(event: Event) -> Sequence[Event]:
        local = event.parsed(SnapshotAnalyzed)
        if local.analyzer != LOCAL or not wants(section, local):
            return []
        said = SnapshotAnalyzed(
            camera=local.camera, analyzer=NAME, analyzed=False, reason=NO_KEYS, engine=NAME
        )
        return [said.event(subject=event.subject, cause=event)]

    about = {"ok": False, "summary": f"not sending: {NO_KEYS}"}
    handlers = {SnapshotAnalyzed.topic: answer}
    return Service(NAME, handlers, history=NOTHING_OLD, about=lambda: about)


def _names(settings: Settings) -> list[str]:
    section = settings.rekognition
    names = (section.region or settings.aws.region, section.alternate_region)
    return list(dict.fromkeys(filter(None, names)))


def _region(settings: Settings, name: str) -> Region:
    section = settings.rekognition
    changed = {"endpoint": section.endpoint, "request_s": section.request_s}
    account = settings.aws.model_copy(update=changed)
    return Region(Client("rekognition", account, region=name), Circuit(name))


def told(regions: Regions, governor: Governor) -> Mapping[str, Any]:
    """The state of the service, with what it costs."""
    paid = governor.about()
    spent = [
        f"{amount(each['money'])}{_of(each['budget'])} {paid['currency']} this {word}"
        for word, each in paid["periods"].items()
        if word != "ever"
    ]
    summary = ", ".join(spent) or "asks Amazon"
    if regions.trouble:
        summary = f"{regions.trouble}; {summary}"
    return {"ok": not regions.is_down, "summary": summary, "paid": {NAME: paid}}


def _of(budget: float | None) -> str:
    return "" if budget is None else f" of {amount(budget)}"
