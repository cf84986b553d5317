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
    """The first frame; its id resumes a stream that has sent no event yet. ``lost``: the event to
    resume from is not known. ``topics``: all that may come."""
    data = json.dumps({"version": version, "lost": lost, "topics": sorted(EVENTS)})
    return f"retry: {RETRY_MS}\nid: {_line(newest_id)}\nevent: hello\ndata: {data}\n\n".encode()


def comment(text: str) -> bytes:
    """A comment, which clients ignore; it keeps proxies from closing the connection."""
    return f": {text}\n\n".encode()


def ping() -> bytes:
    """The sign of life for clients that can't see comments."""
    data = json.dumps({"event": "ping", "time": now().isoformat()})
    return f"event: ping\ndata: {data}\n\n".encode()


def _line(text: str) -> str:
    return "".join(character for character in text if character.isprintable())
