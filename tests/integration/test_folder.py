"""The folder door: real files, written as carelessly as cameras and network shares do."""

from __future__ import annotations

import contextlib

import pytest

from services.folder import importer, watch
from services.folder.app import build
from shared.errors import ConfigError
from tests.support.fakes import eventually
from tests.support.folderdoor import put, standing, watching
from tests.support.making import core, picture


@pytest.mark.promise("feat B12")
@pytest.mark.promise("feat B16")
def test_a_file_that_is_closed_is_taken_at_once_and_removed(tmp_path):
    with watching(tmp_path, rescan_s=60.0, settle_s=50.0) as door:
        eventually(lambda: door.source._watched)
        (door.root / "x.jpg").write_bytes(picture(1))
        eventually(lambda: door.names() == ["x.jpg"])
        eventually(lambda: door.left() == [])
    (event,) = door.core.told
    assert (event.topic, event.data["door"], event.subject) == ("snapshot.taken", "folder", "porch")


@pytest.mark.promise("feat B12")
@pytest.mark.promise("feat B13")
def test_folders_below_are_watched_too_and_moved_files_are_taken(tmp_path):
    with watching(tmp_path, rescan_s=60.0) as door:
        eventually(lambda: door.source._watched)
        below = door.root / "2026" / "03"
        below.mkdir(parents=True)
        (below / "y.tmp").write_bytes(picture(2))
        (below / "y.tmp").rename(below / "y.jpg")
        eventually(lambda: door.names() == ["2026/03/y.jpg"])


@pytest.mark.promise("fault W1")
def test_a_new_folder_is_read_soon_for_what_came_before_it_was_watched(tmp_path, monkeypatch):
    with watching(tmp_path, rescan_s=300.0) as door:
        eventually(lambda: door.source._watched)
        monkeypatch.setattr(watch.Changes, "note", lambda *_, **__: None)
        put(door.root, "2026/03/y.jpg", picture(2))
        eventually(lambda: door.names() == ["2026/03/y.jpg"])


@pytest.mark.promise("fault W1")
def test_what_came_while_nobody_watched_is_found(tmp_path):
    with standing(tmp_path) as door:
        put(door.root, "a/b/x.jpg", picture(1))
        put(door.root, "y.PNG.jpg", picture(2))
    with watching(tmp_path) as door:
        eventually(lambda: door.names() == ["a/b/x.jpg", "y.PNG.jpg"])
        eventually(lambda: door.left() == [])


@pytest.mark.promise("fault W1")
@pytest.mark.parametrize("how", ["poll", "lost events", "no watches left"])
def test_without_file_events_the_full_reading_finds_everything(tmp_path, monkeypatch, how):
    def lost(*_: object, **__: object) -> None:
        return None

    def no_space(*_: object) -> None:
        raise OSError(28, "inotify watch limit reached")

    if how == "lost events":
        monkeypatch.setattr(watch.Changes, "note", lost)
    if how == "no watches left":
        monkeypatch.setattr(watch, "Watch", no_space)
    with watching(tmp_path, {"poll": how == "poll"}) as door:
        for number in (1, 2):  # the second is not there when the folder is read at the start
            (door.root / f"{number}.jpg").write_bytes(picture(number))
            eventually(lambda: len(door.names()) == number)  # noqa: B023
        assert door.service.about()["ok"]


@pytest.mark.promise("fault W2")
@pytest.mark.promise("feat B15")
def test_a_file_written_in_steps_is_taken_once_and_whole(tmp_path):
    with watching(tmp_path) as door:
        content = picture(1)
        for end in range(20, len(content), 20):
            with (door.root / "x.jpg").open("ab") as file:
                file.write(content[end - 20 : end])
            door.source._changes.note("x.jpg", closed=True)
        assert door.names() == []
        with (door.root / "x.jpg").open("ab") as file:
            file.write(content[end:])
        eventually(lambda: door.names() == ["x.jpg"])
    (row,) = door.core.told
    assert row.data["size"] == len(content)


@pytest.mark.promise("fault W2")
def test_a_file_never_closed_is_taken_when_it_rests_and_its_end_is_there(tmp_path):
    with watching(tmp_path) as door, (door.root / "x.jpg").open("wb", buffering=0) as file:
        file.write(picture(1)[:-2])
        eventually(lambda: "x.jpg" in door.source.importer._cut)
        assert door.names() == []
        file.write(picture(1)[-2:])
        eventually(lambda: door.names() == ["x.jpg"])


@pytest.mark.promise("fault W2")
def test_a_file_whose_end_is_there_but_that_nobody_closed_waits_until_it_rests(tmp_path):
    with standing(tmp_path, settle_s=50.0) as door:
        put(door.root, "x.jpg", picture(1), age=10)
        door.scan()
        assert door.names() == []
        put(door.root, "x.jpg", picture(1) + b"more", age=60)
        door.scan()
        assert door.core.told[0].data["size"] == len(picture(1)) + 4


