"""Google's own client uploads to the simulated Drive in parts, and resumes, as to the real one."""

from __future__ import annotations

import io
from http.client import HTTPException
from typing import Any

import pytest
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaIoBaseUpload
from pydrive2.drive import GoogleDrive
from pydrive2.files import ApiRequestError

from services.simulator.google.account import SimulatedGoogle
from services.simulator.google.uploads import STEP
from tests.support.google import folder, reason, upload

PICTURE = bytes(range(256)) * 3000


def begun(drive: GoogleDrive, content: bytes = PICTURE, step: int = STEP, **body: Any) -> Any:
    """An upload that goes on part by part."""
    drive.GetAbout()
    media = MediaIoBaseUpload(io.BytesIO(content), "image/jpeg", chunksize=step, resumable=True)
    body = {"title": "porch.jpg", **body}
    return drive.auth.service.files().insert(body=body, media_body=media)


def ended(drive: GoogleDrive, request: Any) -> Any:
    """The rest of an upload."""
    told = None
    while told is None:
        _, told = request.next_chunk(http=drive.http)
    return told


def held(google: SimulatedGoogle) -> list[bytes]:
    return [google.tree.content(file.id) for _, file in google.live()]


def test_an_upload_comes_in_parts(google: SimulatedGoogle, drive: GoogleDrive) -> None:
    request = begun(drive)
    progress, _ = request.next_chunk(http=drive.http)

    assert progress.resumable_progress == STEP
    assert held(google) == [], "nothing is there until all is"
    told = ended(drive, request)
    assert told["fileSize"] == str(len(PICTURE))
    assert held(google) == [PICTURE]
    assert google.calls["upload.put"] == 3


@pytest.mark.parametrize("fault", ["503", "half", "reset", "lost", "cut", "502", "429"])
def test_an_upload_is_resumed_where_it_broke(
    google: SimulatedGoogle, drive: GoogleDrive, fault: str
) -> None:
    request = begun(drive, step=1024 * STEP)
    google.fail(fault, on="upload.put")

    with pytest.raises((HttpError, OSError, HTTPException)):
        request.next_chunk(http=drive.http)
    told = ended(drive, request)
    assert told["title"] == "porch.jpg"
    assert held(google) == [PICTURE], "once, although its answer was lost"


def test_half_of_a_part_is_told_by_its_range(google: SimulatedGoogle, drive: GoogleDrive) -> None:
    request = begun(drive, step=1024 * STEP)
    google.fail("half", on="upload.put")
    with pytest.raises(HttpError):
        request.next_chunk(http=drive.http)

    headers = {"Content-Range": f"bytes */{len(PICTURE)}", "Content-Length": "0"}
    told, _ = drive.http.request(request.resumable_uri, "PUT", headers=headers)
    assert (told.status, told["range"]) == (308, f"bytes=0-{len(PICTURE) // 2 - 1}")


@pytest.mark.parametrize(("fault", "status"), [("session 404", 404), ("session 410", 410)])
def test_an_upload_whose_session_is_gone_begins_again_with_its_id(
    google: SimulatedGoogle, drive: GoogleDrive, fault: str, status: int
) -> None:
    drive.GetAbout()
    (id,) = drive.auth.service.files().generateIds(maxResults=1).execute()["ids"]
    request = begun(drive, id=id)
    google.fail(fault, on="upload.put")

    with pytest.raises(HttpError) as error:
        request.next_chunk(http=drive.http)
    assert error.value.status_code == status
    with pytest.raises(HttpError) as error:
        request.next_chunk(http=drive.http)
    assert error.value.status_code == 404, "it stays away"
    ended(drive, begun(drive, id=id))
    with pytest.raises(HttpError) as error:
        begun(drive, id=id).next_chunk(http=drive.http)
    assert error.value.status_code == 409
    assert held(google) == [PICTURE]


def test_a_session_ends(google: SimulatedGoogle, drive: GoogleDrive) -> None:
    request = begun(drive)
    request.next_chunk(http=drive.http)
    google.clock.forward(8 * 86_400)

    with pytest.raises(HttpError) as error:
        request.next_chunk(http=drive.http)
    assert error.value.status_code in (401, 404)


