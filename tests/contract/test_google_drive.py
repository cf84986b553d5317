"""Real PyDrive2 gets from the simulated Drive what it gets from Google's."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from pydrive2.drive import GoogleDrive
from pydrive2.files import ApiRequestError

from services.simulator.google.account import SimulatedGoogle
from services.simulator.google.file import FOLDER
from tests.support.google import pydrive, simulated_google


@pytest.fixture
def google() -> Iterator[SimulatedGoogle]:
    with simulated_google() as simulated:
        yield simulated


@pytest.fixture
def drive(google: SimulatedGoogle) -> Iterator[GoogleDrive]:
    with pydrive(google) as drive:
        yield drive


def folder(drive: GoogleDrive, title: str, parent: str = "root") -> Any:
    made = drive.CreateFile({"title": title, "mimeType": FOLDER, "parents": [{"id": parent}]})
    made.Upload()
    return made


def upload(drive: GoogleDrive, title: str, content: bytes = b"x", **more: Any) -> Any:
    made = drive.CreateFile({"title": title, "mimeType": "image/jpeg", **more})
    made.content = io.BytesIO(content)
    made.Upload()
    return made


def titles(drive: GoogleDrive, query: str, **more: Any) -> list[str]:
    found = drive.ListFile({"q": query, **more}).GetList()
    return sorted(each["title"] for each in found)


def reason(error: pytest.ExceptionInfo[ApiRequestError]) -> tuple[int, str]:
    return error.value.error["code"], error.value.GetField("reason")


def test_a_file_comes_back_as_it_was_sent(drive: GoogleDrive) -> None:
    day = folder(drive, "22")
    sent = upload(drive, "porch.jpg", b"picture", parents=[{"id": day["id"]}])

    told = drive.CreateFile({"id": sent["id"]})
    told.FetchMetadata(fetch_all=True)
    assert told["fileSize"] == "7"
    assert told["md5Checksum"] == "5456fc54c74a297ce994998c2873b370"
    assert [each["id"] for each in told["parents"]] == [day["id"]]
    assert told.GetContentIOBuffer().read() == b"picture"


def test_titles_may_be_double(drive: GoogleDrive) -> None:
    one, other = upload(drive, "porch.jpg"), upload(drive, "porch.jpg")

    assert one["id"] != other["id"]
    assert titles(drive, "title = 'porch.jpg'") == ["porch.jpg"] * 2


def test_an_id_is_used_once(drive: GoogleDrive) -> None:
    drive.GetAbout()
    files = drive.auth.service.files()
    (id,) = files.generateIds(maxResults=1).execute()["ids"]
    body = {"id": id, "title": "porch.jpg"}
    files.insert(body=body).execute()

    made = drive.CreateFile(body)
    with pytest.raises(ApiRequestError) as error:
        made._FilesInsert()
    assert reason(error) == (409, "fileIdInUse")
    invented = drive.CreateFile({"id": "1invented", "title": "porch.jpg"})
    with pytest.raises(ApiRequestError) as error:
        invented._FilesInsert()
    assert reason(error) == (400, "invalid")
