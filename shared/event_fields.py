"""Types of the fields that events have in common."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A hash in hexadecimal; strict, because it becomes a path in the store."""
Name = Annotated[str, Field(max_length=64)]
"""The name of an analyser, an archive or a policy; as long as its column in the journal."""
ORIGINAL = "original"
"""The kind of a filed copy that has the very bytes that were taken."""
Door = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{1,15}$")]
"""The way by which a picture came in; any name: docs/decisions/doors-are-names.md."""
Trigger = Literal[
    "", "motion", "timer", "line_crossing", "intrusion", "person", "face", "vehicle", "animal",
    "package", "sound", "tamper", "doorbell", "alarm", "test", "manual",
]  # fmt: skip
"""Why a camera took a picture; empty: it did not say, or it is none of these."""
TRIGGERS: frozenset[str] = frozenset(get_args(Trigger))
Location = Annotated[str | None, Field(description="what people call the camera's spot")]
DeviceType = Annotated[str | None, Field(description="what the house calls such devices")]
DeviceKey = Annotated[str | None, Field(description="what the house calls this one")]


def known_trigger(value: object) -> object:
    """Words of a newer version are taken as unknown: services are upgraded one by one."""
    return value if value in TRIGGERS else ""


AnyTrigger = Annotated[Trigger, BeforeValidator(known_trigger)]
