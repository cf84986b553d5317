"""A taken file is removed once its picture is safe, and whatever happens meanwhile no other one."""

from __future__ import annotations

import os
from typing import Any

import pytest

from services.folder import importer, watch
from shared.errors import JournalUnavailable, StoreFull
from tests.support.fakes import eventually
from tests.support.folderdoor import old, put, standing, watching
from tests.support.making import picture

LONG = "ж" * 125 + "x.jpg"
"""As many bytes as a name can have."""


@pytest.mark.promise("fault W3")
def test_a_file_that_took_the_name_of_a_taken_one_is_not_deleted(tmp_path, monkeypatch):
    with standing(tmp_path) as door:
        put(door.root, "x.jpg", picture(1))
        accept = importer.Importer._accept

        def replaced_meanwhile(self: Any, file: Any) -> tuple[bool, str]:
            done = accept(self, file)
            put(door.root, "new", picture(2)).rename(door.root / "x.jpg")
            return done

        with monkeypatch.context() as racing:
            racing.setattr(importer.Importer, "_accept", replaced_meanwhile)
            door.scan()
        assert door.left() == ["x.jpg"]
        assert (door.root / "x.jpg").read_bytes() == picture(2)
        door.scan()
        assert door.left() == [] and len(door.names()) == 2


@pytest.mark.promise("fault W3")
def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path, monkeypatch):
    with standing(tmp_path) as door:
        path = put(door.root, "x.jpg", picture(1))
        real = os.read

        def changing(descriptor: int, size: int) -> bytes:
            chunk = real(descriptor, size)
            if chunk:
                path.write_bytes(picture(2) + b"more")
            return chunk

        with monkeypatch.context() as racing:
            racing.setattr(os, "read", changing)
            door.scan()
        assert door.names() == [] and door.left() == ["x.jpg"]
        old(path)
        door.scan()
        assert door.left() == [] and door.core.told[0].data["size"] == len(picture(2)) + 4


@pytest.mark.promise("fault W5")
@pytest.mark.promise("inv I8")
def test_killed_before_the_file_was_removed_it_is_known_again(tmp_path, monkeypatch):
    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    with standing(tmp_path) as door:
        put(door.root, "x.jpg", picture(1))
        with monkeypatch.context() as kill, pytest.raises(Killed):
            kill.setattr(importer.Importer, "_remove", killed)
            door.scan()
        assert door.left() == ["x.jpg"]
    with standing(tmp_path) as door:
        door.scan()
        assert door.left() == [] and door.names() == ["x.jpg"]
        assert door.state()["files"]["repeated"] == 1 and door.core.told == []


@pytest.mark.promise("fault W5", "inv I1")
def test_another_picture_of_the_same_name_time_and_size_is_no_repeat(tmp_path):
    with standing(tmp_path) as door:
        for end in (b"1", b"2", b"2"):
            os.utime(put(door.root, "x.jpg", picture(1) + end), (1e9, 1e9))
            door.scan()
            assert door.left() == []
        assert door.names() == ["x.jpg", "x.jpg"]
        assert door.state()["files"] == {"taken": 2, "repeated": 1, "rejected": 0}


@pytest.mark.promise("fault W5")
@pytest.mark.parametrize("name", ["x.jpg", "sub/x.jpg", LONG, f"{LONG}/{LONG}"], ids=len)
def test_killed_in_the_middle_of_removing_it_is_removed_later(tmp_path, monkeypatch, name):
    class Killed(BaseException):
        pass

    def killed(point: str) -> None:
        if point == "folder.claimed":
            raise Killed

    with standing(tmp_path) as door:
        put(door.root, name, picture(1))
        with monkeypatch.context() as kill, pytest.raises(Killed):
            kill.setattr("services.folder.directory.reach", killed)
            door.scan()
        (left,) = door.left()
        assert left != name
    with standing(tmp_path) as door:
        door.scan()
        assert door.left() == [left]  # it may be in work
        monkeypatch.setattr("services.folder.directory._CLAIM_S", -1.0)
        door.scan()
        assert door.left() == [] and len(door.names()) == 1
        assert door.state()["files"] == {"taken": 0, "repeated": 1, "rejected": 0}
        assert not [each for each in door.root.rglob("*") if each.name.startswith(".")]


