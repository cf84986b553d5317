"""Real PyDrive2 gets from the simulated Drive what it gets from Google's: files and folders."""

from __future__ import annotations

from typing import Any

import pytest
from googleapiclient.errors import HttpError
from pydrive2.drive import GoogleDrive
from pydrive2.files import ApiRequestError

from services.simulator.google.account import OWNER, SimulatedGoogle
from tests.support.google import (
    SERVICE,
    folder,
    pydrive,
    reason,
    service_settings,
    simulated_google,
    titles,
    upload,
)  # fmt: skip


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


def test_an_id_is_used_once_and_comes_from_google(drive: GoogleDrive) -> None:
    drive.GetAbout()
    files = drive.auth.service.files()
    (id,) = files.generateIds(maxResults=1).execute()["ids"]
    body = {"id": id, "title": "porch.jpg"}
    files.insert(body=body).execute()

    with pytest.raises(ApiRequestError) as error:
        drive.CreateFile(body)._FilesInsert()
    assert reason(error) == (409, "fileIdInUse")
    with pytest.raises(ApiRequestError) as error:
        drive.CreateFile({"id": "1invented", "title": "porch.jpg"})._FilesInsert()
    assert reason(error) == (400, "invalid")


def test_a_file_has_one_parent(drive: GoogleDrive) -> None:
    one, other = folder(drive, "one"), folder(drive, "other")
    file = upload(drive, "porch.jpg", parents=[{"id": one["id"]}])

    with pytest.raises(ApiRequestError) as error:
        file.Upload(param={"addParents": other["id"]})
    assert reason(error) == (403, "cannotAddParent")
    with pytest.raises(ApiRequestError) as error:
        upload(drive, "porch.jpg", parents=[{"id": one["id"]}, {"id": other["id"]}])
    assert reason(error) == (403, "cannotAddParent")
    file.Upload(param={"addParents": other["id"], "removeParents": one["id"]})
    assert [each["id"] for each in file["parents"]] == [other["id"]]
    file.Upload(param={"addParents": other["id"]})


def test_a_folder_is_not_put_into_itself(drive: GoogleDrive) -> None:
    outer = folder(drive, "outer")
    inner = folder(drive, "inner", outer["id"])

    with pytest.raises(ApiRequestError) as error:
        outer.Upload(param={"addParents": inner["id"], "removeParents": "root"})
    assert reason(error) == (403, "cannotAddParent")


def test_trash_takes_what_is_in_a_folder_with_it(drive: GoogleDrive) -> None:
    day = folder(drive, "22")
    file = upload(drive, "porch.jpg", parents=[{"id": day["id"]}])

    day.FetchMetadata()
    day.Trash()
    file.FetchMetadata()
    assert file["labels"]["trashed"] and not file["explicitlyTrashed"]
    assert titles(drive, "trashed = false") == []
    assert titles(drive, "trashed = true") == ["22", "porch.jpg"]
    day.UnTrash()
    assert titles(drive, "trashed = false") == ["22", "porch.jpg"]
    day.Delete()
    with pytest.raises(ApiRequestError) as error:
        file.FetchMetadata()
    assert reason(error) == (404, "notFound")


def test_stars_properties_and_times_are_kept(drive: GoogleDrive) -> None:
    taken = "2026-11-22T10:00:00.250Z"
    mine = {"key": "snapshot", "value": "1", "visibility": "PRIVATE"}
    file = upload(
        drive, "porch.jpg", description="a person", properties=[mine], modifiedDate=taken,
        createdDate=taken,
    )  # fmt: skip
    file["labels"] = {"starred": True}
    file.Upload()

    file.FetchMetadata()
    assert file["labels"]["starred"] and not file["labels"]["trashed"]
    assert (file["createdDate"], file["modifiedDate"]) == (taken, taken)
    assert file["description"] == "a person"
    assert [each["value"] for each in file["properties"]] == ["1"]
    long = [{"key": "k" * 100, "value": "v" * 25, "visibility": "PRIVATE"}]
    with pytest.raises(ApiRequestError) as error:
        upload(drive, "porch.jpg", properties=long)
    assert reason(error) == (400, "invalid")


def test_a_change_can_depend_on_the_etag(drive: GoogleDrive) -> None:
    file = upload(drive, "porch.jpg")
    old = file["etag"]
    file["title"] = "gate.jpg"
    file.Upload()

    assert file["etag"] != old
    patch = drive.auth.service.files().patch(fileId=file["id"], body={"title": "yard.jpg"})
    patch.headers["If-Match"] = old
    with pytest.raises(HttpError) as error:
        patch.execute(http=drive.http)
    assert error.value.status_code == 412


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ("id,labels/starred", {"id": "?", "labels": {"starred": False}}),
        ("title,parents(isRoot)", {"title": "porch.jpg", "parents": [{"isRoot": True}]}),
    ],
)
def test_only_what_is_asked_for_is_told(
    drive: GoogleDrive, fields: str, left: dict[str, Any]
) -> None:
    file = upload(drive, "porch.jpg")

    told = drive.CreateFile({"id": file["id"]})
    told.FetchMetadata(fields=fields)
    left["id"] = file["id"]  # PyDrive2 keeps it
    assert dict(told) == left


