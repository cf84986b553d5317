"""A small volume of its own, which can fill up, run out of inodes, and become read-only."""

from __future__ import annotations

import contextlib
import itertools
import subprocess
import time
from pathlib import Path

from tests.support.rights import has_rights


class Disk:
    """A small file system of its own in memory, where mounting is allowed; else a plain folder.
    ``inodes`` 0: as many as are wanted."""

    def __init__(self, root: Path, megabytes: int, inodes: int = 0) -> None:
        self.root = root
        self.is_mounted = has_rights()
        root.mkdir(exist_ok=True)
        if self.is_mounted:
            options = f"size={megabytes}m,nr_inodes={inodes},mode=755"
            self._mount("-t", "tmpfs", "-o", options, "snapbus-tests", str(root))

    @staticmethod
    def _mount(*arguments: str) -> None:
        subprocess.run(["mount", *arguments], check=True, capture_output=True)

    def fill(self, leave: int = 0) -> None:
        """Leave no byte, or only so many."""
        with (self.root / "filler").open("wb", buffering=0) as file:
            step = 1 << 20
            while step >= 4096:
                try:
                    file.write(b"\0" * step)
                except OSError:
                    step //= 4
            file.truncate(max(file.tell() - leave, 0))

    def exhaust(self) -> None:
        """Leave no inode: bytes are free, but no file can be made."""
        with contextlib.suppress(OSError):
            for number in itertools.count():
                (self.root / f"filler{number}").touch()

    def free(self) -> None:
        """End ``fill`` and ``exhaust``."""
        for filler in self.root.glob("filler*"):
            filler.unlink()

    def lock(self) -> None:
        """Make it read-only; the kernel wants a moment when no file is being written."""
        for _ in range(200):
            with contextlib.suppress(subprocess.CalledProcessError):
                self._mount("-o", "remount,ro", str(self.root))
                return
            time.sleep(0.01)
        raise RuntimeError(f"{self.root} is always being written to")

    def unlock(self) -> None:
        """End ``lock``."""
        self._mount("-o", "remount,rw", str(self.root))

    def close(self) -> None:
        """Unmount it."""
        if self.is_mounted:
            subprocess.run(["umount", "-l", str(self.root)], check=False)
