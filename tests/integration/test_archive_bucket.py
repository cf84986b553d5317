"""``archive:restore`` where the store is a bucket: pictures come back into the bucket itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from services.drive.verified import command
from shared.settings import load
from shared.store import open_store
from shared.store.s3 import S3Store
from tests.support import moto
from tests.support.filed import Filed, folder_archive
from tests.support.making import Core, open_journal, picture
from tests.support.s3rig import Pail


class Bucketed:
    """A system whose store is a bucket, with one archive in a folder."""

    def __init__(self, folder: Path) -> None:
        self.pail = Pail()
        self.config, self.archive = folder / "snapbus.yml", folder / "archive"
        tree = {
            "data": str(folder),
            "drive": {"timezone": "UTC"},
            "aws": {
                "endpoint": moto.shared().url,
                "access_key_id": moto.KEY_ID,
                "secret_access_key": moto.KEY,
            },
            "store": {"s3": {"bucket": self.pail.name, "prefix": "home"}},
        }
        self.config.write_text(yaml.safe_dump(tree))
        settings = load(self.config)
        store = open_store(settings)
        assert isinstance(store, S3Store)
        self.store, self.journal = store, open_journal(settings)
        self.journal.facts.belongs_to(store.create())
        here = Core(settings, store, self.journal)
        self.filed = Filed(here, {"folder": folder_archive(self.archive, "folder")}, {})

    def key(self, number: int) -> str:
        return self.store.key(self.filed.blob(number).name)

    def restore(self, *arguments: str) -> int:
        return command.main(["restore", "--all", *arguments, "--config", str(self.config)])

    def close(self) -> None:
        self.journal.close()
        self.pail.close()


@pytest.fixture
def system(tmp_path: Path) -> Iterator[Bucketed]:
    with closing(Bucketed(tmp_path)) as made:
        yield made


@pytest.mark.promise("feat F21")
@pytest.mark.parametrize("level", ["sizes", "hashes"])
def test_what_the_bucket_lost_comes_back_into_it(
    system: Bucketed, capsys: pytest.CaptureFixture[str], level: str
):
    for number in range(3):
        system.filed.file(number)
    system.filed.blob(0).unlink()  # a copy; the bucket has the picture
    system.pail.remove(system.key(1))  # of this one there is a copy still
    system.pail.remove(system.key(2))
    system.filed.blob(2).unlink()

    assert system.restore("--level", level) == command.FINE
    assert capsys.readouterr().out == "2 restored, 1 were there, 0 not restored\n"
    for number in range(3):
        assert system.pail.content(system.key(number)) == picture(number)


@pytest.mark.promise("feat F21")
def test_an_archive_is_healed_from_the_bucket(system: Bucketed, capsys: pytest.CaptureFixture[str]):
    path = system.filed.file(1)
    system.filed.blob(1).unlink()
    (system.archive / path).write_bytes(b"damaged")
    assert system.restore("--heal") == command.FINE
    assert capsys.readouterr().out.endswith("1 healed, 0 left\n")
    assert (system.archive / path).read_bytes() == picture(1)
