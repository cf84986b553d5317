"""The files of a simulated account: where each is, and what a list shows of them yet."""

from __future__ import annotations

import secrets
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import replace

from services.simulator.google.clock import Clock
from services.simulator.google.file import FOLDER, File
from services.simulator.google.shelf import Shelf
from services.simulator.google.wire import Refusal, not_found


class Tree:
    """One thread at a time. Lists show a change ``lag`` seconds after it; ``quota`` in bytes."""

    def __init__(self, shelf: Shelf, clock: Clock) -> None:
        self._shelf = shelf
        self._clock = clock
        self._files = {file.id: file for file in shelf.files()}
        self._children: dict[str, dict[str, None]] = defaultdict(dict)
        for file in self._files.values():
            self._children[file.parent or ""][file.id] = None
        self._unlisted: deque[tuple[float, str, File | None]] = deque()
        self.used = sum(file.size or 0 for file in self._files.values() if file.drive is None)
        self.lag = 0.0
        self.quota = 15_000_000_000

    def get(self, id: str) -> File:
        """A file, trashed or not. Raises Refusal."""
        if id not in self._files:
            raise not_found(id)
        return self._files[id]

    def has(self, id: str) -> bool:
        return id in self._files

    def every(self) -> list[File]:
        """All files as they are, folders too."""
        return list(self._files.values())

    def children(self, id: str) -> list[File]:
        """What is in a folder now."""
        return [self._files[each] for each in self._children.get(id, ())]

    def root(self, owner: str) -> File:
        """The top folder of a person or service account; made when first asked for."""
        for each in self.children(""):
            if each.owner == owner and each.drive is None and each.id.startswith("0A"):
                return each
        now = self._clock.now()
        top = File(
            id=f"0A{secrets.token_urlsafe(13)}", title="My Drive", mime=FOLDER, owner=owner,
            client="", parent=None, created=now, modified=now,
        )  # fmt: skip
        self.put(top)
        return top

    def put(self, file: File, content: bytes | None = None) -> File:
        """Hold a new file, or a new state of one. Raises Refusal when the quota is used up."""
        old = self._files.get(file.id)
        if file.drive is None:
            more = (file.size or 0) - (old.size or 0 if old and old.drive is None else 0)
            if more > 0 and self.used + more > self.quota:
                message = "The user's Drive storage quota has been exceeded."
                raise Refusal(403, "storageQuotaExceeded", message, "usageLimits")
            self.used += more
        if old:
            file = replace(file, version=old.version + 1)
            self._children[old.parent or ""].pop(file.id, None)
        self._shelf.keep(file, content)
        self._files[file.id] = file
        self._children[file.parent or ""][file.id] = None
        self._changed(file.id, old)
        return file

    def drop(self, id: str) -> None:
        """Delete a file for good, a folder with all that is in it."""
        file = self.get(id)
        for child in self.children(id):
            self.drop(child.id)
        self._shelf.drop(id)
        del self._files[id]
        self._children[file.parent or ""].pop(id, None)
        self._children.pop(id, None)
        self.used -= (file.size or 0) if file.drive is None else 0
        self._changed(id, file)

    def content(self, id: str) -> bytes:
        return self._shelf.content(id)

    def above(self, file: File) -> Iterator[File]:
        """The folders that it is in, the nearest first."""
        while file.parent is not None and file.parent in self._files:
            file = self._files[file.parent]
            yield file

    def is_trashed(self, file: File) -> bool:
        """Whether it, or a folder above it, is in the trash."""
        return file.trashed or any(each.trashed for each in self.above(file))

    def listed(self, parent: str | None = None) -> list[File]:
        """What a list sees, of one folder or of all: the files as they were ``lag`` ago."""
        shown = self._shown()
        if parent is None:
            now = [file for file in self._files.values() if file.id not in shown]
        else:
            now = [file for file in self.children(parent) if file.id not in shown]
        return now + [old for old in shown.values() if old and parent in (None, old.parent)]

    def listed_by_id(self, ids: Sequence[str]) -> list[File]:
        """The same of some files; those that are gone are left out."""
        shown = self._shown()
        seen = (shown[id] if id in shown else self._files.get(id) for id in ids)
        return [file for file in seen if file]

    def _changed(self, id: str, old: File | None) -> None:
        if self.lag:
            self._unlisted.append((self._clock.now() + self.lag, id, old))

    def _shown(self) -> dict[str, File | None]:
        """What lists still show of files that changed since; None: not there yet."""
        now = self._clock.now()
        while self._unlisted and self._unlisted[0][0] <= now:
            self._unlisted.popleft()
        shown: dict[str, File | None] = {}
        for _, id, old in self._unlisted:
            shown.setdefault(id, old)
        return shown
