"""The Google archive where Google, or what answers in its place, does what it should not."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from services.drive.archives.archive import MANIFEST
from services.drive.archives.google import listing
from services.drive.archives.google.archive import GoogleArchive
from services.drive.archives.google.client import Client, transport
from services.drive.archives.google.errors import Busy
from services.simulator.google.account import CLIENT, SimulatedGoogle
from services.simulator.google.logins import DRIVE, Grant
from services.simulator.google.wire import Refusal
from shared.errors import Unreachable
from tests.support.google import simulated_google
from tests.support.google_archive import google_archive, log_in, numbered
from tests.support.making import sqlite_journal


@pytest.fixture
def google() -> Iterator[SimulatedGoogle]:
    with simulated_google() as simulated:
        yield simulated


@pytest.fixture
def archive(google: SimulatedGoogle, tmp_path: Path) -> Iterator[GoogleArchive]:
    with closing(sqlite_journal(tmp_path / "journal.db")) as journal:
        made = google_archive(google, tmp_path, journal)
        yield made
        made.client.close()


def test_another_account_refuses_the_ids_of_the_first(
    google: SimulatedGoogle, archive: GoogleArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old: set[str] = set()
    new_id, usable = google.files.new_id, google.files._id

    def noted() -> str:
        old.add(made := new_id())
        return made

    def refusing(given: Any) -> str:
        if str(given) in old and not google.tree.has(str(given)):
            raise Refusal(400, "invalid", "The provided file ID is not usable.")
        return usable(given)

    monkeypatch.setattr(google.files, "new_id", noted)
    archive.file(numbered(tmp_path, 1))
    monkeypatch.setattr(google.files, "new_id", new_id)
    monkeypatch.setattr(google.files, "_id", refusing)
    google.logins.grant("1//other", Grant("other@example.org", CLIENT, (DRIVE,)))
    log_in(google, tmp_path, "1//other")

    for number in (2, 3):
        archive.file(numbered(tmp_path, number))


def test_a_folder_whose_id_is_refused_gets_another(
    google: SimulatedGoogle, archive: GoogleArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[str] = []
    usable = google.files._id

    def refusing(given: Any) -> str:
        if not refused:
            refused.append(str(given))
        if str(given) in refused:
            raise Refusal(400, "invalid", "The provided file ID is not usable.")
        return usable(given)

    monkeypatch.setattr(google.files, "_id", refusing)
    assert archive.file(numbered(tmp_path)).key


def test_a_401_amid_an_upload_sends_it_again(
    google: SimulatedGoogle, archive: GoogleArchive, tmp_path: Path
) -> None:
    google.fail("401", on="upload.put")
    archive.file(numbered(tmp_path))
    with google.lock:
        files = [google.tree.content(file.id) for path, file in google.live() if ".jpg" in path]
    assert files == [(tmp_path / "1.jpg").read_bytes()]


def test_labels_of_an_encrypted_picture_stay_here(
    google: SimulatedGoogle, archive: GoogleArchive, tmp_path: Path
) -> None:
    archive.file(replace(numbered(tmp_path), kind="encrypted", labels=("person",)))
    told = list(archive.client.all("", "title,mimeType,description,properties"))
    [file] = [each for each in told if each["title"].startswith("porch")]
    assert "person" not in str(file)
    assert file["mimeType"] == "application/octet-stream"


def test_a_manifest_is_read_up_to_a_limit(
    archive: GoogleArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = date(2026, 11, 22)
    archive.write_manifest(day, b"x" * 101)
    assert len(archive.manifest(day)) == 101
    monkeypatch.setattr(listing, "MOST_BYTES", 100, raising=False)
    with pytest.raises(Unreachable, match=MANIFEST):
        archive.manifest(day)


@pytest.mark.parametrize("tokens", [lambda _: "same", str], ids=["same", "empty"])
def test_a_list_without_an_end_is_left(
    archive: GoogleArchive, monkeypatch: pytest.MonkeyPatch, tokens: Any
) -> None:
    asked: list[str | None] = []

    def page(_: Client, *__: Any, token: str | None = None) -> tuple[list[Any], str]:
        asked.append(token)
        assert len(asked) < 100, "no end"
        return [], tokens(len(asked))

    monkeypatch.setattr(Client, "page", page)
    with pytest.raises(Busy, match="no end"):
        list(archive.client.all("", "id"))


@contextmanager
def answering(body: bytes, encoding: str) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Encoding", encoding)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("kind", ["bomb", "large"])
def test_a_huge_answer_is_not_drive(
    google: SimulatedGoogle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(transport, "MOST_BYTES", 1 << 20, raising=False)
    zeros = b'{"ids": ["' + b"a" * (30 << 20) + b'"]}'
    body = gzip.compress(zeros, 9) if kind == "bomb" else zeros[: 2 << 20] + b'"]}'
    with (
        closing(sqlite_journal(tmp_path / "journal.db")) as journal,
        answering(body, "gzip" if kind == "bomb" else "identity") as url,
    ):
        hostile = google_archive(google, tmp_path, journal, api=url)
        with pytest.raises(Busy, match="not Google Drive"):
            hostile.client._once(lambda http: hostile.client._auth.service.files().generateIds(
                maxResults=1).execute(http=http)["ids"])  # fmt: skip
        hostile.client.close()


def test_proxies_of_the_environment_are_not_used(
    archive: GoogleArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert archive.file(numbered(tmp_path)).key
