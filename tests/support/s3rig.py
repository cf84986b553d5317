"""A bucket behind a proxy that fails as told, and the S3 archive in it."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from services.drive.archives.archive import Archive
from services.drive.archives.s3 import S3Archive
from shared.aws.bucket import Bucket
from shared.aws.client import Client
from shared.settings.s3 import S3Section
from tests.support import moto
from tests.support.s3peer import S3Peer

PREFIX = "home/cams"


class Pail:
    """A fresh bucket; ``client`` goes straight to it, others by ``peer``."""

    def __init__(self) -> None:
        server = moto.shared()
        self.name = f"b-{uuid.uuid4().hex[:16]}"
        self.client = server.bucket(self.name)
        self.peer = S3Peer(server.port)
        self.peer.__enter__()

    def bucket(self, **account: Any) -> Bucket:
        """The bucket by way of the peer."""
        return Bucket(Client("s3", moto.account(self.peer.url, **account)), self.name)

    def held(self) -> list[str]:
        """All keys in it."""
        return [each.key for each in Bucket(self.client, self.name).under("")]

    def content(self, key: str) -> bytes:
        """The bytes of an object."""
        with self.client.opened("get_object", Bucket=self.name, Key=key) as (_, pieces):
            return b"".join(pieces)

    def put(self, key: str, data: bytes) -> None:
        """Other bytes, as somebody else would put them there."""
        self.client.call("put_object", Bucket=self.name, Key=key, Body=data)

    def remove(self, key: str) -> None:
        """Delete an object."""
        self.client.call("delete_object", Bucket=self.name, Key=key)

    def close(self) -> None:
        """End the connections; the bucket stays in memory."""
        self.peer.close()
        self.client.close()


class S3Rig:
    """The S3 archive in a bucket of its own; ``folder`` is not needed."""

    def __init__(self, folder: Path, **section: Any) -> None:
        del folder
        self.pail = Pail()
        self.bucket = self.pail.bucket()
        settings = S3Section(bucket=self.pail.name, prefix=PREFIX, **section)
        self.archive: Archive = S3Archive("s3", settings, self.bucket)
        self.archive.prepare(first=True)

    def live(self) -> list[str]:
        return [key.removeprefix(f"{PREFIX}/") for key in self.pail.held()]

    def content(self, path: str) -> bytes:
        return self.pail.content(f"{PREFIX}/{path}")

    def damage(self, path: str) -> None:
        self.pail.put(f"{PREFIX}/{path}", b"damaged")

    def remove(self, path: str) -> None:
        self.pail.remove(f"{PREFIX}/{path}")

    def away(self) -> None:
        self.pail.peer.always("reset")

    def back(self) -> None:
        self.pail.peer.heal()

    def close(self) -> None:
        self.bucket.close()
        self.pail.close()
