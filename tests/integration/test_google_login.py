"""Logging in to Google from a terminal, as people do it: here, behind SSH, and by a code."""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import stat
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from services.drive.log_in import main
from services.simulator.google.account import REFRESH_TOKEN, SECRET, SimulatedGoogle
from shared.errors import Unreachable
from shared.journal import Journal
from tests.support.fakes import eventually
from tests.support.google import service_account, simulated_google
from tests.support.google_archive import (
    TOKEN,
    archive_at,
    client_file,
    google_archive,
    log_in,
    numbered,
    persist,
)
from tests.support.making import sqlite_journal


@pytest.fixture
def google() -> Iterator[SimulatedGoogle]:
    with simulated_google() as simulated:
        yield simulated


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = sqlite_journal(tmp_path / "journal.db")
    yield journal
    journal.close()


class Terminal:
    """A terminal in which somebody runs the command."""

    def __init__(self, folder: Path, google: SimulatedGoogle, *arguments: str, **more: str) -> None:
        config = folder / "snapbus.yml"
        section = {"client": client_file(google.url), "api": google.url, **more}
        drive = {"archive": "google", "google": section}
        config.write_text(yaml.safe_dump({"data": str(folder), "drive": drive}))
        reads, self._keys = os.pipe()
        self._in, self.shown = os.fdopen(reads), io.StringIO()
        command = ["--config", str(config), "--port", "0", *arguments]
        self.status: int | None = None

        def run() -> None:
            self.status = main(command, self.shown, self._in)

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def read(self, pattern: str) -> str:
        def found() -> re.Match[str] | None:
            return re.search(pattern, self.shown.getvalue())

        eventually(found, timeout=30)
        match = found()
        assert match
        return match[1]

    def type(self, text: str) -> None:
        os.write(self._keys, f"{text}\n".encode())

    def end(self) -> int | None:
        self._thread.join(30)
        return self.status

    def close(self) -> None:
        os.close(self._keys)
        self._in.close()


@contextmanager
def terminal(*given: object, **more: str) -> Iterator[Terminal]:
    opened = Terminal(*given, **more)  # type: ignore[arg-type]
    try:
        yield opened
    finally:
        opened.end()
        opened.close()