def test_a_wrong_mask_is_refused(drive: GoogleDrive) -> None:
    with pytest.raises(ApiRequestError) as error:
        drive.ListFile({"fields": "items(id"}).GetList()
    assert reason(error) == (400, "invalidParameter")


def test_storage_is_full_at_its_quota(google: SimulatedGoogle, drive: GoogleDrive) -> None:
    google.tree.quota = 1000
    kept = upload(drive, "porch.jpg", b"x" * 900)

    assert drive.GetAbout()["quotaBytesUsed"] == "900"
    with pytest.raises(ApiRequestError) as error:
        upload(drive, "gate.jpg", b"x" * 200)
    assert reason(error) == (403, "storageQuotaExceeded")
    kept.Trash()
    assert drive.GetAbout()["quotaBytesUsed"] == "900", "what is in the trash counts"
    kept.Delete()
    upload(drive, "gate.jpg", b"x" * 200)


def test_calls_of_a_minute_are_counted(google: SimulatedGoogle, drive: GoogleDrive) -> None:
    google.pace.per_minute = 3
    for _ in range(3):
        drive.GetAbout()

    with pytest.raises(ApiRequestError) as error:
        drive.ListFile().GetList()
    assert reason(error) == (403, "userRateLimitExceeded")
    google.clock.forward(61)
    drive.GetAbout()


def test_a_shared_drive_has_members_and_takes_files_of_service_accounts(
    google: SimulatedGoogle, drive: GoogleDrive
) -> None:
    id = google.share_drive("House", {OWNER: "reader", SERVICE: "fileOrganizer"})
    with pydrive(google, **service_settings(google)) as robot:
        with pytest.raises(ApiRequestError) as error:
            upload(robot, "porch.jpg")
        assert reason(error) == (403, "storageQuotaExceeded")
        file = upload(robot, "porch.jpg", parents=[{"id": id}])
        assert file["driveId"] == id

        assert titles(drive, f"'{id}' in parents") == ["porch.jpg"]
        without = drive.auth.service.files().list(q=f"'{id}' in parents").execute(http=drive.http)
        assert without["items"] == []
        seen = drive.CreateFile({"id": file["id"], "labels": {"starred": True}})
        with pytest.raises(ApiRequestError) as error:
            seen.Upload()
        assert reason(error) == (403, "insufficientFilePermissions")
        with pytest.raises(ApiRequestError) as error:
            file.Delete()
        assert reason(error) == (403, "insufficientFilePermissions")
        file.Trash()


def test_a_star_is_seen_by_who_gave_it(google: SimulatedGoogle, drive: GoogleDrive) -> None:
    id = google.share_drive("House", {OWNER: "writer", SERVICE: "organizer"})
    with pydrive(google, **service_settings(google)) as robot:
        file = upload(robot, "porch.jpg", parents=[{"id": id}])
        drive.CreateFile({"id": file["id"], "labels": {"starred": True}}).Upload()

        assert titles(drive, "starred = true") == ["porch.jpg"]
        assert titles(robot, "starred = true") == []


def test_a_folder_can_be_shared(google: SimulatedGoogle, drive: GoogleDrive) -> None:
    day = folder(drive, "22")
    upload(drive, "porch.jpg", parents=[{"id": day["id"]}])
    with pydrive(google, **service_settings(google)) as robot:
        with pytest.raises(ApiRequestError) as error:
            robot.CreateFile({"id": day["id"]}).FetchMetadata()
        assert reason(error) == (404, "notFound")
        day.InsertPermission({"type": "user", "role": "reader", "value": SERVICE})

        assert titles(robot, f"'{day['id']}' in parents") == ["porch.jpg"]
        assert {each["role"] for each in day.GetPermissions()} == {"owner", "reader"}
        day.DeletePermission(SERVICE)
        assert titles(robot, f"'{day['id']}' in parents") == []


def test_an_account_is_there_again_after_a_restart(tmp_path: Any) -> None:

    path = tmp_path / "google" / "account.sqlite"
    with simulated_google(path) as google, pydrive(google) as drive:
        file = upload(drive, "porch.jpg", b"picture", parents=[{"id": folder(drive, "22")["id"]}])
        file["labels"] = {"starred": True}
        file.Upload()

    with simulated_google(path) as google, pydrive(google) as drive:
        assert titles(drive, "starred = true") == ["porch.jpg"]
        assert [each for each, _ in google.live()] == ["/22/porch.jpg"]
        assert drive.CreateFile({"id": file["id"]}).GetContentIOBuffer().read() == b"picture"