def test_two_uploads_with_one_id_make_one_file(google: SimulatedGoogle, drive: GoogleDrive) -> None:
    drive.GetAbout()
    (id,) = drive.auth.service.files().generateIds(maxResults=1).execute()["ids"]
    one, other = begun(drive, id=id), begun(drive, b"other", id=id)
    one.next_chunk(http=drive.http)

    assert ended(drive, other)["id"] == id
    with pytest.raises(HttpError) as error:
        ended(drive, one)
    assert error.value.status_code == 409
    assert held(google) == [b"other"]


def test_parts_that_do_not_fit_are_refused(drive: GoogleDrive) -> None:
    request = begun(drive)
    request.next_chunk(http=drive.http)
    total = len(PICTURE)
    wrong = {
        f"bytes {2 * STEP}-{3 * STEP - 1}/{total}": STEP,
        f"bytes {STEP}-{STEP + 99}/{total}": 100,
        f"bytes {STEP}-{2 * STEP - 1}/{total}": 10,
        f"bytes {STEP}-{total + 1}/{total}": total + 2 - STEP,
        "bytes one-two/three": 10,
    }

    for place, size in wrong.items():
        told, _ = drive.http.request(
            request.resumable_uri, "PUT", body=b"x" * size, headers={"Content-Range": place}
        )
        assert told.status == 400, place
    assert ended(drive, request)["fileSize"] == str(total)


@pytest.mark.parametrize("resumable", [True, False])
def test_an_empty_file_and_one_in_a_single_call_are_taken(
    google: SimulatedGoogle, drive: GoogleDrive, resumable: bool
) -> None:
    drive.GetAbout()
    for content in (b"", b"--picture\r\n--\r\n"):
        media = MediaIoBaseUpload(io.BytesIO(content), "image/jpeg", resumable=resumable)
        insert = drive.auth.service.files().insert(body={"title": "porch.jpg"}, media_body=media)
        assert insert.execute(http=drive.http)["mimeType"] == "image/jpeg"
    assert held(google) == [b"", b"--picture\r\n--\r\n"]


def test_new_bytes_of_a_file_keep_its_place_and_star(
    google: SimulatedGoogle, drive: GoogleDrive
) -> None:
    file = upload(drive, "porch.jpg", b"wrong", parents=[{"id": folder(drive, "22")["id"]}])
    again = drive.CreateFile({"id": file["id"], "labels": {"starred": True}})
    again.content = io.BytesIO(b"right")
    again.Upload()

    ((path, held),) = google.live()
    assert (path, google.tree.content(held.id)) == ("/22/porch.jpg", b"right")
    assert again["headRevisionId"] != file["headRevisionId"]
    assert again["labels"]["starred"]


def test_what_is_damaged_on_its_way_is_told_by_its_checksum(
    google: SimulatedGoogle, drive: GoogleDrive
) -> None:
    google.fail("damaged", on="upload.put")

    assert upload(drive, "porch.jpg")["md5Checksum"] != upload(drive, "gate.jpg")["md5Checksum"]


def test_a_folder_that_went_meanwhile_takes_no_file(
    google: SimulatedGoogle, drive: GoogleDrive
) -> None:
    day = folder(drive, "22")
    request = begun(drive, parents=[{"id": day["id"]}])
    request.next_chunk(http=drive.http)
    day.Delete()

    with pytest.raises(HttpError) as error:
        ended(drive, request)
    assert error.value.status_code == 404


def test_the_bytes_come_back_in_parts_too(drive: GoogleDrive) -> None:
    file = upload(drive, "porch.jpg", PICTURE)

    parts = list(drive.CreateFile({"id": file["id"]}).GetContentIOBuffer(chunksize=STEP))
    assert [len(each) for each in parts] == [STEP, STEP, len(PICTURE) - 2 * STEP]
    assert b"".join(parts) == PICTURE
    day = drive.CreateFile({"id": folder(drive, "22")["id"]})
    with pytest.raises(ApiRequestError) as error:
        day.GetContentIOBuffer()
    assert reason(error) == (403, "fileNotExportable")
