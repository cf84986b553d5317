"""Wires the service that asks Amazon Rekognition."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from services.rekognition.analyst import LOCAL, NAME, Analyst
from services.rekognition.circuit import Circuit
from services.rekognition.cloudwatch import Figures
from services.rekognition.regions import Region, Regions
from services.rekognition.wishes import wants
from shared.aws.client import Client
from shared.events import Event, SnapshotAnalyzed
from shared.paid import Governor, amount
from shared.picture.decode import Limits
from shared.service import NOTHING_OLD, Context, Service, switched_off
from shared.settings import Settings
from shared.settings.rekognition import RekognitionSection

FIGURES_S = 20.0
"""After which figures are not sent."""
log = logging.getLogger(__name__)

NO_KEYS = "nobody is named who asks Amazon; set aws.access_key_id and aws.secret_access_key"


def build(context: Context) -> Service:
    """The service of this configuration."""
    settings = context.settings
    asks = settings.aws.has_keys or settings.aws.machine_role
    governor: Governor | None = None
    if not settings.rekognition.enabled:
        service = switched_off(NAME)
    elif not asks:
        service = _without_keys(settings.rekognition)
    else:
        section = settings.rekognition
        governor = Governor(NAME, context.journal, settings.paid, section.thrift)
        service = _asking(context, governor)
    if not settings.cloudwatch.enabled:
        return service
    return _telling(service, _figures(context, governor))


def _asking(context: Context, governor: Governor) -> Service:
    section, detector = context.settings.rekognition, context.settings.detector
    regions = Regions([_region(context.settings, each) for each in _names(context.settings)])
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


def _figures(context: Context, governor: Governor | None) -> Figures:
    settings, section = context.settings, context.settings.cloudwatch
    account = settings.aws.model_copy(update={"endpoint": section.endpoint, "request_s": FIGURES_S})
    client = Client("cloudwatch", account, region=section.region)
    money = governor.today if governor else None
    return Figures(client, section, context.journal, settings.legacy.device_name, money)


def _telling(service: Service, figures: Figures) -> Service:
    """The same, which also sends figures."""

    def about() -> Mapping[str, Any]:
        before = service.about()
        if not figures.trouble:
            return before
        return {**before, "ok": False, "summary": f"{figures.trouble}; {before['summary']}"}

    def close() -> None:
        service.close()
        figures.close()

    return replace(service, sources=(*service.sources, figures), about=about, close=close)


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
