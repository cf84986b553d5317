"""Builds the detector service: an engine if there is one, and the handler around it.

Without an engine or a model the service runs all the same: pictures are still checked by a full
decode, and each is marked "not analysed" with the reason.
"""

from __future__ import annotations

from functools import partial

from services.detector.analyst import Analyst
from services.detector.current import Current, told
from services.detector.engines.engine import cores, parallelism
from services.detector.isolated import IsolatedAnalyst
from shared.events import SnapshotTaken
from shared.picture.decode import Limits
from shared.service import Context, Service


def build(context: Context) -> Service:
    """The detector, with one worker more than streams, which begins the next picture while a result
    is committed."""
    settings = context.settings.detector
    current = Current(settings, context.settings.data)
    limits = Limits(settings.max_pixels, settings.strict, settings.decode_seconds)
    streams = parallelism(settings.streams, settings.threads, cores()).streams
    analyst = Analyst(
        context.store,
        current.engine,
        reason="" if current.engine else current.why,
        limits=limits,
        fast=settings.decode == "fast",
        at_a_time=streams,
        person_confidence=settings.person_confidence,
    )

    current.feed(analyst)
    return Service(
        name="detector",
        handlers={SnapshotTaken.topic: analyst},
        workers=streams + 1,
        # A picture that is analysed twice costs time; what is committed first stays.
        look_up_first=False,
        isolated=IsolatedAnalyst(
            context.store.root, context.settings.data, settings, bring=context.store.path
        ),
        sources=[current],
        about=partial(told, current, analyst, streams),
    )
