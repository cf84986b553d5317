"""What is declared on a broker, as data.

Standard library only: `task configure` reads it before any package of ours is installed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Exchange:
    """``durable``: it outlives a restart of the broker."""

    name: str
    kind: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    durable: bool = True


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable queue."""

    name: str
    arguments: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Binding:
    """``to`` is a queue, or an exchange if ``forwards``."""

    to: str
    exchange: str
    key: str = ""
    forwards: bool = False


@dataclass(frozen=True, slots=True)
class Topology:
    """What must exist; declared in this order."""

    exchanges: Sequence[Exchange]
    queues: Sequence[Queue] = ()
    bindings: Sequence[Binding] = ()
