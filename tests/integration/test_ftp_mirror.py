"""The mirror: files below a folder for those who look for them there."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from services.ftp import mirror as module
from services.ftp.app import build
from services.ftp.mirror import Mirror
from services.ftp.mirror_names import safe_path
from shared.errors import StoreMissing
from shared.stop import Stop
from tests.support.fakes import eventually
from tests.support.ftpdoor import PASSWORD, ftp_door
from tests.support.making import Core, core, picture

NOW = 1_793_430_489.0


class Clock:
    time = NOW

    def __call__(self) -> float:
        return self.time


def tree(folder: Path, **section: Any) -> dict[str, Any]:
    return {
        "cameras": {
            "porch": {"ftp": {"password": PASSWORD}},
            "gate": {"ftp": {"account": "all"}},
            "yard": {"fetch": {"url": "http://192.0.2.1/"}},
        },
        "ftp": {
            "accounts": {"all": {"password": PASSWORD}},
            "mirror": {"folder": folder / "mirror", **section},
        },
    }


@contextmanager
def mirrored(folder: Path, clock: Clock, **section: Any) -> Iterator[tuple[Core, Mirror]]:
    behind = core(folder, tree(folder, **section))
    mirror = next(each for each in build(behind.parts).sources if isinstance(each, Mirror))
    mirror._clock = clock
    mirror.look()
    try:
        yield behind, mirror
    finally:
        behind.journal.close()


def files(folder: Path) -> dict[str, bytes]:
    root = folder / "mirror"
    return {
        str(each.relative_to(root)): each.read_bytes()
        for each in sorted(root.rglob("*"))
        if each.is_file()
    }


@pytest.mark.promise("feat B4")
def test_each_picture_lies_where_its_camera_put_it(tmp_path: Path):
    with mirrored(tmp_path, Clock()) as (behind, mirror):
        behind.arrive(picture(1), camera="porch", name="snap/MDAlarm_20261031-070809.jpg")
        behind.arrive(picture(2), camera="gate", name="uploads/gate/1.jpg.tmp")
        behind.arrive(picture(3), camera="back-yard", name="x.abcd1234")
        behind.arrive(picture(4), camera="yard", name="fetched.jpg", door="fetch")
        mirror.look()
        assert files(tmp_path) == {
            "porch/snap/MDAlarm_20261031-070809.jpg": picture(1),
            "uploads/gate/1.jpg": picture(2),
            "x.abcd1234.jpg": picture(3),
        }
        assert mirror.about()["files"] == 3


def test_pictures_of_before_are_left_out_and_those_of_an_absence_are_not(tmp_path: Path):
    with mirrored(tmp_path, Clock()) as (behind, mirror):
        behind.arrive(picture(1), name="1.jpg")
        mirror.look()
    (tmp_path / "mirror/porch/1.jpg").unlink()  # somebody took it
    behind = core(tmp_path, tree(tmp_path))
    behind.arrive(picture(2), name="2.jpg")
    behind.journal.close()
    with mirrored(tmp_path, Clock()) as (behind, mirror):
        assert "porch/2.jpg" in files(tmp_path)
        behind.arrive(picture(3), name="3.jpg")
        mirror.look()
        mirror.look()
        assert "porch/3.jpg" in files(tmp_path)
    other = tmp_path / "other"
    behind = core(other, tree(other) | {"ftp": {}})
    behind.arrive(picture(4), name="4.jpg")
    behind.journal.close()
    with mirrored(other, Clock()):
        assert files(other) == {}


def test_old_copies_and_too_many_are_removed_and_nothing_else(tmp_path: Path):
    clock = Clock()
    size = len(picture(0))
    with mirrored(tmp_path, clock, days=2, max_bytes=3 * size) as (behind, mirror):
        mine = tmp_path / "mirror" / "porch" / "mine.jpg"
        mine.parent.mkdir()
        mine.write_bytes(b"mine")
        os.utime(mine, (0, 0))
        for number in range(5):
            behind.arrive(picture(number), name=f"day{number}/x.jpg")
            mirror.look()
            clock.time += 3600
        kept = {f"porch/day{number}/x.jpg" for number in (2, 3, 4)}
        assert set(files(tmp_path)) == kept | {"porch/mine.jpg"}
        assert not (tmp_path / "mirror/porch/day0").exists(), "an empty folder"
        clock.time += 47 * 3600
        behind.arrive(picture(9), name="new.jpg")
        mirror.look()
        assert set(files(tmp_path)) == {"porch/day4/x.jpg", "porch/new.jpg", "porch/mine.jpg"}
    with mirrored(tmp_path, clock, days=0.01) as (behind, mirror):
        clock.time += 10 * 3600
        behind.arrive(picture(10), name="last.jpg")
        mirror.look()
        assert set(files(tmp_path)) == {"porch/last.jpg", "porch/mine.jpg"}, "also of before"


@pytest.mark.promise("feat B4")
def test_a_file_of_somebody_else_with_the_name_of_a_removed_copy_stays_after_a_restart(
    tmp_path: Path,
):
    clock = Clock()
    with mirrored(tmp_path, clock, days=1) as (behind, mirror):
        behind.arrive(picture(1), name="1.jpg")
        behind.arrive(picture(2), name="2.jpg")
        mirror.look()
        clock.time += 25 * 3600
        mirror.look()
        assert files(tmp_path) == {}
    theirs = tmp_path / "mirror/porch/1.jpg"
    theirs.parent.mkdir()
    theirs.write_bytes(b"theirs")
    with mirrored(tmp_path, clock, days=1) as (_, mirror):
        mirror.look()
    assert theirs.read_bytes() == b"theirs"


@pytest.mark.promise("sec A1")
def test_no_link_is_followed_out_of_the_mirror(tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "1.jpg").write_bytes(b"theirs")
    with mirrored(tmp_path, Clock()) as (behind, mirror):
        (tmp_path / "mirror/porch").symlink_to(outside)
        behind.arrive(picture(1), name="1.jpg")
        mirror.look()
        (tmp_path / "mirror/porch").unlink()
        (tmp_path / "mirror/porch").mkdir()
        (tmp_path / "mirror/porch/1.jpg").symlink_to(outside / "1.jpg")
        behind.arrive(picture(2), name="1.jpg")
        mirror.look()
        mine = next((tmp_path / "mirror/porch").glob("1-*.jpg"))
        assert mine.read_bytes() == picture(2) and not mine.is_symlink()
    assert [each.name for each in outside.iterdir()] == ["1.jpg"]
    assert (outside / "1.jpg").read_bytes() == b"theirs"


@pytest.mark.promise("feat B4")
def test_trouble_of_the_mirror_refuses_nobody_and_nothing_is_left_out_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog
):
    monkeypatch.setattr(module, "TROUBLE_S", 0.05)
    monkeypatch.setattr(module, "LOOK_S", 0.05)
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with ftp_door(tmp_path, {"mirror": {"folder": blocked}}) as door:
        eventually(lambda: "the mirror" in door.about()["summary"])
        with door.raw() as raw:
            assert raw.put("1.jpg", picture(1)).startswith("226")
        eventually(lambda: "the mirror" in door.about()["summary"])
        assert door.about()["ok"]
        blocked.unlink()
        blocked.mkdir()
        with door.raw() as raw:
            assert raw.put("2.jpg", picture(2)).startswith("226")
        eventually(lambda: (blocked / "porch/2.jpg").exists())
        assert (blocked / "porch/1.jpg").read_bytes() == picture(1)
        eventually(lambda: not door.about()["mirror"]["trouble"])
    assert "Not a directory" in caplog.text or "File exists" in caplog.text


@pytest.mark.promise("feat B4")
def test_a_picture_that_the_store_lost_is_left_out(tmp_path: Path, caplog):
    with mirrored(tmp_path, Clock()) as (behind, mirror):
        behind.arrive(picture(1), name="lost.jpg")
        behind.arrive(picture(2), name="2.jpg")
        behind.store.place(sha(picture(1))).unlink()
        mirror.look()
        mirror.look()
        assert set(files(tmp_path)) == {"porch/2.jpg"} and mirror.about()["files"] == 1
    assert caplog.text.count("no copy porch/lost.jpg") == 1


@pytest.mark.promise("feat B4")
def test_the_mirror_waits_for_a_store_that_is_not_mounted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "TROUBLE_S", 0.05)
    with mirrored(tmp_path, Clock()) as (behind, mirror):
        behind.arrive(picture(1), name="1.jpg")
        store, away = behind.store.volume.root, tmp_path / "away"
        store.rename(away)
        with pytest.raises(StoreMissing):
            mirror.look()
        stop = Stop()
        thread = threading.Thread(target=mirror.run, args=[stop])
        thread.start()
        try:
            eventually(lambda: "mounted" in mirror.trouble)
            away.rename(store)
            eventually(lambda: files(tmp_path) == {"porch/1.jpg": picture(1)})
            eventually(lambda: not mirror.trouble)
        finally:
            stop.set()
            thread.join()


ONE_NAME = ("ENOTDIR", "EISDIR", "ELOOP", "EACCES", "ENAMETOOLONG", "EEXIST", "EINVAL")


def refusing(monkeypatch: pytest.MonkeyPatch, error: str) -> None:
    """The disk refuses the first write."""
    real, number = shutil.copyfileobj, getattr(errno, error)

    def fail(*_: Any) -> None:
        monkeypatch.setattr(shutil, "copyfileobj", real)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(shutil, "copyfileobj", fail)


@pytest.mark.promise("feat B4")
@pytest.mark.parametrize("error", ONE_NAME)
def test_a_name_that_the_disk_refuses_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog, error: str
):
    with mirrored(tmp_path, Clock()) as (behind, mirror):
        behind.arrive(picture(1), name="1.jpg")
        behind.arrive(picture(2), name="2.jpg")
        refusing(monkeypatch, error)
        mirror.look()
        mirror.look()
        assert files(tmp_path) == {"porch/2.jpg": picture(2)}
        assert mirror.about()["files"] == 1
    assert os.strerror(getattr(errno, error)) in caplog.text


def test_a_file_where_a_folder_should_be_holds_up_no_other(tmp_path: Path):
    with mirrored(tmp_path, Clock()) as (behind, mirror):
        (tmp_path / "mirror/porch").write_bytes(b"mine")
        behind.arrive(picture(1), camera="porch", name="1.jpg")
        behind.arrive(picture(2), camera="gate", name="2.jpg")
        mirror.look()
        assert files(tmp_path) == {"porch": b"mine", "2.jpg": picture(2)}


@pytest.mark.promise("feat B4")
@pytest.mark.parametrize("error", ["ENOSPC", "EIO", "EROFS"])
def test_trouble_of_the_disk_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str
):
    with mirrored(tmp_path, Clock()) as (behind, mirror):
        behind.arrive(picture(1), name="1.jpg")
        refusing(monkeypatch, error)
        with pytest.raises(OSError, match=os.strerror(getattr(errno, error))):
            mirror.look()
        assert files(tmp_path) == {}
        mirror.look()
        assert files(tmp_path) == {"porch/1.jpg": picture(1)}


def test_a_mirror_that_takes_no_file_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refused(**_: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    with mirrored(tmp_path, Clock()) as (behind, mirror), monkeypatch.context() as patch:
        behind.arrive(picture(1), name="1.jpg")
        refusing(monkeypatch, "EACCES")
        patch.setattr(tempfile, "TemporaryFile", refused)
        with pytest.raises(PermissionError):
            mirror.look()
        mirror.look()
        assert set(files(tmp_path)) == {"porch/1.jpg"}


@pytest.mark.promise("feat B4")
def test_other_programs_can_read_the_copies_whatever_the_umask(tmp_path: Path):
    before = os.umask(0o077)
    try:
        with mirrored(tmp_path, Clock()) as (behind, mirror):
            behind.arrive(picture(1), name="a/1.jpg")
            mirror.look()
    finally:
        os.umask(before)
    modes = {
        each: (tmp_path / "mirror" / each).stat().st_mode & 0o777
        for each in (".", "porch", "porch/a", "porch/a/1.jpg")
    }
    assert modes == {".": 0o755, "porch": 0o755, "porch/a": 0o755, "porch/a/1.jpg": 0o644}


@pytest.mark.promise("feat B4")
def test_old_copies_are_removed_though_none_comes(tmp_path: Path):
    clock = Clock()
    with mirrored(tmp_path, clock, days=2) as (behind, mirror):
        behind.arrive(picture(1), name="1.jpg")
        mirror.look()
        assert files(tmp_path)
        clock.time += 3 * 86_400
        mirror.look()
        assert files(tmp_path) == {} and mirror.about()["files"] == 0


@pytest.mark.promise("feat B4")
def test_no_file_of_others_is_replaced(tmp_path: Path):
    clock = Clock()
    longer = f"porch/1-{sha(picture(1))[:8]}.jpg"
    theirs = {"porch/1.jpg": b"theirs"}
    with mirrored(tmp_path, clock, days=2) as (behind, mirror):
        (tmp_path / "mirror/porch").mkdir()
        (tmp_path / "mirror/porch/1.jpg").write_bytes(b"theirs")
        behind.arrive(picture(1), name="1.jpg")
        mirror.look()
        assert files(tmp_path) == theirs | {longer: picture(1)}
        behind.arrive(picture(2), name="2.jpg")
        mirror.look()
        behind.arrive(picture(3), name="2.jpg")
        mirror.look()
        assert files(tmp_path)["porch/2.jpg"] == picture(3), "our own is replaced"
        clock.time += 3 * 86_400
        mirror.look()
        assert files(tmp_path) == theirs


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.promise("sec A1")
@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/x.jpg", "etc/x.jpg"),
        ("/abs//x.JPG", "abs/x.JPG"),
        ("a\\b\\x.jpg", "a/b/x.jpg"),
        (".hidden/..x.jpg", "hidden/x.jpg"),
        ('a:b|c?"<>*/x.jpg', "a_b_c_____/x.jpg"),
        ("\x1b[31m\n.jpg", "_[31m_.jpg"),
        ("", "picture.jpg"),
        ("x.jpg_", "x.jpg"),
        ("x.png", "x.png"),
        ("x.part", "x.jpg"),
        ("/".join("abcdefghijklmnop") + "/x.jpg", "g/h/i/j/k/l/m/n/o/p/x.jpg"),
        ("\u202egpj.jpg", "_gpj.jpg"),
        ("...", "_.jpg"),
    ],
)
def test_names_of_copies_are_safe(name: str, safe: str):
    assert "/".join(safe_path(name, "image/jpeg")) == safe


def test_names_of_copies_fit_every_disk():
    path = safe_path("ä" * 250 + "/" + "🦉" * 250 + ".png", "image/png")
    assert all(len(each.encode()) < 200 for each in path)
