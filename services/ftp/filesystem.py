"""The files and folders one FTP session believes to have: names only, in memory.

Nothing that a camera says can touch a real file, because there is none behind these names. The
methods are those that the FTP library calls on its file system; they raise OSError as that would.
"""

from __future__ import annotations

import posixpath
import stat
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shared.text import printable

MOST_NAMES = 1000
"""A session may last for months: of its names the latest are remembered."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(slots=True)
class Entry:
    """A file or a folder; the names are those of os.stat_result."""

    st_mode: int
    st_size: int
    st_mtime: float


class VirtualFilesystem:
    """The home of one session. Belongs to the thread of the server."""

    root = "/"

    def __init__(self) -> None:
        self.cwd = "/"
        self.cmd_channel: Any = None
        self._entries: OrderedDict[str, Entry] = OrderedDict()

    # Names: the library's "real" path is the virtual one.

    def ftp2fs(self, name: str) -> str:
        """The absolute name; ``..`` ends at the root."""
        path = posixpath.normpath(posixpath.join(self.cwd, printable(name)))
        return "/" + path.lstrip("/")

    def fs2ftp(self, path: str) -> str:
        return path

    def realpath(self, path: str) -> str:
        return path

    def validpath(self, _path: str) -> bool:
        return True

    # Questions.

    def lstat(self, path: str) -> Entry:
        if path == "/":
            return Entry(stat.S_IFDIR | 0o755, 0, time.time())
        entry = self._entries.get(path)
        if entry is None:
            raise FileNotFoundError(2, "No such file or directory")
        return entry

    stat = lstat

    def lexists(self, path: str) -> bool:
        return path == "/" or path in self._entries

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
        names = (known[len(start) :] for known in self._entries if known.startswith(start))
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
        del self._entries[path]

    def rmdir(self, path: str) -> None:
        if not self.isdir(path):
            raise FileNotFoundError(2, "No such file or directory")
        if self.listdir(path):
            raise OSError(39, "Directory not empty")
        del self._entries[path]

    def rename(self, source: str, target: str) -> None:
        """Give a name, and what is below it, another name."""
        self.lstat(source)
        if (target + "/").startswith(source + "/") and target != source:
            raise OSError(22, "Invalid argument")
        for path in [path for path in self._entries if (path + "/").startswith(source + "/")]:
            self._entries[target + path[len(source) :]] = self._entries.pop(path)

    def _add(self, path: str, entry: Entry) -> None:
        self._entries[path] = entry
        self._entries.move_to_end(path)
        while len(self._entries) > MOST_NAMES:
            self._entries.popitem(last=False)

    # Listings.

    def format_list(
        self, folder: str, names: list[str], ignore_err: bool = True
    ) -> Iterator[bytes]:
        """ControlChannel as ``ls -l`` prints them."""
        for name in names:
            entry = self.lstat(posixpath.join(folder, name))
            at = time.gmtime(entry.st_mtime)
            when = f"{_MONTHS[at.tm_mon - 1]} {at.tm_mday:02d} {at.tm_hour:02d}:{at.tm_min:02d}"
            mode = stat.filemode(entry.st_mode)
            line = f"{mode}   1 camera   camera   {entry.st_size:>8} {when} {name}\r\n"
            yield line.encode("utf-8", "replace")

    def format_mlsx(
        self, folder: str, names: list[str], _perms: str, _facts: list[str], ignore_err: bool = True
    ) -> Iterator[bytes]:
        """ControlChannel of RFC 3659."""
        for name in names:
            entry = self.lstat(posixpath.join(folder, name))
            kind = "dir" if stat.S_ISDIR(entry.st_mode) else "file"
            modified = time.strftime("%Y%m%d%H%M%S", time.gmtime(entry.st_mtime))
            line = f"modify={modified};size={entry.st_size};type={kind}; {name}\r\n"
            yield line.encode("utf-8", "replace")
