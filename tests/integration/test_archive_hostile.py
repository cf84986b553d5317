"""Archives whose content others wrote, and a store that can't be read: what is sound comes back."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from ulid import ULID

from services.drive.verified.sources import write_verified
from shared.events import SnapshotArchived, now
from shared.journal.manifests import Held
from tests.support.filed import EVERYTHING, Filed, folder_archive
from tests.support.making import Core, core, picture

MiB = 1 << 20


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Core]:
    with closing(core(tmp_path / "data")) as made:
        yield made


@pytest.fixture
def filed(here: Core, tmp_path: Path) -> Filed:
    archives = {name: folder_archive(tmp_path / name, name) for name in ("nas", "other")}
    return Filed(here, archives, {})


@pytest.mark.promise("feat F21")
@pytest.mark.parametrize("path", ["../../x", "2026/03/01/" + "x" * 300, "{there}/x", "2026/03/01"])
def test_a_hostile_line_of_a_manifest_ends_no_restore(filed: Filed, tmp_path: Path, path: str):
    paths = [filed.file(0), filed.file(1, day=1)]
    filed.keep("nas")
    manifest = (tmp_path / "nas" / paths[0]).parent / "manifest.jsonl"
    lines = manifest.read_bytes().splitlines()
    told = json.loads(lines[-1])
    told |= {"path": path.format(there=paths[0]), "before": hashlib.sha256(lines[-1]).hexdigest()}
    manifest.write_bytes(b"\n".join([*lines, json.dumps(told).encode()]) + b"\n")

    with closing(core(tmp_path / "new")) as other:
        restore = Filed(other, {"nas": filed.archives["nas"]}, {}).restore()
        report = restore.into_folder(EVERYTHING, tmp_path / "out")
        assert report.restored == 2
        assert [name for name, _ in report.failed] == [told["path"]]
        found = {each for each in tmp_path.rglob("*.jpg") if (tmp_path / "out") in each.parents}
        assert found == {tmp_path / "out" / each for each in paths}
        assert restore.into_store(EVERYTHING).restored == 2


@pytest.mark.promise("feat F21")
def test_no_more_is_read_of_a_copy_than_its_size(filed: Filed, tmp_path: Path):
    asked: list[int] = []

    def endless() -> Iterator[bytes]:
        while len(asked) < 100:
            asked.append(1)
            yield bytes(MiB)

    held = Held("2026/03/01/x.jpg", hashlib.sha256(bytes(2 * MiB)).hexdigest(), 2 * MiB, "", "")
    assert not write_verified(endless(), tmp_path / "x", held)
    assert not (tmp_path / "x").exists()
    assert len(asked) == 3

    os.truncate(tmp_path / "nas" / filed.file(1), 100 * MiB)
    filed.blob(1).unlink()
    assert filed.restore().into_store(EVERYTHING).failed == []
    assert filed.blob(1).read_bytes() == picture(1)


def test_a_foreign_file_of_the_future_is_named(filed: Filed, tmp_path: Path):
    folder = (tmp_path / "nas" / filed.file(1)).parent
    for age in (timedelta(0), timedelta(days=-400), timedelta(days=400)):
        (folder / f"porch_{ULID.from_datetime(now() + age)}.exe").touch()
    assert [what for what, _ in filed.differences("nas")] == ["foreign", "foreign"]


@pytest.mark.promise("feat F21")
def test_a_day_that_does_not_exist_stops_no_manifest(filed: Filed):
    filed.file(1)
    for day in ("2026/99/99", "2026/02/30", "0000/01/01", "٢٠٢٦/٠٣/٠١"):
        data = SnapshotArchived(
            camera="porch",
            archive="nas",
            kind=day[:7],
            path=f"{day}/x.jpg",
            sha256="0" * 64,
            size=1,
        )
        cause = filed.here.told[-1]
        filed.here.journal.append([data.event(subject="porch", cause=cause)])
    filed.keep("nas")
    assert filed.here.journal.manifests.days("nas") == ["2026-03-01"]
    assert filed.differences("nas") == []


@pytest.mark.promise("feat F21")
def test_a_store_that_can_not_be_read_is_passed_over(filed: Filed, tmp_path: Path):
    """Its disk has an error at this file."""
    path = filed.file(1)
    filed.blob(1).unlink()
    filed.blob(1).symlink_to("/proc/self/mem")  # whose beginning is EIO
    with pytest.raises(OSError, match="Input/output"):
        filed.blob(1).read_bytes()

    (tmp_path / "nas" / path).unlink()
    assert filed.heal("nas") == [(path, "")]
    assert (tmp_path / "nas" / path).read_bytes() == picture(1)

    report = filed.restore("nas").into_store(EVERYTHING)
    assert (report.restored, report.failed) == (1, [])
    assert filed.blob(1).read_bytes() == picture(1)
