"""Encrypted copies come back for who has the key; nothing is left out in silence."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from services.drive.copies import Encryption
from shared.errors import ConfigError
from tests.support.filed import EVERYTHING, Filed, folder_archive
from tests.support.making import core, picture

CLOSED = "it is encrypted: --identity FILE opens it"


class Lost:
    """Three encrypted copies, the first one for an older key, of pictures that the store lost."""

    def __init__(self, folder: Path) -> None:
        older, self.key = _key_pair(folder / "older"), _key_pair(folder / "newer")
        self.core = core(folder / "data")
        self.archive = folder_archive(folder / "nas", "nas")
        self.filed = Filed(self.core, {"nas": self.archive}, {"nas": older[1]})
        self.paths = [self.filed.file(0)]
        self.filed.encryption["nas"] = Encryption([self.key[1]], folder / "encrypted")
        self.paths += [self.filed.file(number, day=number) for number in (1, 2)]
        self.filed.keep("nas")
        for number in range(3):
            self.filed.blob(number).unlink()

    def close(self) -> None:
        self.core.close()


def _key_pair(path: Path) -> tuple[str, str]:
    subprocess.run(["age-keygen", "-o", path], check=True, capture_output=True)
    done = subprocess.run(["age-keygen", "-y", path], check=True, capture_output=True, text=True)
    return path.read_text(), done.stdout.strip()


@pytest.fixture
def lost(tmp_path: Path) -> Iterator[Lost]:
    with closing(Lost(tmp_path)) as made:
        yield made


@pytest.mark.promise("feat F23", "feat F21")
def test_without_a_key_each_picture_is_told_as_not_restored(lost: Lost):
    report = lost.filed.restore().into_store(EVERYTHING)
    assert (report.restored, report.there) == (0, 0)
    assert report.failed == [(path, CLOSED) for path in lost.paths]


@pytest.mark.promise("feat F23", "feat F21")
def test_a_copy_for_another_key_does_not_end_the_others(lost: Lost, tmp_path: Path):
    restore = lost.filed.restore(identity=lost.key[0])
    reports = [
        restore.into_store(EVERYTHING),
        restore.into_folder(EVERYTHING, tmp_path / "out"),
    ]
    for report in reports:
        assert report.restored == 2
        ((path, why),) = report.failed
        assert path == lost.paths[0]
        assert "this identity does not open it" in why
    for number, path in enumerate(lost.paths[1:], start=1):
        assert lost.filed.blob(number).read_bytes() == picture(number)
        opened = tmp_path / "out" / path.removesuffix(".age")
        assert opened.read_bytes() == picture(number)
    assert len([each for each in (tmp_path / "out").rglob("*") if each.is_file()]) == 2


@pytest.mark.promise("feat F23", "feat F21")
def test_without_a_journal_the_picture_is_known_once_it_is_opened(lost: Lost, tmp_path: Path):
    with closing(core(tmp_path / "new")) as other:
        new = Filed(other, {"nas": lost.archive}, {})
        told = new.restore().into_store(EVERYTHING)
        assert told.failed == [(path, CLOSED) for path in lost.paths]

        for restored, there in ((2, 0), (0, 2)):
            report = new.restore(identity=lost.key[0]).into_store(EVERYTHING)
            assert (report.restored, report.there) == (restored, there)
            assert [path for path, _ in report.failed] == [lost.paths[0]]
        assert [new.blob(number).exists() for number in range(3)] == [False, True, True]
        assert new.blob(2).read_bytes() == picture(2)


@pytest.mark.parametrize("text", ["# nothing\n", "AGE-SECRET-KEY-1NONE\n"])
def test_a_file_that_holds_no_key_is_told_at_once(lost: Lost, text: str):
    with pytest.raises(ConfigError, match="the file of the identity"):
        lost.filed.restore(identity=text)
