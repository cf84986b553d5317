"""The files and folders one FTP session believes to have: names only, in memory.

Nothing that a camera says can touch a real file, because there is none behind these names. What
can't be done raises OSError.
"""

from __future__ import annotations

import posixpath
import stat
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from shared.text import printable

MOST_NAMES = 1000
"""A session may last for months: of its names the latest are remembered."""
MOST_NAME_CHARACTERS = 250_000
"""Of all of them together."""
LONGEST_PATH = 4096
DEEPEST_PATH = 64

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(slots=True)
class Entry:
    """A file or a folder; the names are those of os.stat_result."""

    st_mode: int
    st_size: int
    st_mtime: float


class VirtualFilesystem:
    """The home of one session. Belongs to the thread of the server."""

    def __init__(self, folders: Iterable[str] = ()) -> None:
        """``folders`` are there from the start and stay."""
        self.cwd = "/"
        self._fixed = {
            f"/{each}": Entry(stat.S_IFDIR | 0o755, 0, time.time())
            for folder in folders
            for each in (folder, *map(str, PurePosixPath(folder).parents))
            if each != "."
        }
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._characters = 0

    def path_of(self, name: str) -> str:
        """The absolute name; ``..`` ends at the root."""
        path = posixpath.normpath(posixpath.join(self.cwd, printable(name)))
        return _bounded("/" + path.lstrip("/"))

    # Questions.

    def lstat(self, path: str) -> Entry:
        if path == "/":
            return Entry(stat.S_IFDIR | 0o755, 0, time.time())
        entry = self._entries.get(path) or self._fixed.get(path)
        if entry is None:
            raise FileNotFoundError(2, "No such file or directory")
        return entry

    stat = lstat

    def lexists(self, path: str) -> bool:
        return path == "/" or path in self._entries or path in self._fixed

    def isdir(self, path: str) -> bool:
        return self.lexists(path) and stat.S_ISDIR(self.lstat(path).st_mode)

    def isfile(self, path: str) -> bool:
        return self.lexists(path) and stat.S_ISREG(self.lstat(path).st_mode)

    def getsize(self, path: str) -> int:
        return self.lstat(path).st_size

    def getmtime(self, path: str) -> float:
        return self.lstat(path).st_mtime

    def listdir(self, path: str) -> list[str]:
        start = path.rstrip("/") + "/"
        known = {**self._fixed, **self._entries}
        names = (each[len(start) :] for each in known if each.startswith(start))
        return [name for name in names if name and "/" not in name]

    # Changes.

    def add_file(self, path: str, size: int) -> None:
        """Remember a file that was taken."""
        self._add(path, Entry(stat.S_IFREG | 0o644, size, time.time()))

    def mkdir(self, path: str) -> None:
        """Make a folder and all above it; one that is there already is no error."""
        if self.isfile(path):
            raise FileExistsError(17, "A file of this name exists")
        while path != "/" and not self.lexists(path):
            self._add(path, Entry(stat.S_IFDIR | 0o755, 0, time.time()))
            path = posixpath.dirname(path)

    def chdir(self, path: str) -> None:
        """Enter a folder. One that this session didn't make may be from an earlier one."""
        if self.isfile(path):
            raise NotADirectoryError(20, "Not a directory")
        self.mkdir(path)
        self.cwd = path

    def remove(self, path: str) -> None:
        if not self.isfile(path):
            raise FileNotFoundError(2, "No such file or directory")
        self._forget(path)

    def rmdir(self, path: str) -> None:
        if not self.isdir(path):
            raise FileNotFoundError(2, "No such file or directory")
        if self.listdir(path):
            raise OSError(39, "Directory not empty")
        if path not in self._entries:
            raise PermissionError(1, "This folder is one of ftp.folders and stays")
        self._forget(path)

    def rename(self, source: str, target: str) -> None:
        """Give a name, and what is below it, another name."""
        self.lstat(source)
        if source in self._fixed:
            raise PermissionError(1, "This folder is one of ftp.folders and stays")
        if (target + "/").startswith(source + "/") and target != source:
            raise OSError(22, "Invalid argument")
        for path in [path for path in self._entries if (path + "/").startswith(source + "/")]:
            renamed = _bounded(target + path[len(source) :])
            self._add(renamed, self._forget(path))

    def _add(self, path: str, entry: Entry) -> None:
        if path in self._entries:
            self._forget(path)
        self._entries[path] = entry
        self._characters += len(path)
        while len(self._entries) > MOST_NAMES or self._characters > MOST_NAME_CHARACTERS:
            self._forget(next(iter(self._entries)))

    def _forget(self, path: str) -> Entry:
        self._characters -= len(path)
        return self._entries.pop(path)

    # Listings.

    def format_list(self, folder: str, names: list[str]) -> Iterator[bytes]:
        """Lines as ``ls -l`` prints them."""
        for name in names:
            entry = self.lstat(posixpath.join(folder, name))
            at = time.gmtime(entry.st_mtime)
            when = f"{_MONTHS[at.tm_mon - 1]} {at.tm_mday:02d} {at.tm_hour:02d}:{at.tm_min:02d}"
            mode = stat.filemode(entry.st_mode)
            line = f"{mode}   1 camera   camera   {entry.st_size:>8} {when} {name}\r\n"
            yield line.encode("utf-8", "replace")

    def format_mlsx(self, folder: str, names: list[str]) -> Iterator[bytes]:
        """Lines of RFC 3659."""
        for name in names:
            entry = self.lstat(posixpath.join(folder, name))
            kind = "dir" if stat.S_ISDIR(entry.st_mode) else "file"
            modified = time.strftime("%Y%m%d%H%M%S", time.gmtime(entry.st_mtime))
            line = f"modify={modified};size={entry.st_size};type={kind}; {name}\r\n"
            yield line.encode("utf-8", "replace")


def _bounded(path: str) -> str:
    if len(path) > LONGEST_PATH or path.count("/") > DEEPEST_PATH:
        raise OSError(36, f"A path has up to {LONGEST_PATH} characters and {DEEPEST_PATH} levels")
    return path
