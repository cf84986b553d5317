"""The tables of paid calls: what was spent, what is reserved, and answers that are remembered.

Money is counted in millionths, as whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.journal.owned import OwnedTable

OWNER = "paid"
EVER = "ever"


@dataclass(frozen=True, slots=True)
class Spent:
    """What one engine cost a ``scope`` (engine, camera or organisation) of this name in a
    ``period``: a day, a month, or ever. Reservations are in it. ``refused``: calls that a budget
    did not allow."""

    engine: str
    scope: str
    name: str
    period: str
    micros: int
    calls: int
    refused: int


@dataclass(frozen=True, slots=True)
class Reservation:
    """A call that was begun and whose end nobody has told yet. It counts as spent; one that a crash
    left behind does for good, because nobody knows whether it was made."""

    id: str
    engine: str
    camera: str
    organisation: str
    micros: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Scene:
    """What an engine answered to a picture that looked like this, as JSON; the newest of a camera
    is when its last call was."""

    engine: str
    camera: str
    snapshot_id: str
    likeness: str
    answer: str
    at: datetime


SPENT = OwnedTable(OWNER, "spent", Spent, ("engine", "scope", "name", "period"))
RESERVATIONS = OwnedTable(OWNER, "reservations", Reservation, ("id",))
SCENES = OwnedTable(OWNER, "scenes", Scene, ("engine", "camera", "snapshot_id"))
