"""Pattern 3 of source document 000: files of one pattern are taken out of a folder and moved, and
what was found in each is written beside it."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.folder import importer
from services.folder.app import build
from services.folder.destination import clean
from shared.errors import ConfigError, Unreachable
from shared.events import Event, SnapshotAnalyzed, SnapshotRejected
from tests.support.fakes import eventually
from tests.support.folderdoor import Running, put, standing, watching
from tests.support.making import analyzed, core, picture

SEED: Mapping[str, Any] = {"pattern": "snapshot_*.jpg", "processed": "../out", "results": True}


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Running]:
    with standing(tmp_path, SEED) as running:
        yield running


def found(door: Running, number: int = -1, *labels: str) -> Event:
    """The analysis of a picture that was taken."""
    return analyzed([each for each in door.core.told if each.snapshot_id][number], *labels)


def tell(door: Running, event: Event) -> None:
    assert door.service.handlers[event.topic](event) == []


def there(folder: Path) -> list[str]:
    """What is in a folder and below, hidden files too."""
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


@pytest.mark.promise("feat C14")
def test_only_files_of_the_pattern_are_taken_and_others_left_alone(door: Running):
    others = ["snapshot.jpg", "snapshot_1.png", "x_snapshot_1.jpg", "snapshot_1_analysis.json"]
    for name in ("snapshot_1.jpg", "sub/snapshot_2.jpg", *others):
        put(door.root, name, picture(1))
    put(door.root, "notes.txt", b"hello")

    door.scan()
    door.source.importer.changed({name: True for name in others})

    assert door.names() == ["snapshot_1.jpg", "sub/snapshot_2.jpg"]
    assert door.left() == sorted([*others, "notes.txt"])


@pytest.mark.promise("feat C15", "feat C16")
def test_a_taken_file_is_moved_and_its_result_is_written_beside_it(door: Running):
    out = door.root.parent / "out"
    put(door.root, "snapshot_20261121_180312.jpg", picture(1))
    door.scan()
    assert door.left() == [] and there(out) == ["snapshot_20261121_180312.jpg"]
    assert (out / "snapshot_20261121_180312.jpg").read_bytes() == picture(1)

    tell(door, found(door, -1, "person", "person", "car"))

    result = out / "snapshot_20261121_180312_analysis.json"
    assert there(out) == ["snapshot_20261121_180312.jpg", result.name]
    said = json.loads(result.read_text())
    assert list(said)[:3] == ["source", "timestamp", "analysis"]
    assert said["source"] == str(door.root / "snapshot_20261121_180312.jpg")
    assert said["timestamp"] == "snapshot_20261121_180312"
    assert said["analysis"] == "2 person, 1 car"
    assert said["camera"] == "porch" and said["id"] == door.core.told[0].snapshot_id
    assert [each["label"] for each in said["detections"]] == ["person", "person", "car"]
    assert (out.stat().st_mode & 0o777, result.stat().st_mode & 0o777) == (0o755, 0o644)


@pytest.mark.promise("feat C15")
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (SnapshotAnalyzed(camera="porch", analyzed=True), "nothing found"),
        (SnapshotAnalyzed(camera="porch", analyzed=False, reason="no model"), "not analysed: no m"),
        (SnapshotRejected(camera="porch", reason="it is damaged"), "not analysed: it is damaged"),
    ],
)
def test_that_nothing_was_found_is_not_said_of_what_was_not_looked_at(
    door: Running, data: SnapshotAnalyzed | SnapshotRejected, words: str
):
    put(door.root, "snapshot_1.jpg", picture(1))
    door.scan()
    (taken,) = door.core.told
    tell(door, data.event(subject="porch", cause=taken))
    (result,) = (door.root.parent / "out").glob("*.json")
    assert json.loads(result.read_text())["analysis"].startswith(words)


@pytest.mark.promise("feat C16", "fault W5")
@pytest.mark.parametrize("first", ["move", "result"])
def test_after_a_restart_the_file_is_moved_and_the_result_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str
):
    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    with standing(tmp_path, SEED) as door:
        put(door.root, "snapshot_1.jpg", picture(1))
        with monkeypatch.context() as kill, pytest.raises(Killed):
            kill.setattr(importer.Importer, "_remove", killed)
            door.scan()
        event = found(door)
        assert door.left() == ["snapshot_1.jpg"]
    # Much later, when only its key tells that it was taken.
    monkeypatch.setattr("shared.ingest.arrival.REPEAT_WINDOW", timedelta(microseconds=1))
    monkeypatch.setattr("shared.ingest.intake.REPEAT_WINDOW", timedelta(microseconds=1))
    with standing(tmp_path, SEED) as door:
        for step in ("result", "move") if first == "result" else ("move", "result"):
            if step == "move":
                door.scan()
            else:
                tell(door, event)
        assert door.left() == [] and len(door.names()) == 1
        names = there(tmp_path / "out")
    assert names == ["snapshot_1.jpg", "snapshot_1_analysis.json"]


@pytest.mark.promise("feat C16", "inv I8")
def test_a_repeat_changes_nothing(door: Running):
    out = door.root.parent / "out"
    for _ in range(2):  # as the same file that comes again
        put(door.root, "snapshot_1.jpg", picture(1))
        door.scan()
    events = [found(door, number) for number in (0, -1)]
    for event in (*events, *events):
        tell(door, event)
    assert there(out) == ["snapshot_1.jpg", "snapshot_1_analysis.json"]
    before = (out / "snapshot_1_analysis.json").stat()
    tell(door, events[-1])
    assert (out / "snapshot_1_analysis.json").stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.promise("feat C16")
@pytest.mark.parametrize("moved", [True, False], ids=["moved", "removed"])
def test_another_file_of_the_same_name_replaces_nothing(tmp_path: Path, moved: bool):
    section = {**SEED, "processed": "../out" if moved else None}
    with standing(tmp_path, section) as door:
        for number in (1, 2):
            put(door.root, "snapshot_1.jpg", picture(number), age=60 - number)
            door.scan()
        for number in (1, 0, 1):
            tell(door, found(door, number, *["car"] * number))
        place = tmp_path / "out" if moved else door.root
        results = [json.loads(path.read_text()) for path in sorted(place.glob("*_analysis.json"))]
        pictures = {path.read_bytes() for path in place.glob("*.jpg")}
    assert sorted(each["analysis"] for each in results) == ["1 car", "nothing found"]
    assert {each["timestamp"] for each in results} == {"snapshot_1"}
    assert pictures == ({picture(1), picture(2)} if moved else set())


@pytest.mark.promise("feat C17")
def test_what_is_no_picture_goes_to_failed_with_the_reason_and_stops_nothing(tmp_path: Path):
    with standing(tmp_path, {**SEED, "failed": "bad"}) as door:
        put(door.root, "snapshot_1.jpg", b"<html>login")
        put(door.root, "sub/snapshot_1.jpg", b"GIF89a" + bytes(2000))
        put(door.root, "snapshot_2.jpg", picture(1))
        door.scan()
        door.scan()
        assert door.names() == ["snapshot_2.jpg"]
        assert there(door.root / "bad") == [
            "snapshot_1.jpg",
            "snapshot_1_reason.txt",
            "sub/snapshot_1.jpg",
            "sub/snapshot_1_reason.txt",
        ]
        reason = (door.root / "bad" / "sub" / "snapshot_1_reason.txt").read_text()
        assert reason == "not a JPEG or PNG: this is a GIF\n"
        assert door.state()["files"] == {"taken": 1, "repeated": 0, "rejected": 2}


@pytest.mark.promise("feat C16")
def test_what_is_below_the_folder_is_not_taken_again(tmp_path: Path):
    with watching(tmp_path, {"processed": "done", "failed": "bad", "results": True}) as door:
        eventually(lambda: door.source._watched)
        (door.root / "x.jpg").write_bytes(picture(1))
        eventually(lambda: (door.root / "done" / "x.jpg").exists())
        tell(door, found(door))
        (door.root / "bad").mkdir()
        (door.root / "bad" / "y.jpg").write_bytes(picture(2))
        (door.root / "z.jpg").write_bytes(picture(3))
        eventually(lambda: (door.root / "done" / "z.jpg").exists())
        door.scan()
        assert door.names() == ["x.jpg", "z.jpg"]


@pytest.mark.promise("feat C14")
def test_a_folder_is_read_as_often_as_it_says(tmp_path: Path):
    with watching(tmp_path, {"poll": True, "every_s": 0.1}, rescan_s=60.0) as door:
        for number in range(3):
            (door.root / f"{number}.jpg").write_bytes(picture(number))
            eventually(lambda: len(door.names()) > number, timeout=20)  # noqa: B023


@pytest.mark.promise("fault W6")
def test_while_the_place_is_away_pictures_are_taken_and_moved_once_it_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    share = tmp_path / "share"
    with standing(tmp_path, {**SEED, "processed": str(share / "out")}) as door:
        for number in (1, 2):
            put(door.root, f"snapshot_{number}.jpg", picture(number))
            door.scan()
        assert door.names() == door.left() == ["snapshot_1.jpg", "snapshot_2.jpg"]
        assert "can't be moved to" in door.service.about()["summary"]
        with pytest.raises(Unreachable, match="missing"):
            tell(door, found(door))

        share.mkdir()
        door.scan()
        tell(door, found(door))
        assert door.left() == [] and door.state()["ok"]
        assert door.state()["files"] == {"taken": 2, "repeated": 0, "rejected": 0}
    assert there(share / "out") == [
        "snapshot_1.jpg", "snapshot_2.jpg", "snapshot_2_analysis.json",
    ]  # fmt: skip
    assert caplog.text.count("can't be moved") == 1


def test_files_are_moved_to_another_volume_too(door: Running, monkeypatch: pytest.MonkeyPatch):
    rename = os.rename

    def across(source: Any, target: Any, **where: Any) -> None:
        there = Path(f"/proc/self/fd/{where['dst_dir_fd']}").readlink()
        if where["src_dir_fd"] != where["dst_dir_fd"] and there.name == "out":
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        rename(source, target, **where)

    path = put(door.root, "snapshot_1.jpg", picture(1))
    at = path.stat().st_mtime_ns
    monkeypatch.setattr("services.folder.destination.os.rename", across)
    door.scan()
    (moved,) = (door.root.parent / "out").iterdir()
    assert (moved.name, moved.read_bytes()) == ("snapshot_1.jpg", picture(1))
    assert moved.stat().st_mtime_ns == at and door.left() == []


@pytest.mark.promise("fault W3")
def test_no_link_is_followed_where_files_are_moved_to(door: Running, tmp_path: Path):
    victim, out = tmp_path / "victim", tmp_path / "out"
    victim.mkdir()
    out.mkdir()
    (out / "sub").symlink_to(victim)
    (victim / "secret").write_text("secret")
    (out / "snapshot_1_analysis.json").symlink_to(victim / "secret")
    (out / ".snapshot_1_analysis.json.part").symlink_to(victim / "secret")
    put(door.root, "snapshot_1.jpg", picture(1))
    put(door.root, "sub/snapshot_2.jpg", picture(2))
    door.scan()
    for number in (0, 1):
        with contextlib.suppress(Unreachable):
            tell(door, found(door, number))
    assert there(victim) == ["secret"] and (victim / "secret").read_text() == "secret"
    assert len(door.names()) == 2, "both are safe in the store"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a/b.jpg", ["a", "b.jpg"]),
        ("../../etc/passwd", ["etc", "passwd"]),
        ("/etc//./x.jpg", ["etc", "x.jpg"]),
        (".hidden/..x.jpg", ["hidden", "x.jpg"]),
        ("a\0b.jpg", ["ab.jpg"]),
        ("..", ["picture"]),
        ("", ["picture"]),
        ("x" * 300 + ".jpg", ["x" * 196 + ".jpg"]),
    ],
)
def test_a_name_leads_nowhere_else(name: str, parts: list[str]):
    assert clean(name) == parts


@pytest.mark.parametrize(
    ("folder", "text"),
    [
        ({"keep": True, "processed": "x"}, "choose one"),
        ({"processed": "."}, r"porch\.folder\.processed: .* would be taken again"),
        ({"failed": "{}/yard/bad"}, r"porch\.folder\.failed: .* lies in the folder of camera yard"),
    ],
)
def test_files_are_not_moved_to_where_they_would_be_taken_again(
    tmp_path: Path, folder: dict[str, Any], text: str
):
    porch = {"path": str(tmp_path / "in")} | {
        name: value.format(tmp_path) if isinstance(value, str) else value
        for name, value in folder.items()
    }
    yard = {"path": str(tmp_path / "yard")}
    with pytest.raises((ConfigError, ValueError), match=text):
        behind = core(tmp_path, {"cameras": {"porch": {"folder": porch}, "yard": {"folder": yard}}})
        with contextlib.closing(behind.journal):
            build(behind.parts)


@pytest.mark.parametrize("section", [{}, {"results": False, "processed": "../out"}])
def test_without_the_setting_and_for_other_doors_nothing_is_written(
    tmp_path: Path, section: dict[str, Any]
):
    with standing(tmp_path, section) as door:
        put(door.root, "x.jpg", picture(1))
        door.scan()
        tell(door, found(door))
    with standing(tmp_path, SEED) as door:
        door.core.arrive(picture(2), name="snapshot_9.jpg", door="ftp")
        tell(door, found(door))
    assert not list(tmp_path.rglob("*_analysis.json"))
