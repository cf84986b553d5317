"""Wrong passwords, counted: many of one camera's in a short time are an alarm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

WINDOW_S = 600.0
MANY = 10
"""So many wrong passwords of one camera within the window are told."""
MOST_ADDRESSES = 100


@dataclass(slots=True)
class Guessing:
    """What was tried on one camera. ``addresses``: the first of them."""

    camera: str
    since: float
    count: int = 0
    addresses: list[str] = field(default_factory=list)
    told: bool = False


class Guesses:
    """Belongs to the thread of the server, but for ``now``. ``alarm`` is called once for each
    window with many."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.alarm: Callable[[Guessing], None] = lambda guessing: None
        self._clock = clock
        self._of: dict[str, Guessing] = {}

    def note(self, camera: str, address: str) -> None:
        """One more wrong password."""
        now = self._clock()
        guessing = self._of.get(camera)
        if guessing is None or now - guessing.since > WINDOW_S:
            guessing = self._of[camera] = Guessing(camera, now)
        guessing.count += 1
        if address not in guessing.addresses and len(guessing.addresses) < MOST_ADDRESSES:
            guessing.addresses.append(address)
        if guessing.count >= MANY and not guessing.told:
            guessing.told = True
            self.alarm(guessing)

    def now(self) -> list[Guessing]:
        """The cameras whose passwords are being guessed. Any thread."""
        oldest = self._clock() - WINDOW_S
        return [each for each in list(self._of.values()) if each.told and each.since > oldest]
