"""What every store promises, on a disk and in a bucket."""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from shared.errors import PictureTooLarge, SnapshotMissing, StoreError, StoreMissing
from shared.store import Blob, Store
from tests.support.storerig import LocalRig, S3StoreRig, StoreRig

DATA = b"picture" * 100
SHA256 = hashlib.sha256(DATA).hexdigest()


def keep(store: Store, data: bytes = DATA) -> Blob:
    part = store.receive(10_000_000)
    for begin in range(0, len(data), 100):
        part.write(data[begin : begin + 100])
    return part.commit()


@pytest.fixture(params=[LocalRig, S3StoreRig])
def rig(request, tmp_path: Path) -> Iterator[StoreRig]:
    with closing(request.param(tmp_path)) as rig:
        yield rig


def in_threads(count: int, call: Callable[[int], object]) -> None:
    threads = [threading.Thread(target=call, args=(n,), daemon=True) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.promise("inv I2")
def test_what_is_kept_has_its_size_and_hash_and_is_read_on_every_host(rig: StoreRig):
    assert keep(rig.store) == Blob(SHA256, len(DATA))
    for store in (rig.store, rig.again()):
        assert store.read(SHA256) == store.path(SHA256).read_bytes() == DATA
        assert store.digest(SHA256) == SHA256
        assert store.size(SHA256) == len(DATA)
        ((found, written_at),) = store.kept()
        assert found == SHA256
        assert abs(time.time() - written_at) < 600
    assert rig.held() == [SHA256]
    assert not list(rig.store.incoming.iterdir())


def test_equal_bytes_are_one_blob(rig: StoreRig):
    assert keep(rig.store) == keep(rig.store) == keep(rig.again())
    assert rig.held() == [SHA256]


@pytest.mark.promise("inv I2")
def test_a_large_picture_goes_by_the_disk(rig: StoreRig):
    data = bytes(range(256)) * 8000
    blob = keep(rig.store, data)
    assert blob == Blob(hashlib.sha256(data).hexdigest(), len(data))
    assert rig.again().read(blob.sha256) == data


def test_a_damaged_blob_is_repaired_by_its_picture(rig: StoreRig):
    keep(rig.store)
    rig.damage(SHA256, b"cut")
    assert rig.store.digest(SHA256) != SHA256
    keep(rig.store)
    assert rig.again().read(SHA256) == DATA
    assert rig.held() == [SHA256]


@pytest.mark.promise("fault F7")
def test_a_picture_over_the_limit_is_stopped_while_it_comes(rig: StoreRig):
    part = rig.store.receive(150)
    part.write(b"x" * 100)
    with pytest.raises(PictureTooLarge):
        part.write(b"x" * 51)
    part.discard()
    part.discard()
    assert rig.held() == []


def test_a_missing_blob_of_a_present_store_is_another_matter(rig: StoreRig):
    for call in (rig.store.read, rig.store.path, rig.store.digest):
        with pytest.raises(SnapshotMissing):
            call("0" * 64)


@pytest.mark.promise("fault W6", "fault F9", "inv I14")
def test_a_store_that_is_away_takes_nothing_and_says_so(rig: StoreRig):
    keep(rig.store)
    begun = rig.store.receive(1000)
    begun.write(b"begun before")
    rig.away()
    with pytest.raises(StoreError):
        begun.commit()
    for call in (lambda: rig.store.receive(10), lambda: rig.store.read("1" * 64)):
        with pytest.raises(StoreMissing):
            call()
    rig.back()
    assert rig.store.read(SHA256) == DATA
    assert rig.held() == [SHA256]
    assert keep(rig.store, b"after").size == 5


def test_hosts_that_start_together_make_one_store(rig: StoreRig):
    found: list[str] = []
    in_threads(4, lambda _: found.append(rig.again().create()))
    assert set(found) == {rig.store.volume.identity()}
    assert len(found) == 4


def test_hosts_and_threads_that_keep_the_same_and_other_pictures_keep_all(rig: StoreRig):
    hosts, found = [rig.store, rig.again()], list[Blob]()

    def work(number: int) -> None:
        for each in range(8):
            found.append(keep(hosts[number % 2], b"%d" % each * 50))

    in_threads(4, work)
    assert len(found) == 32
    assert len(rig.held()) == 8
    for blob in found:
        assert rig.again().digest(blob.sha256) == blob.sha256


@pytest.mark.promise("inv I2", "fault F9")
def test_several_at_once_are_kept_or_refused_each(rig: StoreRig):
    parts = [rig.store.receive(1000) for _ in range(5)]
    for number, part in enumerate(parts):
        part.write(b"%d" % number * 100)
    assert rig.store.commit(parts) == [Blob(part.sha256, 100) for part in parts]
    assert [rig.store.read(part.sha256) for part in parts] == [b"%d" % n * 100 for n in range(5)]


@pytest.mark.promise("inv I3")
def test_only_old_parts_are_swept(rig: StoreRig):
    crashed, fresh = (rig.store.incoming / name for name in ("a.part", "b.part"))
    for path in (crashed, fresh):
        path.touch()
    assert rig.store.sweep(older_than_s=-1) == 2
    fresh.touch()
    assert rig.store.sweep() == 0
    assert list(rig.store.incoming.iterdir()) == [fresh]


def test_the_cache_may_be_deleted(rig: StoreRig):
    keep(rig.store)
    place = rig.store.derived("thumbnail", SHA256)
    place.parent.mkdir(parents=True)
    place.touch()
    shutil.rmtree(rig.store.root / "cache")
    assert rig.store.read(SHA256) == DATA
