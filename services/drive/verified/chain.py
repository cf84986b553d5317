"""Reads a manifest that anybody may have written, and follows its chain of hashes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.event_fields import Sha256
from shared.journal.manifests import Held

LONGEST_LINE = 4096


class _First(BaseModel):
    model_config = ConfigDict(extra="allow")
    day: str = Field(max_length=10)
    day_before: str = Field(max_length=10)
    before: str = Field(max_length=64)


class _Line(BaseModel):
    model_config = ConfigDict(extra="allow")
    before: str
    path: str = Field(max_length=1024)
    sha256: Sha256
    size: int = Field(ge=0)
    kind: str = Field(max_length=64)
    snapshot: str = Field(max_length=26)


@dataclass(frozen=True, slots=True)
class Chain:
    """What a manifest tells. ``hashes`` are those of its lines; ``broken``: why it is not to be
    believed from some line on, empty: it is whole. ``day_before`` and ``before`` are those of its
    first line."""

    held: tuple[Held, ...]
    hashes: tuple[str, ...]
    day_before: str = ""
    before: str = ""
    broken: str = ""


def read(data: bytes) -> Chain:
    """The chain of a manifest's lines, up to where it breaks. A path that is told twice is what
    its last line says."""
    held: dict[str, Held] = {}
    hashes: list[str] = []
    first: _First | None = None
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            if len(line) > LONGEST_LINE:
                raise ValueError("is too long")
            values: Any = json.loads(line)
            if first is None:
                first = _First.model_validate(values)
            else:
                copy = _Line.model_validate(values)
                if copy.before != hashes[-1]:
                    raise ValueError("does not follow from the line before it")
                held[copy.path] = Held(copy.path, copy.sha256, copy.size, copy.kind, copy.snapshot)
        except (ValidationError, ValueError, RecursionError) as error:
            why = "is no line of a manifest" if isinstance(error, ValidationError) else str(error)
            return _chain(held, hashes, first, f"line {number} {why}")
        hashes.append(hashlib.sha256(line).hexdigest())
    broken = "" if not data or data.endswith(b"\n") else "its last line is cut off"
    return _chain(held, hashes, first, broken)


def _chain(held: dict[str, Held], hashes: list[str], first: _First | None, broken: str) -> Chain:
    days = (first.day_before, first.before) if first else ("", "")
    return Chain(tuple(held.values()), tuple(hashes), *days, broken=broken)
