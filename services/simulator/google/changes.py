"""What a caller may say of a file: its name, its times, its star, its properties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from services.simulator.google.clock import read
from services.simulator.google.file import Caller, File, Property
from services.simulator.google.wire import invalid

MAX_PROPERTIES = 100
MAX_PROPERTY_BYTES = 124


def changed(
    file: File,
    body: Mapping[str, Any],
    caller: Caller,
    *,
    now: float | None = None,
    sets_time: bool = False,
    is_new: bool = False,
) -> File:
    """The file with what the body says of it. Raises Refusal."""
    named = {"title": "title", "description": "description", "mimeType": "mime"}
    texts = {named[name]: _text(body, name) for name in named if body.get(name) is not None}
    new = replace(file, **texts)  # type: ignore[arg-type]
    labels = body.get("labels") or {}
    if not isinstance(labels, dict):
        raise invalid("labels")
    if "properties" in body:
        new = replace(new, properties=_properties(file, body["properties"], caller))
    if new != file and now is not None:
        new = replace(new, modified=now)
    if body.get("modifiedDate") and (is_new or sets_time):
        new = replace(new, modified=read(body["modifiedDate"]))
    if is_new and body.get("createdDate"):
        new = replace(new, created=read(body["createdDate"]))
    if "starred" in labels:
        own = frozenset((caller.email,))
        starred = new.starred | own if labels["starred"] is True else new.starred - own
        new = replace(new, starred=starred)
    if "trashed" in labels:
        new = replace(new, trashed=labels["trashed"] is True)
    return new


def _text(body: Mapping[str, Any], name: str) -> str:
    if not isinstance(body[name], str):
        raise invalid(name)
    return str(body[name])


def _properties(file: File, given: object, caller: Caller) -> tuple[Property, ...]:
    """The properties with those given in the place of older ones; one without value is removed."""
    if not isinstance(given, list):
        raise invalid("properties")
    kept = {(each.key, each.visibility, each.client): each for each in file.properties}
    for each in given:
        if not isinstance(each, dict) or not isinstance(each.get("key"), str):
            raise invalid("properties")
        visibility = each.get("visibility", "PRIVATE")
        client = caller.client if visibility == "PRIVATE" else ""
        name, value = (each["key"], visibility, client), each.get("value")
        if value is None:
            kept.pop(name, None)
            continue
        if len(f"{each['key']}{value}".encode()) > MAX_PROPERTY_BYTES:
            raise invalid(f"property {each['key'][:30]} is longer than {MAX_PROPERTY_BYTES} bytes")
        kept[name] = Property(each["key"], str(value), visibility, client)
    if len(kept) > MAX_PROPERTIES:
        raise invalid("too many properties")
    return tuple(kept.values())
