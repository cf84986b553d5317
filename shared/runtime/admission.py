"""What a worker takes from the bus, and what a handler may say there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pydantic import ValidationError

from shared.bus.accounts import may_say
from shared.envelope import MAX_BYTES, decode, encode
from shared.errors import ForeignEvent, Reject
from shared.events import EVENTS, Event, SnapshotAnalyzed, SnapshotArchived, SnapshotSkipped
from shared.service import Handler, Service
from shared.settings import Settings

Doubt = Callable[[Event], str]
"""Why the configuration does not know who says an event; empty: it does."""


def admit(body: bytes, sender: str) -> Event:
    """The event in a message of this account; empty: nobody can tell whose it is. Raises
    UndecodableMessage, and ForeignEvent for what the account may not say."""
    event = decode(body)
    if sender and not may_say(sender, event.topic):
        raise ForeignEvent(f"the account {sender} may not say {event.routing_key} {event.id}")
    return event


def handler_of(service: Service, event: Event) -> Handler:
    """The handler for an event, whose data is validated. Raises Reject."""
    handler = service.handlers.get(event.topic)
    if handler is None:
        raise Reject(f"{service.name} does not handle {event.topic!r}")
    try:
        event.parsed(EVENTS[event.topic])
    except (KeyError, ValidationError) as error:
        raise Reject(f"the data is not that of {event.topic}: {error}") from error
    return handler


def doubt(settings: Settings, event: Event) -> str:
    """Why ``settings`` do not know whose result or filing this is; empty: they do."""
    match event.topic:
        case SnapshotAnalyzed.topic:
            kind, name, known = "analyser", event.data.get("analyzer"), settings.analyzers
        case SnapshotArchived.topic | SnapshotSkipped.topic:
            kind, name, known = "archive", event.data.get("archive"), tuple(settings.all_archives)
        case _:
            return ""
    return "" if name in known else f"no {kind} {name} is configured"


def signed(output: Event, service: Service, doubt: Doubt) -> Event:
    """What a handler returned, as it is committed and published. Raises Reject."""
    signed = replace(output, source=f"/snapbus/{service.name}")
    if (size := len(encode(signed))) > MAX_BYTES:
        raise Reject(f"its {output.topic} has {size} bytes; a message has at most {MAX_BYTES}")
    if why := doubt(signed):
        raise Reject(why)
    return signed
