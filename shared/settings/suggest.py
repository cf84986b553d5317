"""What a setting that does not exist was probably meant to be."""

from __future__ import annotations

from difflib import get_close_matches
from types import UnionType
from typing import Any, get_args, get_origin

from shared.settings.section import Section
from shared.settings.tree import Settings

_NEAR = 0.7


def suggestion(path: str) -> str:
    """The setting whose path is most like this one, of those in the same section; empty: none."""
    section: type[Section] | None = Settings
    *parents, last = path.split(".")
    skip = False
    for name in parents:
        if skip:  # the name of a camera or an archive
            skip = False
            continue
        field = section.model_fields.get(name) if section else None
        section, skip = _below(field.annotation) if field else (None, False)
    if section is None or skip:
        return ""
    near = get_close_matches(last, section.model_fields, 1, _NEAR)
    return ".".join([*parents, near[0]]) if near else ""


def _below(annotation: Any) -> tuple[type[Section] | None, bool]:
    """The section in a type, and whether it is one of several by name."""
    several = get_origin(annotation) is dict
    options = get_args(annotation) if several or isinstance(annotation, UnionType) else [annotation]
    for each in options:
        if isinstance(each, type) and issubclass(each, Section):
            return each, several
    return None, False
