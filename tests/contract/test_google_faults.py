"""The simulated Google fails as Google does, and real PyDrive2 says what it says then."""

from __future__ import annotations

import json
from http.client import IncompleteRead

import pytest
from pydrive2.drive import GoogleDrive
from pydrive2.files import ApiRequestError

from services.simulator.google.account import SimulatedGoogle
from services.simulator.google.faults import FAULTS, PASSING, Fault
from tests.support.google import pydrive, reason, titles, upload

SAID = {
    "userRateLimitExceeded": (403, "userRateLimitExceeded"),
    "rateLimitExceeded": (403, "rateLimitExceeded"),
    "dailyLimitExceeded": (403, "dailyLimitExceeded"),
    "storageQuotaExceeded": (403, "storageQuotaExceeded"),
    "insufficientFilePermissions": (403, "insufficientFilePermissions"),
    "429": (429, "rateLimitExceeded"),
    "400": (400, "badRequest"),
    "404": (404, "notFound"),
    "500": (500, "internalError"),
    "503": (503, "backendError"),
}


@pytest.mark.parametrize("fault", SAID)
def test_what_google_says_comes_through(
    google: SimulatedGoogle, drive: GoogleDrive, fault: str
) -> None:
    drive.GetAbout()
    google.fail(fault, on="files")

    with pytest.raises(ApiRequestError) as error:
        drive.ListFile().GetList()
    assert reason(error) == SAID[fault]
    assert drive.ListFile().GetList() == [], "once"
    assert google.faults.happened[fault] == 1


@pytest.mark.parametrize("fault", ["502", "503 HTML"])
def test_a_page_comes_where_json_was_expected(
    google: SimulatedGoogle, drive: GoogleDrive, fault: str
) -> None:
    google.fail(fault, on="files.list")

    with pytest.raises(json.JSONDecodeError):
        drive.ListFile().GetList()


def test_a_refused_token_is_renewed_without_a_word(
    google: SimulatedGoogle, drive: GoogleDrive
) -> None:
    google.fail("401", on="files.list")

    assert drive.ListFile().GetList() == []
    assert google.calls["token"] == 2


@pytest.mark.parametrize(
    ("fault", "error"), [("reset", OSError), ("lost", OSError), ("cut", IncompleteRead)]
)
def test_a_connection_that_breaks_is_an_error_of_the_network(
    google: SimulatedGoogle, drive: GoogleDrive, fault: str, error: type[Exception]
) -> None:
    upload(drive, "porch.jpg")
    google.fail(fault, on="files.list")

    with pytest.raises(error):
        drive.ListFile().GetList()
    with pydrive(google) as again:
        assert titles(again, "trashed = false") == ["porch.jpg"]


def test_a_token_refused_amid_an_upload_keeps_pydrive_waiting(google: SimulatedGoogle) -> None:
    with pydrive(google, timeout=0.5) as drive:
        drive.GetAbout()
        google.fail("401", on="upload.put")
        with pytest.raises(TimeoutError):  # the call is made again, with a stream at its end
            upload(drive, "porch.jpg")


@pytest.mark.parametrize("fault", ["silent", "slow"])
def test_who_sets_no_deadline_waits(google: SimulatedGoogle, fault: str) -> None:
    with pydrive(google, timeout=0.1) as drive:
        drive.GetAbout()
        google.fail(fault, fault, on="files.list")
        with pytest.raises(TimeoutError):
            drive.ListFile().GetList()


def test_a_call_whose_answer_is_lost_was_made(google: SimulatedGoogle, drive: GoogleDrive) -> None:
    file = upload(drive, "porch.jpg")
    file["title"] = "gate.jpg"
    google.fail("lost", on="files.patch")

    with pytest.raises(OSError):
        file.Upload()
    assert titles(drive, "trashed = false") == ["gate.jpg"]


def played(google: SimulatedGoogle, operation: str) -> list[Fault]:
    """What happens to so many calls."""
    return [fault for _ in range(300) if (fault := google.faults.next(operation))]


def test_a_storm_is_the_same_by_the_same_seed(google: SimulatedGoogle) -> None:
    storms = []
    for seed in (1, 1, 2):
        google.storm(0.5, seed)
        storms.append(played(google, "upload.put"))
    google.calm()

    assert storms[0] == storms[1] != storms[2]
    assert 100 < len(storms[0]) < 200
    assert played(google, "upload.put") == []


def test_a_storm_says_nothing_that_google_would_not_say_there(google: SimulatedGoogle) -> None:
    google.storm(1.0, 1)

    acts = {fault.act for fault in played(google, "files.list")}
    assert acts == {"answer", "reset", "lost", "cut"}
    assert {fault.answer.status for fault in played(google, "token")} == {200, 500, 502, 503}
    assert set(PASSING) <= FAULTS.keys()


def test_an_unknown_fault_is_not_taken(google: SimulatedGoogle) -> None:
    with pytest.raises(KeyError):
        google.fail("503", "weather")


def test_calls_at_one_time_are_counted(google: SimulatedGoogle, drive: GoogleDrive) -> None:
    upload(drive, "porch.jpg")

    assert google.most_at_once == 1
    assert google.calls["upload.begin"] == google.calls["upload.put"] == 1
