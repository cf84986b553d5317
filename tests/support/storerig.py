"""A store of each kind, and how a test looks into it and breaks it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from shared.settings.s3 import StoreS3Section
from shared.store import Store
from shared.store.s3 import S3Store
from tests.support.s3rig import Pail

LARGEST = 10_000_000


class StoreRig(Protocol):
    store: Store

    def __init__(self, folder: Path) -> None: ...

    def again(self) -> Store:
        """The same store, as another process on another host sees it."""

    def held(self) -> list[str]:
        """The hashes of all that is kept for good."""

    def damage(self, sha256: str, data: bytes) -> None:
        """Other bytes where a blob is."""

    def away(self) -> None: ...

    def back(self) -> None: ...

    def close(self) -> None: ...


class LocalRig:
    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "store")
        self.store.create()

    def again(self) -> Store:
        return Store(self.store.root)

    def held(self) -> list[str]:
        return sorted(path.name for path in self.store.blobs())

    def damage(self, sha256: str, data: bytes) -> None:
        self.store.place(sha256).write_bytes(data)

    def away(self) -> None:
        self.store.root.rename(self.store.root.with_name("away"))
        self.store.root.mkdir()
        self.store.volume._checked_at = float("-inf")  # it looks once a second

    def back(self) -> None:
        self.store.root.rmdir()
        self.store.root.with_name("away").rename(self.store.root)

    def close(self) -> None: ...


class S3StoreRig:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pail = Pail()
        self._hosts = 0
        self.store: Store = self.again()

    def again(self, cache_bytes: int = 10**9, **account: float) -> S3Store:
        self._hosts += 1
        section = StoreS3Section(bucket=self.pail.name, prefix="home", cache_bytes=cache_bytes)
        bucket = self.pail.bucket(**account)
        root = self.folder / f"host{self._hosts}"
        store = S3Store(root, bucket, section, max_bytes=LARGEST)
        store.create()
        return store

    def held(self) -> list[str]:
        return sorted(key[-64:] for key in self.pail.held() if "/blobs/" in key)

    def damage(self, sha256: str, data: bytes) -> None:
        self.pail.put(f"home/blobs/{sha256[:2]}/{sha256}", data)
        for path in self.folder.glob(f"host*/blobs/*/{sha256}"):
            path.write_bytes(data)

    def away(self) -> None:
        self.pail.peer.always("reset")

    def back(self) -> None:
        self.pail.peer.heal()
        self.store.volume.check_writable()  # which the process does every second

    def close(self) -> None:
        self.pail.close()