def ended_at(address: str) -> str:
    """Where a browser would go on to, after its person said yes."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    connection.request("GET", f"{parts.path}?{parts.query}")
    location = connection.getresponse().getheader("Location", "")
    connection.close()
    return location


def can_file(google: SimulatedGoogle, journal: Journal, folder: Path, **more: object) -> bool:
    archive = archive_at(google.url, folder, journal, **more)  # type: ignore[arg-type]
    persist(archive, numbered(folder))
    archive.client.close()
    return len(google.live()) == 1


@pytest.mark.promise("feat F3")
def test_a_browser_on_this_machine_comes_back_by_itself(google, journal, tmp_path):
    with terminal(tmp_path, google) as person:
        address = person.read(r"(http\S+/auth\?\S+)")
        with urllib.request.urlopen(address, timeout=10) as page:
            assert "has Google's answer" in page.read().decode()
        assert person.end() == 0

    token = tmp_path / TOKEN
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert stat.S_IMODE(token.parent.stat().st_mode) == 0o700
    said = person.shown.getvalue()
    assert SECRET not in said and json.loads(token.read_text())["refresh_token"] not in said
    assert can_file(google, journal, tmp_path)


@pytest.mark.promise("feat F3")
def test_behind_ssh_the_address_where_the_browser_ended_is_pasted(google, journal, tmp_path):
    with terminal(tmp_path, google) as person:
        address = ended_at(person.read(r"(http\S+/auth\?\S+)"))
        person.type(f"\n{address}")  # an empty line and the address, at once
        assert person.end() == 0
    assert can_file(google, journal, tmp_path)


@pytest.mark.promise("feat F3")
def test_a_code_is_typed_on_another_device(google, journal, tmp_path):
    google.logins.interval = 1.0
    with terminal(tmp_path, google, "--device") as person:
        code = person.read(r"\n  (\S+-\S+)\n")
        with google.lock:
            assert google.logins.answer_device(code)
        assert person.end() == 0
    assert can_file(google, journal, tmp_path)


@pytest.mark.parametrize(
    ("pasted", "told"),
    [
        ("http://127.0.0.1:1/?error=access_denied&state=x", "said no"),
        ("http://127.0.0.1:1/?code=4/x&state=another", "another login"),
        ("nonsense", "has no code"),
    ],
)
def test_what_can_not_be_a_login_says_so(google, tmp_path, capsys, pasted: str, told: str):
    with terminal(tmp_path, google) as person:
        person.read(r"(http\S+/auth\?\S+)")
        person.type(pasted)
        assert person.end() == 1
    assert told in capsys.readouterr().err
    assert not (tmp_path / TOKEN).exists()


def test_a_client_that_google_does_not_know_says_so(google, tmp_path, capsys):
    google.logins.clients.clear()
    with terminal(tmp_path, google, "--device") as person:
        assert person.end() == 1
    assert "does not know this client" in capsys.readouterr().err


def test_a_wrong_configuration_is_told_before_anything_is_asked(google, tmp_path, capsys):
    with terminal(tmp_path, google, "--archive", "cloud") as person:
        assert person.end() == 2
    assert "--archive" in capsys.readouterr().err
    assert not google.calls


@pytest.mark.promise("feat F3", "fault G3")
def test_a_token_that_is_over_is_renewed_once_for_all_threads_and_processes(
    google, journal, tmp_path
):
    archives = [google_archive(google, tmp_path, journal) for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        given = [(archives[number % 4], numbered(tmp_path, number)) for number in range(16)]
        list(pool.map(lambda one: persist(*one), given))
    assert google.calls["token"] == 1
    with google.lock:
        google.logins.access.clear()  # as if an hour had passed
    persist(archives[0], numbered(tmp_path, 20))
    for each in archives:
        each.client.close()
    assert google.calls["token"] == 2
    assert stat.S_IMODE((tmp_path / TOKEN).stat().st_mode) == 0o600
    left = sorted(each.name for each in (tmp_path / TOKEN).parent.iterdir())
    assert left == [".google.json.lock", "google.json"]


@pytest.mark.promise("feat F3")
def test_the_token_of_the_program_before_is_taken_at_its_place(google, journal, tmp_path):
    log_in(google, tmp_path, to="snapshot_processor_creds")

    assert can_file(google, journal, tmp_path)
    assert not (tmp_path / TOKEN).exists()
    renewed = json.loads((tmp_path / "snapshot_processor_creds").read_text())
    assert renewed["refresh_token"] == REFRESH_TOKEN
    assert renewed["access_token"]


@pytest.mark.promise("feat F3")
def test_without_a_login_nobody_waits_and_nothing_is_asked(google, journal, tmp_path):
    archive = archive_at(google.url, tmp_path, journal)
    began = time.monotonic()
    with pytest.raises(Unreachable, match="nobody has logged in"):
        archive.file(numbered(tmp_path))
    assert time.monotonic() - began < 30
    assert not google.calls
    assert not archive.about()["ok"]


@pytest.mark.promise("fault G3")
def test_a_login_server_that_is_ill_is_no_lost_login(google, archive_of, tmp_path):
    archive = archive_of()
    google.storm(1.0, 0, "500", on="token")
    with pytest.raises(Unreachable):
        archive.file(numbered(tmp_path))
    google.calm()
    persist(archive, numbered(tmp_path))


@pytest.fixture
def archive_of(google, journal, tmp_path) -> Iterator[Callable[..., object]]:
    with ExitStack() as ends:

        def make(**more: Any):
            archive = google_archive(google, tmp_path, journal, **more)
            ends.callback(archive.client.close)
            return archive

        yield make


@pytest.mark.promise("feat F3")
def test_a_service_account_files_in_a_shared_drive(google, archive_of, tmp_path):
    key = service_account(google)
    drive = google.share_drive("Cameras", {key["client_email"]: "fileOrganizer"})
    archive = archive_of(client=json.dumps(key), shared_drive=drive, sees="all")

    persist(archive, numbered(tmp_path, 1))
    persist(archive, numbered(tmp_path, 2))

    assert {file.drive for _, file in google.live()} == {drive}
    assert len(google.live()) == 2
    assert archive.archiver.run(lambda counts: None) == {}


@pytest.mark.promise("feat F3")
def test_a_login_for_own_files_only_is_enough(google, archive_of, tmp_path):
    google.allow(REFRESH_TOKEN, "https://www.googleapis.com/auth/drive.file")
    archive = archive_of()

    persist(archive, numbered(tmp_path))

    assert len(google.live()) == 1
