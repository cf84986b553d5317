"""Real PyDrive2 searches the simulated Drive as it searches Google's: queries, pages, delay."""

from __future__ import annotations

import pytest
from pydrive2.drive import GoogleDrive
from pydrive2.files import ApiRequestError

from services.simulator.google.account import SimulatedGoogle
from tests.support.google import folder, reason, titles, upload

PERSON = {"key": "label", "value": "person", "visibility": "PRIVATE"}
FOUND = {
    "title = 'Front Door.jpg'": "Front Door.jpg",
    "title != 'Front Door.jpg' and mimeType = 'image/jpeg'": "gone.jpg it's.jpg",
    r"title = 'it\'s.jpg'": "it's.jpg",
    "title contains 'Fro'": "Front Door.jpg",
    "title contains 'door'": "Front Door.jpg",
    "title contains 'oor'": "",
    "title contains 'front do'": "Front Door.jpg",
    "fullText contains 'person'": "Front Door.jpg",
    "mimeType = 'application/vnd.google-apps.folder'": "22",
    "mimeType contains 'image/' and not title contains 'it'": "Front Door.jpg gone.jpg",
    "properties has { key='label' and value='person' and visibility='PRIVATE' }": "Front Door.jpg",
    "properties has {key='label' and value='cat'}": "",
    "modifiedDate < '2021-01-01T00:00:00'": "Front Door.jpg",
    "modifiedDate >= '2021-01-01T00:00:00Z' and mimeType != 'application/vnd.google-apps.folder'": (
        "gone.jpg it's.jpg"
    ),
    "createdDate > '2021-01-01T00:00:00+01:00' and starred = true": "it's.jpg",
    "starred = true or title = '22'": "22 it's.jpg",
    "(starred = true or title = '22') and trashed = false and not mimeType contains 'image'": "22",
    "starred != true and 'root' in parents and mimeType contains 'im'": "Front Door.jpg gone.jpg",
    "'demo@example.org' in owners and starred = true": "it's.jpg",
    "trashed = true": "gone.jpg",
    "": "22 Front Door.jpg gone.jpg it's.jpg",
}
WRONG = (
    "title", "title =", "title = 'x", "title = x", "title like 'x'", "and", "title = 'x' and",
    "(title = 'x'", "title = 'x')", "nothing = 'x'", "modifiedDate > 'yesterday'", "'x' in title",
    "starred = 'true'", "trashed < true", "title = 'x' title = 'y'", "properties has {key='x'}",
    "title = 'x' && title = 'y'", "(" * 3000,
)  # fmt: skip


def test_queries_find_what_they_say(drive: GoogleDrive) -> None:
    folder(drive, "22")
    upload(
        drive, "Front Door.jpg", properties=[PERSON], description="a person, 91 %",
        modifiedDate="2020-05-01T00:00:00Z",
    )  # fmt: skip
    upload(drive, "it's.jpg", labels={"starred": True})
    upload(drive, "gone.jpg").Trash()

    found = {query: " ".join(titles(drive, query)) for query in FOUND if query}
    found[""] = " ".join(sorted(each["title"] for each in drive.ListFile().GetList()))
    assert found == FOUND


@pytest.mark.parametrize("query", WRONG)
def test_a_query_that_cant_be_read_is_refused(drive: GoogleDrive, query: str) -> None:
    with pytest.raises(ApiRequestError) as error:
        drive.ListFile({"q": query}).GetList()
    assert reason(error) == (400, "invalid")


def test_an_unknown_folder_is_refused(drive: GoogleDrive) -> None:
    with pytest.raises(ApiRequestError) as error:
        drive.ListFile({"q": "'1unknown' in parents"}).GetList()
    assert reason(error) == (404, "notFound")


def test_lists_come_in_pages_of_a_hundred_or_as_asked(drive: GoogleDrive) -> None:
    drive.GetAbout()
    for number in range(120):
        drive.auth.service.files().insert(body={"title": f"{number:03}"}).execute(http=drive.http)

    pages = [len(page) for page in drive.ListFile({"maxResults": 50, "orderBy": "title"})]
    assert pages == [50, 50, 20]
    assert titles(drive, "trashed = false") == [f"{n:03}" for n in range(120)]
    first = drive.auth.service.files().list(fields="items(title),nextPageToken")
    told = first.execute(http=drive.http)
    assert len(told["items"]) == 100 and told["items"][0] == {"title": "119"}, "the newest first"


def test_the_pages_of_a_list_go_on_although_files_leave(drive: GoogleDrive) -> None:
    files = [upload(drive, f"{number}.jpg") for number in range(6)]

    pages = drive.ListFile({"maxResults": 2, "orderBy": "title"})
    found = []
    for page in pages:
        found += [each["title"] for each in page]
        for each in page:
            each.Delete()
    assert found == [each["title"] for each in files]


def test_the_token_of_a_page_ends_and_belongs_to_its_query(
    google: SimulatedGoogle, drive: GoogleDrive
) -> None:
    for number in range(3):
        upload(drive, f"{number}.jpg")
    files = drive.auth.service.files()
    token = files.list(maxResults=1).execute(http=drive.http)["nextPageToken"]

    with pytest.raises(ApiRequestError) as error:
        drive.ListFile({"maxResults": 1, "pageToken": token, "q": "starred = true"}).GetList()
    assert reason(error) == (400, "invalid")
    assert files.list(maxResults=1, pageToken=token).execute(http=drive.http)["items"]
    google.listing.life = 10
    late = files.list(maxResults=1).execute(http=drive.http)["nextPageToken"]
    google.clock.forward(11)
    with pytest.raises(ApiRequestError) as error:
        drive.ListFile({"maxResults": 1, "pageToken": late}).GetList()
    assert reason(error) == (400, "invalid")


def test_lists_lag_behind_what_files_say_themselves(
    google: SimulatedGoogle, drive: GoogleDrive
) -> None:
    day = folder(drive, "22")
    google.tree.lag = 60
    file = upload(drive, "porch.jpg")

    assert titles(drive, "title = 'porch.jpg'") == []
    file.FetchMetadata()
    google.clock.forward(61)
    assert titles(drive, "title = 'porch.jpg'") == ["porch.jpg"]
    file.Upload(param={"addParents": day["id"], "removeParents": "root"})
    assert titles(drive, f"'{day['id']}' in parents") == []
    assert titles(drive, "'root' in parents and title = 'porch.jpg'") == ["porch.jpg"]
    google.clock.forward(61)
    assert titles(drive, f"'{day['id']}' in parents") == ["porch.jpg"]
    assert titles(drive, "'root' in parents and title = 'porch.jpg'") == []
    file.Delete()
    assert titles(drive, "title = 'porch.jpg'") == ["porch.jpg"]
    google.clock.forward(61)
    assert titles(drive, "title = 'porch.jpg'") == []
