"""The store in a bucket, where the server refuses, breaks off, or holds something else."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.errors import ConfigError, StoreError, StoreFull, StoreMissing
from shared.settings import load
from shared.settings.s3 import StoreS3Section
from shared.store import Blob, Store, open_store
from shared.store.s3 import S3Store
from tests.support.s3peer import Said, refusal
from tests.support.storerig import S3StoreRig

DATA = b"picture" * 100
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[S3StoreRig]:
    rig = S3StoreRig(tmp_path)
    rig.pail.peer.requests.clear()
    yield rig
    rig.close()


def keep(store: Store, data: bytes = DATA) -> Blob:
    part = store.receive(1_000_000)
    part.write(data)
    return part.commit()


def copies(store: Store) -> list[Path]:
    return [path for path in store.root.glob("blobs/*/*") if path.is_file()]


@pytest.mark.promise("inv I2", "fault F9", "inv I14")
@pytest.mark.parametrize(
    ("said", "error"),
    [
        (refusal(503, "SlowDown"), StoreMissing),
        (refusal(403, "AccessDenied"), StoreMissing),
        (refusal(403, "RequestTimeTooSkewed"), StoreMissing),
        (refusal(404, "NoSuchBucket"), StoreMissing),
        (refusal(507, "XMinioStorageFull"), StoreFull),
        (refusal(400, "Odd"), StoreError),
        ("reset", StoreMissing),
        ("silent", StoreMissing),
        ("lost", StoreMissing),
        ("half", StoreMissing),
        ("damage", StoreMissing),
    ],
)
def test_what_the_bucket_has_not_confirmed_is_not_acknowledged(
    rig: S3StoreRig, said: str | Said, error: type[StoreError]
):
    store = rig.again(request_s=1.0)
    rig.pail.peer.always(said, match="PUT ")
    with pytest.raises(error):
        keep(store)
    assert copies(store) == []
    assert not list(store.incoming.iterdir())
    rig.pail.peer.heal()
    store.volume.check_writable()
    assert keep(store).sha256 == SHA256
    assert rig.again().read(SHA256) == DATA


@pytest.mark.promise("fault F9")
def test_once_refused_it_refuses_before_a_byte_until_a_small_object_is_taken(rig: S3StoreRig):
    rig.pail.peer.always(refusal(503, "SlowDown"))
    with pytest.raises(StoreMissing):
        keep(rig.store)
    asked = len(rig.pail.peer.requests)
    for _ in range(3):
        with pytest.raises(StoreMissing, match="fewer requests"):
            rig.store.receive(10)
    assert not rig.store.volume.has_room
    assert len(rig.pail.peer.requests) == asked, "a door waits for no network"
    with pytest.raises(StoreMissing, match="fewer requests"):
        rig.store.volume.check_writable()
    rig.pail.peer.heal()
    rig.store.volume.check_writable()
    keep(rig.store)


@pytest.mark.parametrize("trouble", ["reset", "close", "damage"])
def test_what_may_be_over_at_once_is_sent_once_more(rig: S3StoreRig, trouble: str):
    rig.pail.peer.say(trouble, match="PUT ")
    assert keep(rig.store).sha256 == SHA256
    assert rig.pail.peer.asked("PUT ") == 2
    assert rig.again().digest(SHA256) == SHA256


@pytest.mark.promise("inv I2")
@pytest.mark.parametrize("trouble", ["flip", "cut", "reset"])
def test_what_arrives_otherwise_is_not_taken_for_the_picture(rig: S3StoreRig, trouble: str):
    keep(rig.store)
    other = rig.again()
    rig.pail.peer.always(trouble, match="GET ")
    for call in (other.read, other.path):
        with pytest.raises(StoreError):
            call(SHA256)
    assert copies(other) == []
    rig.pail.peer.heal()
    assert other.read(SHA256) == DATA


@pytest.mark.promise("inv I2")
def test_an_object_that_was_changed_is_found(rig: S3StoreRig):
    keep(rig.store)
    rig.damage(SHA256, b"other bytes")
    with pytest.raises(StoreError, match="no longer has the bytes"):
        rig.store.read(SHA256)
    assert rig.store.digest(SHA256) == hashlib.sha256(b"other bytes").hexdigest()


def test_a_picture_from_when_larger_ones_were_taken_is_read(rig: S3StoreRig, tmp_path: Path):
    data = bytes(300_000)
    sha256 = keep(rig.store, data).sha256
    lowered = S3Store(tmp_path / "low", rig.pail.bucket(), _section(rig), max_bytes=1000)
    lowered.create()
    assert lowered.read(sha256) == lowered.path(sha256).read_bytes() == data


@pytest.mark.promise("inv I17")
def test_an_object_without_end_fills_no_disk(rig: S3StoreRig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shared.store.s3.LARGEST_BYTES", 1_000_000)
    keep(rig.store)
    other = S3Store(rig.folder / "other", rig.pail.bucket(), _section(rig), max_bytes=len(DATA))
    other.create()
    rig.pail.peer.always("endless", match="GET ")
    with pytest.raises(StoreError, match="more than 1000000 bytes"):
        other.read(SHA256)
    assert copies(other) == list(other.incoming.iterdir()) == []
    anew = S3Store(rig.folder / "anew", rig.pail.bucket(), _section(rig), max_bytes=len(DATA))
    with pytest.raises(StoreError, match="more than 10000 bytes"):
        anew.create()


def test_a_copy_that_rotted_is_fetched_again(rig: S3StoreRig):
    keep(rig.store)
    (copy,) = copies(rig.store)
    copy.write_bytes(b"rotten")
    assert rig.store.read(SHA256) == DATA
    assert copy.read_bytes() == DATA
    copy.write_bytes(b"rotten")
    assert rig.store.path(SHA256).read_bytes() == DATA


def test_what_was_copied_is_asked_for_once(rig: S3StoreRig):
    keep(rig.store)
    other = rig.again()
    rig.pail.peer.requests.clear()
    for _ in range(3):
        assert other.read(SHA256) == other.path(SHA256).read_bytes() == DATA
    assert len(rig.pail.peer.requests) == 1


@pytest.mark.promise("inv I17")
def test_copies_are_bounded_and_those_in_use_stay(rig: S3StoreRig):
    store = rig.again(cache_bytes=3000)
    blobs = [keep(store, b"%d" % number * 1000) for number in range(6)]
    old = time.time() - 3600
    for number, blob in enumerate(blobs):
        os.utime(store.place(blob.sha256), (old + number, old + number))
    store.path(blobs[0].sha256)  # used now
    store.sweep()
    left = {path.name for path in copies(store)}
    assert left == {blobs[0].sha256, blobs[4].sha256, blobs[5].sha256}
    assert [store.read(blob.sha256) for blob in blobs] == [b"%d" % n * 1000 for n in range(6)]


def test_a_disk_without_room_for_a_copy_loses_no_picture(rig: S3StoreRig):
    sha256 = hashlib.sha256(b"x").hexdigest()
    place = rig.store.place(sha256)
    place.mkdir()  # where a file should be
    assert keep(rig.store, b"x").sha256 == sha256
    assert rig.held() == [sha256]


def test_a_folder_of_copies_belongs_to_one_store(rig: S3StoreRig, tmp_path: Path):
    (tmp_path / "two").mkdir()
    other = S3StoreRig(tmp_path / "two")
    root = tmp_path / "two" / "host1"
    wrong = S3Store(root, rig.pail.bucket(), _section(rig), max_bytes=10**6)
    with pytest.raises(StoreError, match="copies of another store"):
        wrong.create()
    other.close()


def _section(rig: S3StoreRig):

    return StoreS3Section(bucket=rig.pail.name, prefix="home")


def test_the_configuration_makes_it(rig: S3StoreRig, tmp_path: Path):
    file = tmp_path / "snapbus.yml"
    file.write_text(
        f"data: {tmp_path}/data\naws: {{endpoint: '{rig.pail.peer.url}'}}\n"
        f"store: {{s3: {{bucket: {rig.pail.name}, prefix: home}}}}\n"
    )
    (tmp_path / "aws_access_key_id").write_text("someone")
    (tmp_path / "aws_secret_access_key").write_text("something")
    settings = load(file, environ={}, secrets=tmp_path)
    store = open_store(settings)
    assert store.create() == rig.store.volume.identity()
    assert store.root == tmp_path / "data" / "store-s3"
    assert keep(store).sha256 == SHA256
    assert rig.store.read(SHA256) == DATA
    file.write_text("{}\n")
    assert type(open_store(load(file, environ={}, secrets=tmp_path))) is Store


def test_a_store_without_a_bucket_is_refused(tmp_path: Path):
    file = tmp_path / "snapbus.yml"
    file.write_text("store: {s3: {prefix: home}}\n")
    with pytest.raises(ConfigError, match="bucket"):
        load(file, environ={}, secrets=tmp_path)


def test_a_folder_that_was_copied_to_a_bucket_is_the_same_store(rig: S3StoreRig, tmp_path: Path):
    local = Store(tmp_path / "store")
    identity = local.create()
    blob = keep(local)
    for path in (tmp_path / "store" / "store.json", local.path(blob.sha256)):
        rig.pail.put(f"moved/{path.relative_to(local.root)}", path.read_bytes())
    section = StoreS3Section(bucket=rig.pail.name, prefix="moved")
    moved = S3Store(tmp_path / "copies", rig.pail.bucket(), section, max_bytes=10**6)
    assert moved.create() == identity
    assert moved.read(blob.sha256) == DATA
