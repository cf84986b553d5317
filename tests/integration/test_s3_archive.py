"""The S3 archive, where a server refuses, forgets, breaks off or stores something else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from services.drive.archives.archive import Entry, Filing
from services.drive.archives.s3 import S3Archive, archive
from shared.errors import ConfigError, Reject, Retry, Unreachable
from shared.settings import load
from shared.settings.s3 import RulesSection, S3Section
from tests.support.making import picture
from tests.support.s3peer import Said, refusal
from tests.support.s3rig import PREFIX, S3Rig

DAY = date(2026, 11, 22)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[S3Rig]:
    rig = S3Rig(tmp_path)
    yield rig
    rig.close()


@pytest.fixture
def filing(tmp_path: Path) -> Filing:
    source = tmp_path / "blob"
    source.write_bytes(picture())
    digest = hashlib.sha256(picture()).hexdigest()
    taken = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
    return Filing("01ABC", "porch", taken, "image/jpeg", digest, len(picture()), source)


@pytest.mark.promise("feat C2")
def test_rights_to_write_only_suffice_for_filing(rig: S3Rig, filing: Filing):
    for method in ("GET ", "HEAD ", "DELETE "):
        rig.pail.peer.always(refusal(403, "AccessDenied"), match=method)
    filed = rig.archive.file(filing)
    assert rig.archive.file(filing) == filed
    assert {each.split()[0] for each in rig.pail.peer.requests} == {"PUT"}
    assert len(rig.pail.peer.requests) == 2
    assert rig.content(filed.path) == picture()
    for reading in (
        lambda: list(rig.archive.days()),
        lambda: list(rig.archive.day(DAY)),
        lambda: list(rig.archive.read(Entry(filed.path, 0))),
    ):
        with pytest.raises(Reject, match="s3:ListBucket"):
            reading()
    assert rig.archive.about()["ok"]


@pytest.mark.promise("fault G4", "inv I9")
def test_other_bytes_than_were_sent_are_not_confirmed(rig: S3Rig, filing: Filing):
    rig.pail.peer.say("damage", match="PUT ")
    with pytest.raises(Retry, match="other bytes"):
        rig.archive.file(filing)
    assert rig.content(filing.path) != picture()
    rig.archive.file(filing)
    assert rig.content(filing.path) == picture()


@pytest.mark.promise("fault G4", "inv I9")
def test_a_server_that_confirms_no_checksum_is_read_back(rig: S3Rig, filing: Filing):
    rig.pail.peer.always("deaf", match="PUT ")
    rig.archive.file(filing)
    assert rig.pail.peer.asked("GET ") == 1
    rig.pail.peer.say("flip", match="GET ")
    with pytest.raises(Retry, match="changed"):
        rig.archive.file(filing)
    rig.pail.peer.always(refusal(403, "AccessDenied"), match="GET ")
    with pytest.raises(Unreachable, match="s3:GetObject"):
        rig.archive.file(filing)


@pytest.mark.promise("fault G1", "inv I9")
@pytest.mark.parametrize("trouble", ["lost", "reset", "close", "half"])
def test_an_answer_that_never_came_leaves_one_object(rig: S3Rig, filing: Filing, trouble: str):
    rig.pail.peer.say(trouble, match="PUT ")
    with pytest.raises(Unreachable):
        rig.archive.file(filing)
    assert not rig.archive.about()["ok"]
    rig.archive.file(filing)
    assert rig.live() == [filing.path]
    assert rig.archive.about()["ok"]


@pytest.mark.promise("fault G3")
@pytest.mark.parametrize(
    ("said", "text", "after_s"),
    [
        (refusal(503, "SlowDown", headers={"Retry-After": "30"}), "fewer requests", 30.0),
        (refusal(503, "SlowDown"), "fewer requests", None),
        (refusal(500, "InternalError"), "fails", None),
        (refusal(403, "AccessDenied"), "give the keys the right", None),
        (refusal(403, "RequestTimeTooSkewed"), "clock", None),
        (refusal(403, "InvalidAccessKeyId"), "check access_key_id", None),
        (refusal(404, "NoSuchBucket"), "no such bucket", None),
        (refusal(301, "PermanentRedirect"), "set 'region'", None),
    ],
)
def test_what_concerns_all_pictures_is_waited_for(
    rig: S3Rig, filing: Filing, said: Said, text: str, after_s: float | None
):
    rig.pail.peer.say(said)
    with pytest.raises(Unreachable, match=text) as caught:
        rig.archive.file(filing)
    assert (caught.value.peer, caught.value.after_s) == ("archive s3", after_s)
    assert text in rig.archive.about()["summary"]


def test_what_concerns_one_picture_is_not(rig: S3Rig, filing: Filing):
    rig.pail.peer.say(refusal(400, "EntityTooLarge"))
    with pytest.raises(Reject, match="EntityTooLarge"):
        rig.archive.file(filing)


@pytest.mark.promise("fault G3")
@pytest.mark.parametrize("trouble", ["silent", "drip", "endless"])
def test_no_server_holds_a_worker_for_longer_than_the_time(
    rig: S3Rig, filing: Filing, trouble: str
):
    rig.pail.peer.say(trouble)
    section = S3Section(bucket=rig.pail.name)
    hasty = S3Archive("s3", section, rig.pail.bucket(request_s=0.5))
    with pytest.raises(Unreachable):
        hasty.file(filing)


def test_what_the_server_says_of_a_file_is_told(rig: S3Rig, filing: Filing):
    path = rig.archive.file(filing).path
    rig.damage("2026/11/22/foreign.txt")
    told = {each.path: each for each in rig.archive.day(DAY)}
    assert told[path].sha256 == filing.sha256
    assert told[path].md5 == hashlib.md5(picture(), usedforsecurity=False).hexdigest()
    assert told[path].snapshot_id == "01ABC"
    assert told["2026/11/22/foreign.txt"].md5 == hashlib.md5(b"damaged").hexdigest()
    assert told["2026/11/22/foreign.txt"].snapshot_id == ""


def test_a_day_of_many_pages_is_told_whole(rig: S3Rig):
    paths = [f"2026/11/22/{number:04}.jpg" for number in range(200)]
    for path in paths:
        rig.damage(path)
    pages = rig.bucket._pages
    rig.bucket._pages = lambda **asked: pages(MaxKeys=30, **asked)  # type: ignore[method-assign]
    assert [each.path for each in rig.archive.day(DAY)] == paths


def test_a_hold_is_a_tag_that_filing_again_keeps(tmp_path: Path, filing: Filing):
    rig = S3Rig(tmp_path, rules=RulesSection(expire_days=30))
    path = rig.archive.file(filing).path
    key = f"{PREFIX}/{path}"
    assert rig.bucket.tags(key) == {"snapbus": "filed"}
    rig.archive.hold(Entry(path, 0), on=True)
    rig.archive.file(filing)
    assert rig.bucket.tags(key) == {"snapbus": "held"}
    rig.archive.hold(Entry(path, 0), on=False)
    assert rig.bucket.tags(key) == {"snapbus": "filed"}
    rig.close()


def test_tags_that_people_set_stay(tmp_path: Path, filing: Filing):
    rig = S3Rig(tmp_path, rules=RulesSection(expire_days=30))
    path = rig.archive.file(filing).path
    key = f"{PREFIX}/{path}"
    rig.bucket.tag(key, {"snapbus": "filed", "case of": "4711 + 4712"})
    rig.archive.hold(Entry(path, 0), on=True)
    assert rig.bucket.tags(key) == {"snapbus": "held", "case of": "4711 + 4712"}
    rig.archive.file(filing)
    assert rig.bucket.tags(key) == {"snapbus": "held", "case of": "4711 + 4712"}
    rig.close()


def test_a_manifest_is_not_read_without_end(rig: S3Rig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("services.drive.archives.s3.MANIFEST_BYTES", 100)
    rig.archive.write_manifest(DAY, bytes(100))
    assert rig.archive.manifest(DAY) == bytes(100)
    rig.archive.write_manifest(DAY, bytes(101))
    with pytest.raises(Reject, match="more than 100 bytes"):
        rig.archive.manifest(DAY)


@pytest.mark.promise("feat F17")
def test_the_class_of_storage_is_that_of_the_settings(tmp_path: Path, filing: Filing):
    rig = S3Rig(tmp_path, storage_class="INTELLIGENT_TIERING")
    key = f"{PREFIX}/{rig.archive.file(filing).path}"
    found = rig.pail.client.call("head_object", Bucket=rig.pail.name, Key=key)
    assert found["StorageClass"] == "INTELLIGENT_TIERING"
    rig.close()


@pytest.mark.promise("feat C3")
def test_the_configuration_makes_it(tmp_path: Path, here):
    file = tmp_path / "snapbus.yml"
    file.write_text(
        "aws: {endpoint: 'http://127.0.0.1:9', region: eu-central-1}\n"
        "drive: {archive: s3, s3: {bucket: pictures, prefix: /home/}}\n"
        "archives:\n  away: {archive: s3, s3: {bucket: other, account: {region: eu-west-1}}}\n"
    )
    for name in ("aws", "archive_away"):
        (tmp_path / f"{name}_access_key_id").write_text(f"{name}-id\n")
        (tmp_path / f"{name}_secret_access_key").write_text(f"{name}-key\n")
    settings = load(file, environ={}, secrets=tmp_path)
    near, far = settings.all_archives.values()
    assert near.s3.account is not None and far.s3.account is not None
    assert near.s3.account.access_key_id.get_secret_value() == "aws-id"
    assert far.s3.account.access_key_id.get_secret_value() == "archive_away-id"
    assert (far.s3.account.endpoint, far.s3.account.region) == ("", "eu-west-1")
    made = archive("s3", near, tmp_path, here.journal)
    assert made.place == "s3://pictures/home at 127.0.0.1:9"
    for number in range(2):
        (tmp_path / ("aws_access_key_id", "aws_secret_access_key")[number]).unlink()
    (near, _) = load(file, environ={}, secrets=tmp_path).all_archives.values()
    with pytest.raises(ConfigError, match="nobody is named who asks AWS"):
        archive("s3", near, tmp_path, here.journal)


@pytest.mark.parametrize(
    "wrong",
    [
        "drive: {archive: s3}",
        "drive: {archive: s3, s3: {bucket: 'a/b'}}",
        "drive: {archive: s3, s3: {bucket: abc, prefix: '../x'}}",
        "drive: {archive: s3, s3: {bucket: abc, rules: {colder_days: 9, expire_days: 7}}}",
        "drive: {archive: s3, s3: {bucket: abc, storage_class: GLACIER}}",
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path: Path, wrong: str):
    file = tmp_path / "snapbus.yml"
    file.write_text(wrong)
    with pytest.raises(ConfigError, match="s3"):
        load(file, environ={}, secrets=tmp_path)
