"""What a watched folder holds besides pictures: set aside, left alone, and never followed."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import pytest

from services.folder import importer
from shared.errors import Unreachable
from shared.events import SnapshotAnalyzed
from tests.support.folderdoor import old, put, standing
from tests.support.making import analyzed, picture


@pytest.mark.promise("feat C17")
@pytest.mark.promise("feat B15")
def test_what_is_no_picture_is_set_aside_and_never_deleted(tmp_path, caplog):
    with standing(tmp_path) as door:
        put(door.root, "film.mp4", b"\0\0\0\x18ftypmp42" + bytes(2000))
        put(door.root, "sub/film.mp4", b"\0\0\0\x18ftypmp42" + bytes(3000))
        put(door.root, "page.jpg", b"<html></html>")
        put(door.root, "x.jpg", picture(1))
        door.scan()
        assert door.names() == ["x.jpg"]
        assert door.left() == [".rejected/film.mp4", ".rejected/page.jpg", ".rejected/sub_film.mp4"]
        put(door.root, "film.mp4", b"RIFF\0\0\0\0AVI " + bytes(2000))
        door.scan()
        assert len(door.left()) == 4
        door.scan()
    assert caplog.text.count("is not taken") == 4
    assert door.state()["files"]["rejected"] == 4


@pytest.mark.promise("feat C17")
def test_a_file_that_can_not_be_read_is_left_alone_and_told_once(tmp_path, monkeypatch, caplog):
    read = os.read

    def damaged(descriptor: int, count: int) -> bytes:
        if Path(f"/proc/self/fd/{descriptor}").readlink().name == "bad.jpg":
            raise OSError(5, "Input/output error")
        return read(descriptor, count)

    with standing(tmp_path) as door:
        put(door.root, "bad.jpg", picture(1), age=120)
        put(door.root, "x.jpg", picture(2))
        monkeypatch.setattr("services.folder.importer.os.read", damaged)
        door.scan()
        door.scan()
        assert (door.names(), door.left()) == (["x.jpg"], ["bad.jpg"])
        assert caplog.text.count("is left alone: Input/output error") == 1
        monkeypatch.undo()
        door.scan()
        assert door.names() == ["bad.jpg", "x.jpg"]


@pytest.mark.promise("feat B15", "fault W2")
@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"\xff\xd8", bytes(500), picture(1)[:-2]], ids=len
)
def test_an_unfinished_file_waits_an_hour_and_is_set_aside_then(tmp_path, content):
    with standing(tmp_path) as door:
        path = put(door.root, "x.jpg", content)
        door.scan()
        door.scan()
        assert door.left() == ["x.jpg"] and door.state()["waiting"] == 1
        old(path, importer.GIVE_UP_S + 1)
        door.scan()
        assert door.left() == [".rejected/x.jpg"]
        assert door.names() == [] and door.core.told == []


def test_names_of_unfinished_and_hidden_files_are_left_alone(tmp_path):
    with standing(tmp_path) as door:
        names = [".x.jpg", "x.jpg.part", "X.TMP", "x.jpg_", "x.jpg~", ".sync/x.jpg", "a/.b/x.jpg"]
        for name in names:
            put(door.root, name, picture(1))
        door.scan()
        assert door.names() == []
        assert door.left() == sorted(names)


def endless(path: Path) -> None:
    """As /dev/urandom."""
    if os.geteuid() != 0:
        pytest.skip("making a device needs root")
    os.mknod(path, 0o020600, os.makedev(1, 9))


@pytest.mark.promise("fault W3")
@pytest.mark.parametrize(
    "kind", ["link", "link to folder", "fifo", "folder", "gone", "socket", "device"]
)
def test_only_plain_files_are_touched(tmp_path, kind):
    secret = tmp_path / "secret"
    secret.mkdir()
    put(secret, "x.jpg", picture(5))
    with standing(tmp_path) as door:
        path = door.root / "x.jpg"
        if kind == "link":
            path.symlink_to(secret / "x.jpg")
        elif kind == "link to folder":
            path.symlink_to(secret)
        elif kind == "fifo":
            os.mkfifo(path)
        elif kind == "folder":
            path.mkdir()
        elif kind == "socket":
            os.mknod(path, 0o140600)
        elif kind == "device":
            endless(path)
        start = time.monotonic()
        door.scan()
        door.source.importer.changed({"x.jpg": True, "x.jpg/x.jpg": True, "../secret/x.jpg": True})
        assert time.monotonic() - start < 20
        assert door.names() == [] and (secret / "x.jpg").exists()
        assert os.path.lexists(path) == (kind != "gone")


@pytest.mark.promise("fault W3")
@pytest.mark.parametrize("when", ["before the start", "later"])
@pytest.mark.parametrize("folder", [".rejected", "bad", "done", "done/deep", "done above"])
def test_no_link_leads_out_of_the_folder(tmp_path, folder, when):
    outside = tmp_path / "outside"
    (outside / "deep").mkdir(parents=True)
    camera: dict[str, object] = {"results": True}
    if folder != ".rejected":
        setting = "failed" if folder == "bad" else "processed"
        camera[setting] = "done/deep" if folder == "done above" else folder

    def link(root: Path) -> None:
        place = root / ("done" if folder == "done above" else folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(outside)

    (tmp_path / "in").mkdir()
    if when != "later":
        link(tmp_path / "in")
    with standing(tmp_path, camera) as door:
        if when == "later":
            link(door.root)
        put(door.root, "x.jpg", picture(1))
        put(door.root, "film.mp4", b"\0\0\0\x18ftypmp42" + bytes(2000))
        door.scan()
        assert door.names() == ["x.jpg"]
        (taken,) = [each for each in door.core.told if each.snapshot_id]
        with contextlib.suppress(Unreachable):
            door.service.handlers[SnapshotAnalyzed.topic](analyzed(taken))
        assert [each for each in outside.rglob("*") if not each.is_dir()] == []
        left = door.root / ("film.mp4" if folder in (".rejected", "bad") else "x.jpg")
        assert left.exists()
