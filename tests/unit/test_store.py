"""The store: synced before it answers, content-addressed, and never half."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from shared import failpoint
from shared.errors import (
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreMissing,
)
from shared.store import Blob, Part, Store
from shared.store import store as module
from shared.store.part import BUFFER_BYTES, BUFFERS

DATA = b"picture" * 100


def keep(store: Store, data: bytes = DATA) -> Blob:
    part = store.receive(1_000_000)
    for begin in range(0, len(data), 100):
        part.write(data[begin : begin + 100])
    return part.commit()


def begun(store: Store) -> Part:
    """A part without a buffer: what it takes is in its file at once."""
    part = store.receive(10**6)
    part.write(b"begin")
    part._flush()
    return part


def files(store: Store) -> list[Path]:
    return [path for path in store.root.glob("*/**/*") if path.is_file()]


class Syncs:
    """What was synced, in order; ``fail`` makes the next sync of a kind fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.order: list[str] = []
        self.fail: dict[str, int] = {}
        self._fsync, self._replace = os.fsync, Path.replace
        monkeypatch.setattr(os, "fsync", self.fsync)
        monkeypatch.setattr(Path, "replace", lambda source, target: self.replace(source, target))

    def fsync(self, descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        self.order.append(f"{kind} {path.name if kind == 'folder' else '*'}")
        if kind in self.fail:
            raise OSError(self.fail[kind], os.strerror(self.fail[kind]))
        self._fsync(descriptor)

    def replace(self, source: Path, target: Path) -> Path:
        self.order.append("name")
        return self._replace(source, target)


def assert_synced(syncs: Syncs, blob: Blob) -> None:
    """The file before it gets its name, and the folder of the name after it."""
    named = syncs.order.index("name")
    assert syncs.order[:named] == ["file *"]
    assert syncs.order[named + 1 :] == [f"folder {blob.sha256[:2]}"]


@pytest.mark.promise("inv I2", "fault F9")
def test_a_file_is_synced_then_named_then_its_folder(store: Store, monkeypatch):
    syncs = Syncs(monkeypatch)
    assert_synced(syncs, keep(store))


@pytest.mark.parametrize("forgotten", ["file", "folder"])
def test_the_test_above_can_fail(store: Store, monkeypatch, forgotten: str):
    if forgotten == "folder":
        monkeypatch.setattr(module, "sync_folder", lambda folder: None)
    syncs = Syncs(monkeypatch)
    blob = keep(store)
    syncs.order = [each for each in syncs.order if not each.startswith(forgotten)]
    with pytest.raises((AssertionError, ValueError)):
        assert_synced(syncs, blob)


@pytest.mark.promise("inv I2")
def test_what_is_kept_has_its_size_and_hash_and_nothing_is_left(store: Store):
    blob = keep(store)
    assert blob == Blob(hashlib.sha256(DATA).hexdigest(), len(DATA))
    assert store.read(blob.sha256) == store.path(blob.sha256).read_bytes() == DATA
    assert files(store) == [store.path(blob.sha256)]


@pytest.mark.promise("fault F9")
@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize(
    ("number", "error"),
    [(errno.EIO, StoreError), (errno.ENOSPC, StoreFull), (errno.EDQUOT, StoreFull)],
)
def test_a_failed_sync_is_refused_and_not_tried_again(
    store: Store, monkeypatch, kind: str, number: int, error: type[StoreError]
):
    syncs = Syncs(monkeypatch)
    syncs.fail = {kind: number}
    with pytest.raises(error):
        keep(store)
    assert syncs.order.count("file *") == 1
    assert not list(store.incoming.iterdir())


@pytest.mark.promise("fault F9")
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_failed_sync_marks_the_volume_until_a_new_process(store: Store, monkeypatch, kind: str):
    began = store.receive(1_000_000)
    began.write(DATA)
    with monkeypatch.context() as bad:
        Syncs(bad).fail = {kind: errno.EIO}
        with pytest.raises(StoreDamaged, match="could not be synced"):
            keep(store)
    for call in (store.volume.check, lambda: keep(store), began.commit):
        with pytest.raises(StoreDamaged, match="start this service again"):
            call()
    assert not list(store.incoming.iterdir())
    keep(Store(store.root))


@pytest.mark.promise("fault F9")
def test_a_full_volume_is_not_marked(store: Store, monkeypatch):
    with monkeypatch.context() as bad:
        Syncs(bad).fail = {"file": errno.ENOSPC}
        with pytest.raises(StoreFull):
            keep(store)
    keep(store)


@pytest.mark.promise("fault F9")
def test_a_part_that_can_not_be_removed_is_left_to_the_sweep(store: Store):
    part = begun(store)
    part.path.unlink()
    store.incoming.rmdir()
    store.incoming.touch()  # now removing fails, as it does on a disk that is read-only
    part.discard()


@pytest.mark.promise("fault F9")
def test_too_little_space_refuses_before_a_byte(tmp_path: Path):
    full = Store(tmp_path / "store", reserve_bytes=2**60)
    full.create()
    with pytest.raises(StoreFull, match="kept in reserve"):
        full.receive(10)
    fraction = Store(tmp_path / "store", reserve_fraction=0.999999)
    with pytest.raises(StoreFull):
        fraction.receive(10)


@pytest.mark.promise("fault F9")
def test_a_full_volume_refuses_while_writing(store: Store):
    part = begun(store)
    part._close()
    part._descriptor = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(StoreFull):
        part.write(DATA)
    part.discard()


@pytest.mark.promise("fault W6")
def test_an_empty_mount_point_is_not_the_store(store: Store):
    blob = keep(store)
    store.root.rename(store.root.with_name("unmounted"))
    store.root.mkdir()
    again = Store(store.root)
    for call in (again.volume.identity, lambda: again.receive(10), lambda: again.read(blob.sha256)):
        with pytest.raises(StoreMissing, match="mounted"):
            call()


def test_a_store_that_can_not_be_made_says_so(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="can't be made"):
        Store(tmp_path / "file" / "store").create()


def in_threads(count: int, call: Callable[[], object]) -> None:
    threads = [threading.Thread(target=call, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_services_that_start_together_make_one_store(tmp_path: Path):
    found: list[str] = []
    in_threads(8, lambda: found.append(Store(tmp_path / "store").create()))
    assert len(found) == 8
    assert len(set(found)) == 1
    assert sorted(path.name for path in (tmp_path / "store").iterdir()) == [
        "blobs", "incoming", "store.json",
    ]  # fmt: skip


def test_threads_that_keep_the_same_and_other_pictures_keep_all(store: Store):
    found: list[Blob] = []

    def work() -> None:
        for number in range(10):
            found.append(keep(store, b"%d" % number * 50))

    in_threads(4, work)
    assert len(found) == 40
    assert len(files(store)) == 10


@pytest.mark.promise("inv I3")
def test_only_old_parts_are_swept(store: Store):
    crashed, fresh = begun(store), begun(store)
    crashed._close()
    old = time.time() - 7200
    os.utime(crashed.path, (old, old))
    assert store.sweep() == 1
    assert list(store.incoming.iterdir()) == [fresh.path]
    fresh.discard()


@pytest.mark.promise("fault F9")
def test_a_failed_write_is_told_until_a_small_file_can_be_written(store: Store):
    store.volume.check_writable()
    store.incoming.rmdir()
    store.incoming.touch()  # now nothing can be made there, as on a disk that is read-only
    with pytest.raises(StoreError):
        keep(store)
    with pytest.raises(StoreError, match="Not a directory"):
        store.volume.check_writable()
    store.incoming.unlink()
    store.incoming.mkdir()
    store.volume.check_writable()
    assert files(store) == []


@pytest.mark.promise("inv I2")
def test_what_an_older_version_stored_is_found_and_not_stored_twice(store: Store):
    sha256 = hashlib.sha256(DATA).hexdigest()
    older = store.root / "blobs" / sha256[:2] / sha256[2:4] / sha256
    older.parent.mkdir()
    older.write_bytes(DATA)
    assert store.read(sha256) == DATA
    assert store.path(sha256) == store.place(sha256) == older
    assert list(store.blobs()) == [older]
    assert keep(store).sha256 == sha256
    assert files(store) == [older]
    newer = keep(store, b"another")
    assert sorted(store.blobs()) == sorted([older, store.path(newer.sha256)])


@pytest.mark.promise("inv I2", "fault F9")
def test_several_at_once_are_each_synced_before_any_gets_its_name(store: Store, monkeypatch):
    parts = [store.receive(1000) for _ in range(3)]
    for number, part in enumerate(parts):
        part.write(b"%d" % number * 100)
    syncs = Syncs(monkeypatch)
    blobs = store.commit(parts)
    folders = [f"folder {part.sha256[:2]}" for part in parts]
    assert syncs.order == ["file *"] * 3 + ["name"] * 3 + folders
    assert [store.read(part.sha256) for part in parts] == [b"%d" % n * 100 for n in range(3)]
    assert blobs == [Blob(part.sha256, 100) for part in parts]


@pytest.mark.promise("inv I17")
@pytest.mark.promise("inv I1", "inv I2", "inv I14", "fault X1")
@pytest.mark.parametrize("trouble", ["store.before_open:1", "store.before_chunk:1"])
def test_bytes_that_did_not_get_to_the_disk_are_refused_though_it_has_room_again(
    store: Store, trouble: str
):
    """Several are begun to be written before any is synced; the first attempt fails."""
    parts = [store.receive(10**6) for _ in range(2)]
    for number, part in enumerate(parts):
        part.write(DATA + bytes([number]))
    failpoint.arm(f"{trouble}:raise=EROFS")
    try:
        refused, kept = store.commit(parts)
    finally:
        failpoint.arm("")

    assert isinstance(refused, StoreError)
    assert isinstance(kept, Blob)
    assert [path.read_bytes() for path in store.root.glob("blobs/*/*")] == [DATA + b"\1"]


def test_buffers_are_few_small_and_given_back(store: Store):
    parts = [store.receive(10**7) for _ in range(BUFFERS + 1)]
    for part in parts:
        part.write(DATA)
    assert list(store.incoming.iterdir()) == [parts[-1].path], "there was no buffer for the last"
    parts[0].write(bytes(BUFFER_BYTES))
    assert parts[0].path.stat().st_size == len(DATA) + BUFFER_BYTES
    parts[1].discard()
    parts[2].commit()
    assert store._buffers._value == 3
    for part in parts:
        part.discard()
        part.discard()
    assert store._buffers._value == BUFFERS
    assert list(store.incoming.iterdir()) == []
