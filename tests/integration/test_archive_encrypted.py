"""What is encrypted before it is filed; opened by the program ``age``."""

from __future__ import annotations

import hashlib
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from services.drive.app import build
from services.drive.copies import Copy, Encryption
from shared.errors import ConfigError, Retry
from shared.events import Event
from tests.support.making import Core, analyzed, core, events_of, picture


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    """A key pair of age, made by its own program."""
    path = tmp_path / "key.txt"
    subprocess.run(["age-keygen", "-o", path], check=True, capture_output=True)
    return path


@pytest.fixture
def recipient(identity: Path) -> str:
    done = subprocess.run(["age-keygen", "-y", identity], check=True, capture_output=True)
    return done.stdout.decode().strip()


def opened(path: Path, identity: Path) -> bytes:
    done = subprocess.run(
        ["age", "--decrypt", "--identity", identity, path], check=True, capture_output=True
    )
    return done.stdout


def file_one(here: Core) -> Event:
    (service,) = build(here.parts)
    (event,) = events_of(service.handlers["snapshot.analyzed"](analyzed(here.told[0])))
    return event


@pytest.mark.promise("feat F23")
def test_a_picture_is_filed_encrypted_and_restored_without_us(
    tmp_path: Path, identity: Path, recipient: str
):
    here = core(tmp_path / "data", {"drive": {"encrypt_to": [recipient]}})
    with closing(here.journal):
        here.arrive(picture())
        event = file_one(here)

        filed = here.settings.data / "archive" / event.data["path"]
        assert event.data["kind"] == "encrypted"
        assert filed.name.endswith(".jpg.age")
        assert filed.read_bytes().startswith(b"age-encryption.org/v1\n")
        # The checksum is that of the bytes sent, which differ from those that were taken.
        assert event.data["sha256"] == hashlib.sha256(filed.read_bytes()).hexdigest()
        assert event.data["sha256"] != here.told[0].data["sha256"]
        assert event.data["size"] == filed.stat().st_size
        assert picture()[:200] not in filed.read_bytes()
        assert opened(filed, identity) == picture()


@pytest.mark.promise("inv I9", "fault G1")
def test_filing_an_encrypted_picture_again_sends_the_same_bytes(tmp_path: Path, recipient: str):
    here = core(tmp_path / "data", {"drive": {"encrypt_to": [recipient]}})
    with closing(here.journal):
        here.arrive(picture())
        first, second = file_one(here), file_one(here)
        assert first.id == second.id
        assert first.data == second.data
        files = [path for path in (here.settings.data / "archive").rglob("*.age")]
        assert len(files) == 1


def test_who_encrypts_at_the_same_time_takes_what_came_first(tmp_path: Path, recipient: str):
    source = tmp_path / "a"
    source.write_bytes(picture())
    copy = Copy("original", source, hashlib.sha256(picture()).hexdigest(), len(picture()), ".jpg")
    one, other = (Encryption([recipient], tmp_path / "spool") for _ in range(2))
    assert one.of(copy, "01ABC") == other.of(copy, "01ABC")
    assert one.of(copy, "01ABC", fresh=True) != copy
    assert [path.suffix for path in (tmp_path / "spool").iterdir()] == [".age"]


@pytest.mark.parametrize("name", ["age1nonsense", "", "ssh-rsa", "AGE-SECRET-KEY-1ABC"])
def test_a_wrong_recipient_is_a_mistake_of_the_configuration(tmp_path: Path, name: str):
    here = core(tmp_path, {"drive": {"encrypt_to": [name]}})
    with closing(here.journal), pytest.raises(ConfigError, match="encrypt_to"):
        build(here.parts)


def test_pictures_wait_while_the_data_folder_takes_nothing(tmp_path: Path, recipient: str):
    here = core(tmp_path, {"drive": {"encrypt_to": [recipient]}})
    with closing(here.journal):
        here.arrive(picture())
        (here.settings.data / "encrypted").write_text("no folder")
        with pytest.raises(Retry, match="encrypted"):
            file_one(here)
        (here.settings.data / "encrypted").unlink()
        assert file_one(here).data["kind"] == "encrypted"
