"""Objects of one bucket, written only with a proof that they arrived."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.aws.client import Client
from shared.aws.errors import AwsAway, AwsDamaged, AwsError, AwsExists, AwsForbidden, AwsInvalid

EMPTY_PAGES = 100
"""In a row: servers send some, as after many objects that were deleted."""
_MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Stored:
    """An object. ``sha256`` and ``md5``, hexadecimal, are what the server says of its content;
    empty: it does not say."""

    key: str
    size: int
    changed_at: datetime
    sha256: str = ""
    md5: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


class Bucket:
    """One bucket of an S3 server. Any thread. All methods raise AwsError."""

    def __init__(self, client: Client, name: str) -> None:
        self.name = name
        self.server = client.server
        self._client = client

    def put(self, key: str, data: bytes, sha256: str, **about: Any) -> None:
        """Write an object, and return once the server has confirmed the checksum of what it holds.
        Data that have another ``sha256`` are not sent: AwsDamaged. ``about`` are parameters of
        ``put_object``. Writing the same again changes nothing. Needs the right to write only,
        unless the server confirms no checksum."""
        digest, md5 = hashlib.sha256(data), hashlib.md5(data, usedforsecurity=False)
        if digest.hexdigest() != sha256:
            raise AwsDamaged(f"{key}: what was to be sent differs from the picture")
        answer = self._client.call(
            "put_object",
            Bucket=self.name,
            Key=_checked(key),
            Body=data,
            ChecksumAlgorithm="SHA256",
            ChecksumSHA256=base64.b64encode(digest.digest()).decode(),
            ContentMD5=base64.b64encode(md5.digest()).decode(),
            **about,
        )
        told = _sha256(answer), _md5(answer)
        expected = sha256, md5.hexdigest()
        if any(one and one != other for one, other in zip(told, expected, strict=True)):
            raise AwsDamaged(f"{self.server} holds other bytes than were sent: it is sent again")
        if not any(told):
            self._read_back(key, sha256)

    def put_new(self, key: str, data: bytes, sha256: str) -> None:
        """``put``, unless there is such an object; of several at the same time, one wins."""
        with suppress(AwsExists):
            self.put(key, data, sha256, IfNoneMatch="*")

    def _read_back(self, key: str, sha256: str) -> None:
        try:
            found = hashlib.sha256()
            with self.opened(key) as (_, pieces):
                for piece in pieces:
                    found.update(piece)
        except AwsForbidden as error:
            raise AwsForbidden(
                f"{self.server} confirms no checksum and does not allow to read: give the keys "
                "the right s3:GetObject"
            ) from error
        if found.hexdigest() != sha256:
            raise AwsDamaged(f"{self.server} holds other bytes than were sent: it is sent again")

    @contextmanager
    def opened(self, key: str) -> Iterator[tuple[Stored, Iterator[bytes]]]:
        """An object, and its bytes piece by piece. Raises AwsMissing."""
        asked = {"Bucket": self.name, "Key": _checked(key), "ChecksumMode": "ENABLED"}
        with self._client.opened("get_object", **asked) as (answer, pieces):
            yield _stored(key, answer), pieces

    def read(self, key: str, most: int) -> bytes:
        """The bytes of an object. Raises AwsMissing, and AwsInvalid for one of more than ``most``
        bytes."""
        found, size = [], 0
        with self.opened(key) as (_, pieces):
            for piece in pieces:
                size += len(piece)
                if size > most:
                    raise AwsInvalid(f"{key} in {self.name} has more than {most} bytes")
                found.append(piece)
        return b"".join(found)

    def look(self, key: str) -> Stored:
        """What the server says of an object. Raises AwsMissing."""
        asked = {"Bucket": self.name, "Key": _checked(key), "ChecksumMode": "ENABLED"}
        return _stored(key, self._client.call("head_object", **asked))

    def under(self, prefix: str, after: str = "") -> Iterator[Stored]:
        """All objects whose key begins so, in the order of their keys, beginning after that key;
        without checksums."""
        asked = {"StartAfter": after} if after else {}
        for page in self._pages(Prefix=prefix, **asked):
            for each in page.get("Contents", ()):
                key, size = str(_field(each, "Key")), int(_field(each, "Size"))
                yield Stored(key, size, _field(each, "LastModified"))

    def folders(self, prefix: str) -> Iterator[str]:
        """What stands between this prefix and the next slash, of all keys that begin so."""
        for page in self._pages(Prefix=prefix, Delimiter="/"):
            for each in page.get("CommonPrefixes", ()):
                yield str(_field(each, "Prefix"))[len(prefix) : -1]

    def _pages(self, **asked: Any) -> Iterator[dict[str, Any]]:
        empty = 0
        while True:
            page = self._client.call("list_objects_v2", Bucket=self.name, **asked)
            yield page
            token = page.get("NextContinuationToken")
            if not (page.get("IsTruncated") and token):
                return
            empty = 0 if page.get("Contents") or page.get("CommonPrefixes") else empty + 1
            if token == asked.get("ContinuationToken") or empty > EMPTY_PAGES:
                raise AwsAway(f"{self.server} does not end its list of {self.name}")
            asked["ContinuationToken"] = token

    def remove(self, key: str) -> None:
        """Delete an object; one that is not there is deleted."""
        self._client.call("delete_object", Bucket=self.name, Key=_checked(key))

    def tags(self, key: str) -> dict[str, str]:
        """The tags of an object. Raises AwsMissing."""
        asked = {"Bucket": self.name, "Key": _checked(key)}
        found = _field(self._client.call("get_object_tagging", **asked), "TagSet")
        return {str(_field(each, "Key")): str(_field(each, "Value")) for each in found}

    def tag(self, key: str, tags: Mapping[str, str]) -> None:
        """Replace the tags of an object. Raises AwsMissing."""
        tagging = {"TagSet": [{"Key": name, "Value": value} for name, value in tags.items()]}
        asked = {"Bucket": self.name, "Key": _checked(key)}
        self._client.call("put_object_tagging", **asked, Tagging=tagging)

    def rules(self) -> list[dict[str, Any]]:
        """The rules by which the bucket removes and moves objects."""
        try:
            found = self._client.call("get_bucket_lifecycle_configuration", Bucket=self.name)
        except AwsError as error:
            if error.code == "NoSuchLifecycleConfiguration":
                return []
            raise
        return list(found.get("Rules", ()))

    def rule(self, rules: Sequence[Mapping[str, Any]]) -> None:
        """Replace all of its rules."""
        if rules:
            asked = {"LifecycleConfiguration": {"Rules": list(rules)}}
            self._client.call("put_bucket_lifecycle_configuration", Bucket=self.name, **asked)
        else:
            self._client.call("delete_bucket_lifecycle", Bucket=self.name)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _checked(key: str) -> str:
    """A key that no part of the way takes for another one, as a path with dots."""
    if not key or {"", ".", ".."} & set(key.split("/")) or "\0" in key or len(key.encode()) > 1024:
        raise AwsInvalid(f"{key[:200]!r} can't be the key of an object")
    return key


def _field(answer: Mapping[str, Any], name: str) -> Any:
    if name not in answer:
        raise AwsAway(f"an answer of the server lacks {name}: check 'endpoint'")
    return answer[name]


def _stored(key: str, answer: Mapping[str, Any]) -> Stored:
    return Stored(
        key,
        int(_field(answer, "ContentLength")),
        _field(answer, "LastModified"),
        _sha256(answer),
        _md5(answer),
        answer.get("Metadata", {}),
    )


def _sha256(answer: Mapping[str, Any]) -> str:
    try:
        return base64.b64decode(str(answer.get("ChecksumSHA256", "")), validate=True).hex()
    except ValueError:
        return ""


def _md5(answer: Mapping[str, Any]) -> str:
    """The ETag, where it is the MD5 of the content: not of what is encrypted or came in parts."""
    tag = str(answer.get("ETag", "")).strip('"')
    hidden = answer.get("ServerSideEncryption") or answer.get("SSECustomerAlgorithm")
    plain = not hidden or (hidden == "AES256" and not answer.get("ChecksumSHA256"))
    return tag if plain and _MD5.fullmatch(tag) else ""
