"""Finds cameras in the network. Only ``find`` imports this: nothing is asked unasked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """A camera that answered: its address, how it was found, the ``fetch.kind`` that fits it, and
    ``where``, the setting that says where it is."""

    address: str
    how: str
    kind: str
    where: str
    name: str
