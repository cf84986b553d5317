"""What becomes of a file once its picture is safe, or once it is clear that it is none."""

from __future__ import annotations

import hashlib
import logging

from cachetools import LRUCache

from services.folder.destination import Destination
from services.folder.directory import REJECTED, Directory, Opened, Replaced, Version
from services.folder.watched import WatchedFolder

log = logging.getLogger(__name__)

MOST_UNMOVED = 200_000
_REMOVED = "taken files can't be removed"
_MOVED = "taken files can't be moved to {}"


class Fate:
    """Removes files, or moves them where the configuration says. Belongs to the thread of the
    importer."""

    def __init__(self, watched: WatchedFolder, directory: Directory) -> None:
        self.trouble = ""
        """Why the last taken file is still there; empty: it is not."""
        self._camera = watched.camera
        self._directory = directory
        self._processed = (
            Destination(watched.processed, within=watched.root) if watched.processed else None
        )
        refused = watched.failed or watched.root / REJECTED
        self._refused = Destination(refused, within=watched.root)
        self._says_why = watched.failed is not None
        self._unmoved: LRUCache[str, tuple[Version, str, str]] = LRUCache(MOST_UNMOVED)

    def taken(self, file: Opened, name: str, sha256: str) -> bool:
        """The picture of this name and hash is safe; whether its file is gone. Raises Replaced."""
        try:
            if self._processed:
                self._directory.move(file, self._processed, name, sha256)
            else:
                self._directory.remove(file)
        except FileNotFoundError:
            return True  # somebody else was faster
        except OSError as error:
            if self._processed:
                self._unmoved[file.path] = file.version, name, sha256
            self._stuck(error)
            return False
        self.trouble = ""
        return True

    def again(self) -> None:
        """Move what could not be moved, as long as that works."""
        for path, (version, name, sha256) in list(self._unmoved.items()):
            try:
                with self._directory.open(path) as file:
                    if file.version == version and not self.taken(file, name, sha256):
                        return
            except (OSError, Replaced):
                pass  # it is gone, or another file by now
            self._unmoved.pop(path, None)

    def refused(self, file: Opened, name: str, why: str) -> str:
        """It is no picture; says where it is now. Raises OSError, Replaced."""
        version = hashlib.sha256(repr(file.version).encode()).hexdigest()
        if not self._says_why:
            return f"{REJECTED}/{self._move(file, name.replace('/', '_'), version)}"
        place = self._move(file, name, version)
        self._refused.note(place, f"{why}\n")
        return str(self._refused.root / place)

    def _move(self, file: Opened, name: str, version: str) -> str:
        return self._directory.move(file, self._refused, name, version)

    def _stuck(self, error: OSError) -> None:
        # It is safe in the store; as long as this process lives it is not read again.
        what = _MOVED.format(self._processed.root) if self._processed else _REMOVED
        trouble = f"{what}: {error.strerror}"
        if trouble != self.trouble:
            log.warning(
                "%s: %s",
                self._camera,
                trouble,
                extra={"action": "folder_stuck", "camera": self._camera},
            )
        self.trouble = trouble
