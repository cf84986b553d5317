"""The command that shows and applies the rules of a bucket."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.drive.archives.archive import Entry, Filing
from services.drive.archives.s3 import S3Archive
from services.drive.lifecycle import FINE, WAITS, WRONG_USE, main, wanted
from shared.settings import load
from shared.settings.s3 import RulesSection, S3Section
from tests.support.making import picture
from tests.support.moto import KEY, KEY_ID
from tests.support.s3peer import refusal
from tests.support.s3rig import Pail

OTHERS = {
    "ID": "logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 3},
}  # fmt: skip
OURS = {
    "ID": "snapbus-s3",
    "Status": "Enabled",
    "Filter": {"And": {"Prefix": "home/", "Tags": [{"Key": "snapbus", "Value": "filed"}]}},
    "Transitions": [{"Days": 7, "StorageClass": "GLACIER"}],
    "Expiration": {"Days": 30},
}


class Place:
    """A bucket and a configuration that names it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pail = Pail()
        self.bucket = self.pail.bucket()
        self.file = folder / "snapbus.yml"
        (folder / "aws_access_key_id").write_text(KEY_ID)
        (folder / "aws_secret_access_key").write_text(KEY)
        monkeypatch.setenv("SNAPBUS_SECRETS", str(folder))
        self.rules("{colder_days: 7, expire_days: 30}")

    def rules(self, text: str) -> None:
        """Say so in the configuration."""
        self.file.write_text(
            f"aws: {{endpoint: '{self.pail.peer.url}'}}\n"
            f"drive: {{archive: s3, s3: {{bucket: {self.pail.name}, prefix: home, rules: {text}}}}}"
        )

    def run(self, *more: str) -> int:
        return main(["--config", str(self.file), *more])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    place = Place(tmp_path, monkeypatch)
    yield place
    place.bucket.close()
    place.pail.close()


@pytest.mark.promise("feat F16")
def test_rules_are_shown_and_in_force_only_when_told_to(place: Place, capsys):
    place.bucket.rule([OTHERS])
    assert place.run() == FINE
    assert '"Days": 7' in capsys.readouterr().out
    assert [each["ID"] for each in place.bucket.rules()] == ["logs"]
    assert place.run("--apply") == FINE
    assert place.bucket.rules() == [OTHERS, OURS]
    capsys.readouterr()
    assert place.run("--apply") == FINE
    assert "as the configuration says" in capsys.readouterr().out
    place.rules("{}")
    assert place.run("--apply") == FINE
    assert place.bucket.rules() == [OTHERS]
    place.bucket.rule([])
    assert place.bucket.rules() == []


@pytest.mark.promise("feat F16", "feat F17")
def test_every_rule_has_a_filter_and_two_conditions_are_joined():
    tag = {"Key": "snapbus", "Value": "filed"}
    section = S3Section(
        bucket="abc", rules=RulesSection(colder_days=1, colder_class="INTELLIGENT_TIERING")
    )
    (rule,) = wanted("s3", section)
    assert rule["Filter"] == {"Tag": tag}
    assert rule["Transitions"] == [{"Days": 1, "StorageClass": "INTELLIGENT_TIERING"}]
    assert "Expiration" not in rule
    (rule,) = wanted("s3", section.model_copy(update={"prefix": "home"}))
    assert rule["Filter"] == {"And": {"Prefix": "home/", "Tags": [tag]}}


@pytest.mark.promise("feat F16", "feat F12")
def test_they_find_what_was_filed_and_not_what_is_held(place: Place, tmp_path: Path, capsys):
    source = tmp_path / "blob"
    source.write_bytes(picture())
    digest = hashlib.sha256(picture()).hexdigest()
    taken = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
    (section,) = load(place.file, environ={}, secrets=tmp_path).all_archives.values()
    ruled = S3Archive("s3", section.s3, place.bucket)
    unruled = S3Archive("s3", section.s3.model_copy(update={"rules": RulesSection()}), place.bucket)
    keys = []
    for name, archive in (("old", unruled), ("new", ruled), ("kept", ruled)):
        filing = Filing(name, "porch", taken, "image/jpeg", digest, len(picture()), source)
        path = archive.file(filing).path
        archive.hold(Entry(path, 0), on=name == "kept")
        keys.append(f"home/{path}")
    ruled.write_manifest(taken.date(), b"{}")
    assert [place.bucket.tags(key).get("snapbus") for key in keys] == [None, "filed", "held"]
    assert place.run("--tag-older", "--apply") == FINE
    assert "tagged 1 older" in capsys.readouterr().out
    assert [place.bucket.tags(key).get("snapbus") for key in keys] == ["filed", "filed", "held"]
    assert place.bucket.tags("home/2026/11/22/manifest.jsonl") == {}


def test_what_goes_wrong_is_said(place: Place, capsys):
    place.pail.peer.always(refusal(403, "AccessDenied"))
    assert place.run() == WAITS
    assert "give the keys the right" in capsys.readouterr().err
    place.file.write_text("drive: {archive: folder}\n")
    assert place.run() == WRONG_USE
    assert "drive.archive: s3" in capsys.readouterr().err