@pytest.mark.promise("fault W5")
def test_the_empty_folder_of_a_claim_is_removed_and_no_other(tmp_path, monkeypatch):
    claims = [f"{above}.taken-{number:032x}" for number, above in enumerate(("", "sub/"))]
    with standing(tmp_path) as door:
        for each in (*claims, "empty", ".taken-short", f"full/.taken-{7:032x}"):
            (door.root / each).mkdir(parents=True)
        (door.root / f"full/.taken-{7:032x}/.hidden").touch()
        door.scan()
        assert all((door.root / each).is_dir() for each in claims)  # they may be in work
        monkeypatch.setattr("services.folder.directory._CLAIM_S", -1.0)
        door.scan()
        left = {str(each.relative_to(door.root)) for each in door.root.rglob("*")}
        kept = {"sub", "empty", ".taken-short", "full", f"full/.taken-{7:032x}"}
        assert left == kept | {f"full/.taken-{7:032x}/.hidden"}


@pytest.mark.parametrize("camera", [{}, {"processed": "done"}])
def test_a_file_with_the_longest_name_is_removed(tmp_path, camera):
    with standing(tmp_path, camera) as door:
        put(door.root, LONG, picture(1))
        put(door.root, "film " + LONG[5:], b"\0\0\0\x18ftypmp42" + bytes(2000))
        door.scan()
        assert door.state()["ok"], door.state()["trouble"]
        assert [each.name for each in door.root.iterdir() if not each.is_dir()] == []
        assert len(door.names()) == 1


@pytest.mark.promise("fault W6")
def test_a_missing_folder_is_told_and_taken_up_when_it_comes(tmp_path):
    with watching(tmp_path) as door:
        eventually(lambda: door.source._watched)
        door.root.rename(tmp_path / "away")
        eventually(lambda: not door.service.about()["ok"])
        assert "No such file" in door.service.about()["summary"]
        put(tmp_path / "away", "x.jpg", picture(1))
        (tmp_path / "away").rename(door.root)
        eventually(lambda: door.names() == ["x.jpg"])
        eventually(lambda: door.service.about()["ok"])
        (door.root / "y.jpg").write_bytes(picture(2))
        eventually(lambda: len(door.names()) == 2)


@pytest.mark.promise("fault W6")
def test_an_empty_folder_on_another_volume_is_told(tmp_path, monkeypatch):
    with standing(tmp_path) as door:
        door.scan()
        monkeypatch.setattr(door.source.importer.directory, "identity", lambda: (4711, 1))
        door.scan()
        assert "is it mounted" in door.service.about()["summary"]
        put(door.root, "x.jpg", picture(1))
        door.scan()
        assert door.service.about()["ok"] and door.names() == ["x.jpg"]


@pytest.mark.promise("feat K15")
@pytest.mark.promise("fault F9")
@pytest.mark.parametrize("error", [StoreFull("full"), JournalUnavailable("away")])
def test_files_stay_where_they_are_while_nothing_can_be_stored(tmp_path, monkeypatch, error):
    monkeypatch.setattr(watch, "PAUSE_S", 0.05)
    real = importer.Importer._accept

    def fail(*_: object) -> None:
        raise error

    with watching(tmp_path) as door:
        monkeypatch.setattr(importer.Importer, "_accept", fail)
        put(door.root, "x.jpg", picture(1))
        eventually(lambda: not door.service.about()["ok"])
        assert door.left() == ["x.jpg"]
        monkeypatch.setattr(importer.Importer, "_accept", real)
        eventually(lambda: door.names() == ["x.jpg"])
        eventually(lambda: door.service.about()["ok"])


def test_a_file_that_can_not_be_removed_is_taken_once_and_told(tmp_path, monkeypatch):
    def read_only(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    with standing(tmp_path) as door:
        put(door.root, "x.jpg", picture(1))
        monkeypatch.setattr("services.folder.directory.os.rename", read_only)
        door.scan()
        door.scan()
        assert door.names() == ["x.jpg"] and door.left() == ["x.jpg"]
        assert door.state()["files"] == {"taken": 1, "repeated": 0, "rejected": 0}
        assert "Read-only" in door.service.about()["summary"]
