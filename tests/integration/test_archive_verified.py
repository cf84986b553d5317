"""Every kind of archive: what differs is named exactly and healed, by manifests and the journal."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import date
from pathlib import Path

import pytest

from services.drive.archives.archive import MANIFEST
from services.drive.verified import chain
from services.drive.verified.sources import Scope
from shared.errors import Retry, Unreachable
from tests.contract.test_archive import RIGS, Rig
from tests.support.filed import EVERYTHING, Filed, folder_archive
from tests.support.making import Core, core, picture

DAY = "2026-03-01"
OLD = "porch_20260302-120000_01ARZ3NDEKTSV4RRFFQ69G5FAV.jpg"
"""Named like a picture of a year ago."""


@pytest.fixture(params=RIGS)
def rig(request, tmp_path: Path) -> Iterator[Rig]:
    with closing(request.param(tmp_path / "rig")) as rig:
        rig.archive.name = "rig"
        yield rig


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Core]:
    with closing(core(tmp_path / "data")) as made:
        yield made


@pytest.fixture
def filed(here: Core, rig: Rig, tmp_path: Path) -> Filed:
    other = folder_archive(tmp_path / "other", "other")
    return Filed(here, {"rig": rig.archive, "other": other}, {})


@pytest.mark.promise("feat F21", "fault G4")
def test_three_damaged_files_are_named_exactly_and_healed_from_the_store(filed: Filed, rig: Rig):
    paths = [filed.file(number, day=number % 2) for number in range(8)]
    filed.keep("rig")
    assert filed.differences("rig", "hashes") == []

    rig.remove(paths[1])
    rig.damage(paths[4])
    rig.damage(paths[6])
    foreign = [("foreign", f"2026/03/02/{name}") for name in ("note.txt", OLD)]
    for _, path in foreign:
        rig.damage(path)

    named = {("missing", paths[1]), ("changed", paths[4]), ("changed", paths[6])}
    named.update(foreign)
    assert set(filed.differences("rig")) == set(filed.differences("rig", "hashes")) == named

    healed = {path for path, why in filed.heal("rig") if not why}
    assert healed == {paths[1], paths[4], paths[6]}
    assert sorted(filed.differences("rig", "hashes")) == foreign
    assert [path for path in rig.live() if not path.endswith(MANIFEST)] == sorted(
        [*paths, *(path for _, path in foreign)]
    )
    for number in (1, 4, 6):
        assert rig.content(paths[number]) == picture(number)


@pytest.mark.promise("feat F21")
def test_what_the_store_lost_as_well_is_healed_from_another_archive(filed: Filed, rig: Rig):
    path = filed.file(1)
    rig.damage(path)
    filed.blob(1).unlink()
    assert filed.heal("rig") == [(path, "")]
    assert rig.content(path) == picture(1)

    rig.damage(path)
    other = filed.here.settings.data.parent / "other" / path
    other.write_bytes(b"damaged too")
    ((left, why),) = filed.heal("rig")
    assert left == path
    assert "other bytes" in why
    assert filed.differences("rig") == [("changed", path)]


@pytest.mark.promise("feat F21")
def test_a_day_a_camera_or_everything_comes_back_into_the_store(filed: Filed):
    for number in range(6):
        filed.file(number, day=number % 2, camera="porch" if number < 4 else "yard")
    for number in range(6):
        filed.blob(number).unlink()

    def restored(scope: Scope) -> set[int]:
        filed.restore("rig").into_store(scope)
        return {number for number in range(6) if filed.blob(number).is_file()}

    assert restored(Scope(camera="yard")) == {4, 5}
    assert restored(Scope(first=DAY, last=DAY)) == {0, 2, 4, 5}
    assert restored(EVERYTHING) == set(range(6))
    assert all(filed.blob(number).read_bytes() == picture(number) for number in range(6))
    again = filed.restore("rig").into_store(EVERYTHING)
    assert (again.restored, again.there) == (0, 6)


@pytest.mark.promise("feat F21")
def test_a_damaged_file_never_comes_back_and_the_next_archive_is_asked(filed: Filed, rig: Rig):
    path, lost = filed.file(1), filed.file(2)
    for number in (1, 2):
        filed.blob(number).unlink()
    rig.damage(path)
    rig.damage(lost)
    (filed.here.settings.data.parent / "other" / lost).write_bytes(b"damaged too")

    report = filed.restore().into_store(EVERYTHING)

    assert filed.blob(1).read_bytes() == picture(1)
    assert not filed.blob(2).exists()
    assert [name for name, _ in report.failed] == [lost]


@pytest.mark.promise("feat F21")
def test_a_restore_into_a_folder_goes_on_where_it_ended(filed: Filed, rig: Rig, tmp_path: Path):
    paths = [filed.file(number) for number in range(4)]
    target = tmp_path / "restored"
    filed.restore("rig").into_folder(Scope(camera="nobody"), target)
    assert not target.exists()
    assert filed.restore("rig").into_folder(EVERYTHING, target).restored == 4
    (target / paths[0]).unlink()
    (target / paths[1]).write_bytes(b"half")

    report = filed.restore("rig").into_folder(EVERYTHING, target)

    assert (report.restored, report.there, report.failed) == (2, 2, [])
    found = sorted(path for path in target.rglob("*") if path.is_file())
    assert found == sorted(target / path for path in paths)
    assert [(target / path).read_bytes() for path in paths] == [picture(n) for n in range(4)]


@pytest.mark.promise("fault G3")
def test_an_archive_that_is_away_is_told_and_nothing_is_taken_for_missing(filed: Filed, rig: Rig):
    filed.file(1)
    rig.away()
    with pytest.raises(Unreachable):
        filed.differences("rig")
    rig.back()
    assert filed.differences("rig") == []


# Manifests


def manifest(rig: Rig, day: str = DAY) -> list[dict[str, object]]:
    data = rig.archive.manifest(date.fromisoformat(day))
    return [json.loads(line) for line in data.splitlines()]


@pytest.mark.promise("feat F21")
def test_each_line_of_a_manifest_holds_the_hash_of_the_one_before(filed: Filed, rig: Rig):
    paths = [filed.file(number) for number in range(3)]
    filed.file(3, day=1)
    filed.keep("rig")

    data = rig.archive.manifest(date.fromisoformat(DAY))
    lines = data.splitlines()
    first, *rest = manifest(rig)
    assert (first["archive"], first["day"], first["before"]) == ("rig", DAY, "")
    assert [line["path"] for line in rest] == paths
    for line, before in zip(rest, lines, strict=False):
        assert line["before"] == hashlib.sha256(before).hexdigest()
    assert rest[0]["sha256"] == hashlib.sha256(picture(0)).hexdigest()
    following, _ = manifest(rig, "2026-03-02")
    assert following["day_before"] == DAY
    assert following["before"] == hashlib.sha256(lines[-1]).hexdigest()
    assert filed.differences("rig", "hashes") == []


@pytest.mark.promise("feat F21")
def test_late_pictures_are_further_lines_and_a_repeat_adds_none(filed: Filed, rig: Rig):
    filed.file(0)
    filed.file(1, day=1)
    filed.keep("rig")
    before = rig.archive.manifest(date.fromisoformat(DAY))
    filed.keep("rig")
    assert rig.archive.manifest(date.fromisoformat(DAY)) == before

    late = filed.file(2)
    assert filed.differences("rig") == []  # not in the manifest yet, and no difference for that
    filed.keep("rig")

    after = rig.archive.manifest(date.fromisoformat(DAY))
    assert after.startswith(before)
    assert manifest(rig)[-1]["path"] == late
    assert not chain.read(after).broken
    assert filed.differences("rig") == []


def rewritten(lines: list[bytes]) -> bytes:
    """Other content in a chain that is whole."""
    made = [lines[0].rstrip()]
    for line in lines[1:]:
        told = {**json.loads(line), "before": hashlib.sha256(made[-1]).hexdigest()}
        made.append(json.dumps({**told, "sha256": "0" * 64}).encode())
    return b"\n".join(made) + b"\n"


@pytest.mark.promise("feat F21")
@pytest.mark.parametrize("how", ["line", "end", "whole", "removed", "first", "rewritten"])
def test_a_manifest_that_was_changed_is_named_and_healed(
    filed: Filed, rig: Rig, how: str, tmp_path: Path
):
    for number in range(3):
        filed.file(number)
    filed.keep("rig")
    day = date.fromisoformat(DAY)
    data = rig.archive.manifest(day)
    lines = data.splitlines(keepends=True)
    changed = {
        "line": b"".join([lines[0], lines[1].replace(b"porch", b"xorch"), *lines[2:]]),
        "end": b"".join(lines[:-1]),
        "whole": b"nonsense\n",
        "removed": b"",
        "first": lines[0],
        "rewritten": rewritten(lines),
    }[how]
    if how == "removed":
        rig.remove(f"2026/03/01/{MANIFEST}")
    else:
        rig.archive.write_manifest(day, changed)

    assert filed.differences("rig") == [("manifest", f"manifest of {DAY}")]
    assert filed.heal("rig") == [(f"manifest of {DAY}", "")]
    assert rig.archive.manifest(day) == data
    assert filed.differences("rig") == []


@pytest.mark.promise("feat F21")
def test_without_its_journal_an_archive_is_verified_by_its_manifests(
    filed: Filed, rig: Rig, tmp_path: Path
):
    paths = [filed.file(number, day=number // 2) for number in range(4)]
    filed.keep("rig")
    rig.damage(paths[2])
    with closing(core(tmp_path / "new")) as other:
        lost = Filed(other, {"rig": rig.archive}, {})
        assert lost.differences("rig", "hashes") == [("changed", paths[2])]
        report = lost.restore().into_folder(EVERYTHING, tmp_path / "restored")
        assert report.restored == 3
        assert [name for name, _ in report.failed] == [paths[2]]
        assert (tmp_path / "restored" / paths[3]).read_bytes() == picture(3)

        rig.archive.write_manifest(date.fromisoformat(DAY), b"")
        told = lost.differences("rig")
        assert ("manifest", "manifest of 2026-03-02") in told  # what it refers to is gone


@pytest.mark.promise("feat F21")
def test_two_that_write_manifests_at_once_number_each_copy_once(filed: Filed, rig: Rig):
    for number in range(12):
        filed.file(number)

    def keep() -> None:
        with suppress(Retry):  # another one wrote meanwhile: the service tries again
            filed.keep("rig")

    threads = [threading.Thread(target=keep, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    filed.keep("rig")
    told = chain.read(rig.archive.manifest(date.fromisoformat(DAY)))
    assert not told.broken
    assert len(told.held) == 12
    assert len(told.hashes) == 13
    assert filed.differences("rig") == []
