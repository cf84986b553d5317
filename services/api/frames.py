"""Frames of Server-Sent Events (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import json

from shared.envelope import encode
from shared.events import EVENTS, Event, now

PING_EVERY_BEATS = 2
RETRY_MS = 3_000


def event_frame(event: Event) -> bytes:
    """An event as on the bus: its id resumes a stream, its topic names it."""
    topic = event.topic.replace("\n", " ").replace("\r", " ")
    return f"id: {_line(event.id)}\nevent: {topic}\ndata: ".encode() + encode(event) + b"\n\n"


def hello(newest_id: str, version: str, *, lost: bool = False) -> bytes:
    """The first frame: after which event this stream goes on, so that even one that told nothing
    yet can be resumed. ``lost`` says that the event to resume from is not known here; ``topics``
    are those that may come."""
    data = json.dumps({"version": version, "lost": lost, "topics": sorted(EVENTS)})
    return f"retry: {RETRY_MS}\nid: {_line(newest_id)}\nevent: hello\ndata: {data}\n\n".encode()


def comment(text: str) -> bytes:
    """A line that clients ignore and proxies count as life."""
    return f": {text}\n\n".encode()


def ping() -> bytes:
    """The sign of life for clients that can't see comments."""
    data = json.dumps({"event": "ping", "time": now().isoformat()})
    return f"event: ping\ndata: {data}\n\n".encode()


def _line(text: str) -> str:
    return "".join(character for character in text if character.isprintable())