@pytest.mark.promise("fault W2")
def test_a_file_dated_in_the_future_is_taken_once_it_rests(tmp_path):
    with watching(tmp_path) as door:
        put(door.root, "x.jpg", picture(1), age=-86_400)
        eventually(lambda: door.names() == ["x.jpg"])


@pytest.mark.promise("feat B14")
def test_many_events_of_one_file_make_one_snapshot(tmp_path):
    with watching(tmp_path) as door:
        for _ in range(50):
            door.source._changes.note("x.jpg", closed=True)
        (door.root / "x.jpg").write_bytes(picture(1))
        eventually(lambda: door.names() == ["x.jpg"])
        eventually(lambda: door.left() == [])
    assert len(door.core.told) == 1
    assert door.state()["files"]["repeated"] == 0


@pytest.mark.promise("fault W4")
def test_more_files_than_one_reading_holds_are_all_taken_in_turn(tmp_path, monkeypatch):
    monkeypatch.setattr(importer, "BATCH", 5)
    with watching(tmp_path, rescan_s=60.0) as door:
        for number in range(23):
            put(door.root, f"{number:02}.jpg", picture(number), age=1000 - number)
        door.source._changes.note("00.jpg", closed=True)
    with watching(tmp_path, rescan_s=60.0) as door:
        eventually(lambda: len(door.names()) == 23)
        eventually(lambda: door.left() == [])
    order = [event.data["name"] for event in door.core.told]
    assert order == sorted(order)


@pytest.mark.promise("fault W5")
def test_kept_files_are_taken_once_even_after_a_restart_and_not_read_again(tmp_path, monkeypatch):
    keep = {"keep": True}
    with standing(tmp_path, keep) as door:
        for number in range(3):
            put(door.root, f"{number}.jpg", picture(number))
        put(door.root, "film.mp4", b"\0\0\0\x18ftypmp42" + bytes(2000))
        door.scan()
        assert len(door.names()) == 3 and len(door.left()) == 4

    def no_reading(*_: object) -> None:
        raise AssertionError("it was read again")

    with standing(tmp_path, keep) as door:
        with monkeypatch.context() as watched:
            watched.setattr(importer.Importer, "_accept", no_reading)
            (door.root / "film.mp4").unlink()
            door.scan()
            door.scan()
        put(door.root, "1.jpg", picture(9), age=30.0)
        door.scan()
        assert len(door.names()) == 4
        assert len(door.left()) == 3


def test_equal_files_of_another_time_are_other_snapshots(tmp_path):
    """A frozen camera sends equal bytes: that is no repetition."""
    with standing(tmp_path) as door:
        for age in (100, 50):
            put(door.root, "x.jpg", picture(1), age=age)
            door.scan()
        assert door.names() == ["x.jpg", "x.jpg"]


@pytest.mark.promise("feat B17")
def test_folders_of_two_cameras_do_not_overlap(tmp_path):
    tree = {
        "cameras": {
            "porch": {"folder": {"path": str(tmp_path / "in")}},
            "yard": {"folder": {"path": str(tmp_path / "in" / "yard")}},
        }
    }
    behind = core(tmp_path, tree)
    with (
        contextlib.closing(behind.journal),
        pytest.raises(ConfigError, match=r"yard\.folder\.path.*overlaps.*porch"),
    ):
        build(behind.parts)


@pytest.mark.promise("feat B17")
@pytest.mark.promise("feat B18")
def test_each_folder_is_one_camera_and_the_time_is_in_the_path(tmp_path):
    with standing(tmp_path, {"timezone": "UTC"}) as door:
        put(door.root, "2026-03-01/001/jpg/10/11/12[M][0@0][0].jpg", picture(1))
        door.scan()
    (event,) = door.core.told
    assert event.subject == "porch"
    assert event.data["captured_at"] == "2026-03-01T10:11:12Z"
    assert event.data["captured_by"] == "name"


@pytest.mark.parametrize("name", ["\udcff\udcfe.jpg", "x" * 250 + ".jpg", "a\nb\x1b.jpg", "🦉.jpg"])
def test_files_of_any_name_are_taken(tmp_path, name, caplog):
    with standing(tmp_path) as door:
        put(door.root, name, picture(1))
        door.scan()
        assert door.left() == [] and len(door.names()) == 1
        assert door.names()[0].isprintable()
    deep = "/".join(["deep" * 10] * 20) + "/x.jpg"
    with standing(tmp_path, {"keep": True}) as door:
        put(door.root, deep, picture(2))
        door.scan()
        door.scan()
        assert len(door.names()) == 2
