"""Builds the detector service: an engine if there is one, and the handler around it.

Without an engine or a model the service runs all the same: pictures are still checked by a full
decode, and each is marked "not analysed" with the reason.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from services.detector.analyst import Analyst
from services.detector.engines.choose import choose, open_engine
from services.detector.engines.engine import Engine, EngineUnavailable, cores, parallelism
from services.detector.isolated import IsolatedAnalyst
from shared.events import SnapshotTaken
from shared.picture.decode import Limits
from shared.service import Context, Service
from shared.settings.detector import DetectorSection

log = logging.getLogger(__name__)


def build(context: Context) -> Service:
    """The detector with a worker more than it does pictures at a time: while the result of one is
    committed, the next is begun."""
    settings = context.settings.detector
    engine, why = _open(context)
    limits = Limits(max_pixels=settings.max_pixels, strict=settings.strict)
    streams = parallelism(settings.streams, settings.threads, cores()).streams
    analyst = Analyst(
        context.store,
        engine,
        reason="" if engine else why,
        limits=limits,
        fast=settings.decode == "fast",
        at_a_time=streams,
    )

    def about() -> Mapping[str, Any]:
        return {**_about(settings, engine, why), **analyst.counts(), "streams": streams}

    return Service(
        name="detector",
        handlers={SnapshotTaken.topic: analyst},
        workers=streams + 1,
        # A picture that is analysed twice costs time; what is committed first stays.
        look_up_first=False,
        isolated=IsolatedAnalyst(context.store.root, context.settings.data, settings),
        about=about,
    )


def _open(context: Context) -> tuple[Engine | None, str]:
    """The engine and why this one; or none and why."""
    try:
        choice = choose(context.settings.detector)
        log.info(
            "loading %s with %s", choice.model.name, choice.engine, extra={"action": "loading"}
        )
        engine = open_engine(choice, context.settings.detector, context.settings.data)
    except EngineUnavailable as error:
        log.warning("pictures are not analysed: %s", error, extra={"action": "no_engine"})
        return None, str(error)
    log.info(
        "detecting with %s, %s: %s",
        engine.model,
        engine.detail,
        choice.why,
        extra={"action": "engine", "engine": engine.name, "model_sha256": engine.model_sha256},
    )
    return engine, choice.why


def _about(settings: DetectorSection, engine: Engine | None, why: str) -> dict[str, Any]:
    if engine is None:
        # Switched off is as somebody wanted it; a missing model is not.
        wanted = not settings.enabled or settings.engine == "none"
        return {"ok": wanted, "summary": f"not analysing: {why}", "engine": "none", "reason": why}
    return {
        "ok": True,
        "summary": f"{engine.model} on {engine.detail}",
        "engine": engine.name,
        "model": engine.model,
        "model_sha256": engine.model_sha256,
        "labels": len(engine.labels),
        "detail": engine.detail,
        "reason": why,
    }
