"""Which files a mirror holds: what we wrote, and may therefore remove.

A file of lines, to which each copy adds one, and another before it is removed: from then on the
name may be of a file of somebody else. It is written anew when most of its lines are of copies that
are gone. A damaged line is left out: its copy then stays for ever, and nothing else.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

FEWEST_LINES = 1000
GONE = "- "
"""Begins the line of a copy that is removed."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A file that we wrote. ``seq``: a place in the journal up to which all was copied before.
    ``at``: when."""

    path: str
    size: int
    at: float
    seq: int

    def line(self) -> str:
        """As it stands in the index."""
        return f"{self.seq} {self.at:.3f} {self.size} {self.path}\n"


class MirrorIndex:
    """The copies, oldest first. Belongs to one thread, but for its figures. Raises OSError."""

    def __init__(self, file: Path, folder: Path) -> None:
        """``file`` is about ``folder``, or about another, and then forgotten."""
        self._file = file
        self._folder = folder
        self._copies: OrderedDict[str, Copy] = OrderedDict()
        self._lines = 0
        self.seq = 0
        """The place up to which the journal's pictures were copied."""
        self.new = True
        self.bytes = 0
        self._load()

    def __len__(self) -> int:
        return len(self._copies)

    def __contains__(self, path: object) -> bool:
        return path in self._copies

    def first(self) -> Copy | None:
        """The oldest copy."""
        return next(iter(self._copies.values()), None)

    def begin(self, seq: int) -> None:
        """A new index; copies begin behind this place."""
        self.seq, self.new = seq, False
        self._rewrite()

    def add(self, copy: Copy) -> None:
        """A copy is about to be written."""
        if self._lines > max(FEWEST_LINES, 2 * len(self._copies)):
            self._rewrite()
        self._append(copy.line())
        self._keep(copy)

    def release(self, path: str) -> None:
        """A copy is about to be removed: whatever has its name after a restart is not ours."""
        self._append(f"{GONE}{path}\n", sync=True)

    def drop(self, path: str) -> None:
        """A copy is gone."""
        self.bytes -= self._copies.pop(path).size

    def _append(self, line: str, *, sync: bool = False) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            file.write(line)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        self._lines += 1

    def _keep(self, copy: Copy) -> None:
        if copy.path in self._copies:
            self.drop(copy.path)
        self._copies[copy.path] = copy
        self.bytes += copy.size
        self.seq = max(self.seq, copy.seq)

    def _load(self) -> None:
        if not self._file.exists():
            return
        with self._file.open(encoding="utf-8", errors="replace") as file:
            seq, _, folder = file.readline().rstrip("\n").partition(" ")
            if folder != str(self._folder) or not seq.isdigit():
                return
            self.seq, self.new = int(seq), False
            for line in file:
                self._lines += 1
                if line.startswith(GONE):
                    if (path := line.rstrip("\n").removeprefix(GONE)) in self._copies:
                        self.drop(path)
                elif copy := _read(line):
                    self._keep(copy)

    def _rewrite(self) -> None:
        part = self._file.with_suffix(".part")
        with part.open("w", encoding="utf-8") as file:
            file.write(f"{self.seq} {self._folder}\n")
            file.writelines(copy.line() for copy in self._copies.values())
        part.replace(self._file)
        self._lines = len(self._copies)


def _read(line: str) -> Copy | None:
    try:
        seq, at, size, path = line.rstrip("\n").split(" ", 3)
        return Copy(path, int(size), float(at), int(seq))
    except ValueError:
        return None
