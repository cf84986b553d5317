"""Real PyDrive2 logs in to the simulated Google by every way that Google has left."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from oauth2client.client import FlowExchangeError
from pydrive2.auth import RefreshError
from pydrive2.drive import GoogleDrive
from pydrive2.files import ApiRequestError

from services.simulator.google.account import CLIENT, OWNER, SECRET, SimulatedGoogle
from services.simulator.google.logins import DEVICE, DRIVE, FILE_ONLY
from tests.support.google import (
    SERVICE,
    client_settings,
    owners_settings,
    pydrive,
    reason,
    service_settings,
    upload,
)  # fmt: skip


def user(drive: GoogleDrive) -> str:
    return str(drive.GetAbout()["user"]["emailAddress"])


def token(google: SimulatedGoogle, **form: str) -> Any:
    given = {"client_id": CLIENT, "client_secret": SECRET, **form}
    return requests.post(f"{google.url}token", data=given, timeout=10)


def test_a_token_that_ended_is_renewed(google: SimulatedGoogle, drive: GoogleDrive) -> None:
    assert user(drive) == OWNER
    google.clock.forward(4000)

    assert user(drive) == OWNER, "a 401, and the call again"
    assert google.calls["token"] == 2


def test_a_login_that_was_taken_away_is_refused(
    google: SimulatedGoogle, drive: GoogleDrive
) -> None:
    user(drive)
    google.revoke()

    with pytest.raises(Exception, match="invalid_grant"):
        user(drive)
    with pytest.raises(RefreshError, match="invalid_grant"):
        drive.auth.Refresh()
    google.allow()
    assert user(drive) == OWNER


def test_a_refresh_token_of_a_program_in_testing_ends_after_a_week(google: SimulatedGoogle) -> None:
    google.logins.refresh_life = 7 * 86_400
    with pydrive(google, **client_settings(google)) as drive:
        exchange(drive, consented(drive))
        google.clock.forward(8 * 86_400)
        with pytest.raises(RefreshError, match="invalid_grant"):
            drive.auth.Refresh()


def consented(drive: GoogleDrive) -> str:
    """The code that a browser brings back."""
    asked = requests.get(drive.auth.GetAuthUrl(), allow_redirects=False, timeout=10)
    assert asked.status_code == 302
    back = urlsplit(asked.headers["Location"])
    assert (back.hostname, back.port) == ("localhost", 1)
    return parse_qs(back.query)["code"][0]


def exchange(drive: GoogleDrive, code: str) -> None:
    """Log in with a code, as ``Authenticate`` does, which leaves its connection open."""
    http = drive.auth._build_http()
    drive.auth.credentials = drive.auth.flow.step2_exchange(code, http=http)


def test_a_person_logs_in_by_a_browser(google: SimulatedGoogle) -> None:
    with pydrive(google, **client_settings(google)) as drive:
        code = consented(drive)
        exchange(drive, code)

        assert user(drive) == OWNER
        assert drive.auth.credentials.refresh_token in google.logins.refresh
        with pytest.raises(FlowExchangeError, match="invalid_grant"):
            exchange(drive, code)


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "other"},
        {"redirect_uri": "https://elsewhere.example.org/"},
        {"redirect_uri": "http://localhost.example.org/"},
        {"redirect_uri": "javascript:alert(1)"},
    ],
)
def test_a_browser_is_sent_nowhere_else(google: SimulatedGoogle, change: dict[str, str]) -> None:
    given = {"client_id": CLIENT, "redirect_uri": "http://localhost:1/", **change}
    asked = requests.get(
        f"{google.url}o/oauth2/auth", params=given, allow_redirects=False, timeout=10
    )

    assert (asked.status_code, asked.headers.get("Location")) == (400, None)


def test_a_person_logs_in_on_another_device(google: SimulatedGoogle) -> None:
    asked = {"client_id": CLIENT, "scope": FILE_ONLY}
    told = requests.post(f"{google.url}device/code", data=asked, timeout=10).json()
    poll = {"grant_type": DEVICE, "device_code": told["device_code"]}

    assert token(google, **poll).json()["error"] == "authorization_pending"
    assert token(google, **poll).json()["error"] == "slow_down"
    google.clock.forward(told["interval"] + 1)
    typed = {"user_code": told["user_code"]}
    page = requests.get(told["verification_url"], params=typed, timeout=10)
    assert page.status_code == 200
    given = token(google, **poll).json()
    assert {"access_token", "refresh_token"} <= given.keys()
    assert token(google, **poll).json()["error"] == "invalid_grant", "once"


@pytest.mark.parametrize(
    ("change", "error"),
    [("denied", "access_denied"), ("late", "expired_token"), ("scope", "invalid_scope")],
)
def test_a_login_on_another_device_can_fail(
    google: SimulatedGoogle, change: str, error: str
) -> None:
    scope = DRIVE if change == "scope" else FILE_ONLY
    asked = {"client_id": CLIENT, "scope": scope}
    told = requests.post(f"{google.url}device/code", data=asked, timeout=10).json()
    if change == "denied":
        google.logins.answer_device(told["user_code"], "access_denied")
    google.clock.forward(3600 if change == "late" else 0)
    if change != "scope":
        told = token(google, grant_type=DEVICE, device_code=told["device_code"]).json()

    assert told["error"] == error


def test_a_device_sees_only_what_its_program_made(
    google: SimulatedGoogle, drive: GoogleDrive
) -> None:
    google.logins.clients["other"] = "secret"
    upload(drive, "private.jpg")
    google.allow("narrow", FILE_ONLY)
    grant = google.logins.refresh["narrow"]
    google.logins.grant("narrow", type(grant)(grant.email, "other", grant.scopes))
    settings = owners_settings(google, "narrow")
    stored = json.loads(settings["save_credentials_dict"]["token"])
    stored |= {"client_id": "other", "client_secret": "secret"}
    settings["save_credentials_dict"]["token"] = json.dumps(stored)
    with pydrive(google, **settings) as narrow:
        upload(narrow, "own.jpg")

        assert [each["title"] for each in narrow.ListFile().GetList()] == ["own.jpg"]


def test_a_login_without_the_right_to_write_is_refused(google: SimulatedGoogle) -> None:
    google.allow("reader", f"{DRIVE}.readonly")
    with pydrive(google, **owners_settings(google, "reader")) as drive:
        assert drive.ListFile().GetList() == []
        with pytest.raises(ApiRequestError) as error:
            upload(drive, "porch.jpg")
        assert reason(error) == (403, "insufficientPermissions")


def test_a_service_account_logs_in_by_its_key(google: SimulatedGoogle) -> None:
    settings = service_settings(google)
    with pydrive(google, **settings) as robot:
        assert user(robot) == SERVICE
    with pydrive(google, **service_settings(google, OWNER)) as delegate:
        assert user(delegate) == OWNER


def test_another_key_and_an_old_claim_are_refused(google: SimulatedGoogle) -> None:
    settings = service_settings(google)
    google.logins.services[SERVICE] = (google.logins.services[SERVICE][0] + 2, 65537)
    with pytest.raises(Exception, match="invalid_grant"), pydrive(google, **settings) as robot:
        user(robot)
    settings = service_settings(google)
    google.clock.forward(7200)
    with pytest.raises(Exception, match="invalid_grant"), pydrive(google, **settings) as robot:
        user(robot)


@pytest.mark.parametrize(
    "assertion", ["", "a.b", "a.b.c", "e30.e30.AAAA", "eyJhbGciOiJub25lIn0.e30.", "x" * 20_000]
)
def test_a_claim_that_cant_be_read_is_refused(google: SimulatedGoogle, assertion: str) -> None:
    kind = "urn:ietf:params:oauth:grant-type:jwt-bearer"

    told = token(google, grant_type=kind, assertion=assertion)
    assert (told.status_code, told.json()["error"]) == (400, "invalid_grant")


def test_nobody_calls_without_a_token(google: SimulatedGoogle) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}):
        told = requests.get(f"{google.url}drive/v2/about", headers=headers, timeout=10)
        assert told.status_code == 401
        assert told.json()["error"]["errors"][0]["reason"] == "authError"


def test_an_unknown_program_gets_no_token(google: SimulatedGoogle) -> None:
    told = token(google, grant_type="refresh_token", refresh_token="x", client_secret="wrong")

    assert (told.status_code, told.json()["error"]) == (401, "invalid_client")
    assert token(google, grant_type="password").json()["error"] == "unsupported_grant_type"
