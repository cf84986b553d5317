"""One run: mutated inputs for a while, each with the same seed in the same order."""

from __future__ import annotations

import hashlib
import resource
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.fuzz.mutate import Mutator
from tests.fuzz.targets import TARGETS, Try


@dataclass(frozen=True, slots=True)
class Finding:
    """An input that was not answered as it may be."""

    target: str
    data: bytes
    error: str

    @property
    def name(self) -> str:
        return f"{self.target}-{hashlib.sha256(self.data).hexdigest()[:12]}"


def fuzz(target: str, seconds: float, seed: int, folder: Path) -> tuple[int, Finding | None]:
    """How many inputs were tried until the first finding, or the end."""
    chosen = TARGETS[target]
    inputs = Mutator(chosen.seeds, chosen.words, Random(seed))
    tried = 0
    with chosen.open(folder) as give:
        for data in chosen.seeds:
            if error := _wrong(give, data, chosen.slow_s):
                return tried, Finding(target, data, error)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            data = inputs()
            tried += 1
            if error := _wrong(give, data, chosen.slow_s):
                return tried, Finding(target, data, error)
    return tried, None


def again(target: str, data: bytes, folder: Path) -> str:
    """What is wrong with the answer to one input."""
    chosen = TARGETS[target]
    with chosen.open(folder) as give:
        return _wrong(give, data, chosen.slow_s)


def _wrong(give: Try, data: bytes, slow_s: float) -> str:
    before = _spent_s()
    try:
        give(data)
    except Exception as error:  # noqa: BLE001  whatever it is, it was not expected
        return f"{type(error).__name__}: {error}"
    spent = _spent_s() - before
    return f"it took {spent:.1f} s of processor" if spent > slow_s else ""


def _spent_s() -> float:
    uses = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in uses)


def keep(finding: Finding, folder: Path) -> Path:
    """Write the input of a finding into a file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / finding.name
    path.write_bytes(finding.data)
    return path
