"""Logging in at a provider of OpenID Connect, one that keeps to the rules and one that does not."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from joserfc.jwk import RSAKey

from shared.access import Access, Actor
from tests.support.api import Answer, Api, running_api
from tests.support.oidc import CLIENT, SECRET, Provider

ROOT = Actor("terminal")


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


def closed(provider: Provider, **more: Any) -> dict[str, Any]:
    oidc = {"issuer": provider.issuer, "client_id": CLIENT, "client_secret": SECRET, **more}
    return {"api": {"open": False, "oidc": oidc}}


@pytest.fixture
def api(tmp_path: Path, provider: Provider) -> Iterator[Api]:
    with running_api(tmp_path, closed(provider)) as running:
        yield running


class Stays(urllib.request.HTTPRedirectHandler):
    """Follows no redirect."""

    def redirect_request(self, *_: object) -> None:
        return None


def location(address: str) -> str:
    """Where an address leads."""
    try:
        urllib.request.build_opener(Stays).open(address, timeout=10)
    except HTTPError as error:
        return error.headers["Location"]
    raise AssertionError("no redirect")


def cookies(answer: Answer) -> str:
    return "; ".join(each.partition(";")[0] for each in answer.cookies)


def log_in(api: Api, spoil: tuple[str, str] = ("", "")) -> Answer:
    """The whole way of a browser; ``spoil`` replaces something in the address it comes back by."""
    left = api.ask("/v1/session/oidc")
    assert left.status == 303, left.body
    back = (
        location(left.headers["location"]).replace(*spoil)
        if spoil[0]
        else location(left.headers["location"])
    )
    return api.ask(back.removeprefix(api.url), Cookie=cookies(left))


@pytest.mark.promise("sec B14")
def test_who_logs_in_at_the_provider_is_logged_in_here(api: Api, provider: Provider):
    assert api.ask("/v1/session").json["sso"] == "single sign-on"

    came = log_in(api)

    assert (came.status, came.headers["location"]) == (303, "/")
    me = api.ask("/v1/session", Cookie=cookies(came)).json
    assert (me["kind"], me["name"], me["role"]) == ("person", "anna", "viewer")
    provider.who["preferred_username"] = "anna-renamed"
    again = api.ask("/v1/session", Cookie=cookies(log_in(api))).json
    assert again["name"] == "anna", "the subject counts, not the name"
    assert SECRET not in str(came) and len(Access(api.context.journal).people.all()) == 1


@pytest.mark.promise("sec B14")
@pytest.mark.parametrize(
    "lie",
    [
        {"aud": "another"}, {"iss": "http://evil.example"}, {"nonce": "another"},
        {"exp": int(time.time()) - 3600}, {"sub": None}, {"preferred_username": ""},
    ],
    ids=lambda lie: next(iter(lie)),
)  # fmt: skip
def test_a_token_that_is_not_for_this_login_lets_nobody_in(api, provider, lie):
    provider.lie = lambda claims: {
        name: value for name, value in (claims | lie).items() if value is not None
    }

    came = log_in(api)

    assert came.headers["location"] == "/#refused"
    assert "snapbus_session" not in cookies(came)
    assert Access(api.context.journal).people.all() == []


@pytest.mark.promise("sec B14")
def test_a_token_of_another_signer_lets_nobody_in(api, provider):
    provider.signer = RSAKey.generate_key(2048, {"kid": "one"})

    assert log_in(api).headers["location"] == "/#refused"


@pytest.mark.promise("sec B14")
@pytest.mark.parametrize("spoil", [("state=", "state=x"), ("code=", "code=x")])
def test_an_answer_that_was_tampered_with_lets_nobody_in(api, spoil):
    assert log_in(api, spoil).headers["location"] == "/#refused"


@pytest.mark.promise("sec B14")
def test_a_login_that_another_browser_began_lets_nobody_in(api):
    back = location(api.ask("/v1/session/oidc").headers["location"]).removeprefix(api.url)
    other = api.ask("/v1/session/oidc")

    assert api.ask(back).headers["location"] == "/#refused"
    assert api.ask(back, Cookie=cookies(other)).headers["location"] == "/#refused"


@pytest.mark.promise("sec B14")
def test_nobody_takes_the_account_of_somebody_with_a_password(api):
    access = Access(api.context.journal)
    access.people.add("anna", "administrator", ROOT, password="correct horse")

    assert log_in(api).headers["location"] == "/#refused"
    assert access.ledger.noted("default", 0, 1)[0].event.data["action"] == "login_refused"


@pytest.mark.promise("sec B14")
def test_the_provider_names_nobody_so_that_the_log_means_another(api, provider):
    provider.who["preferred_username"] = "terminal"

    assert log_in(api).headers["location"] == "/#refused"

    access = Access(api.context.journal)
    noted = access.ledger.noted("default", 0, 1)[0].event.data
    assert (noted["who"], noted["what"]) == ("somebody", "terminal")
    assert "reserved" in noted["detail"] and access.people.all() == []


def test_without_a_role_only_who_is_expected_comes_in(tmp_path, provider):
    with running_api(tmp_path, closed(provider, role="")) as api:
        assert log_in(api).headers["location"] == "/#refused"
        Access(api.context.journal).people.add("anna", "operator", ROOT, subject="elsewhere")
        came = log_in(api)
        assert api.ask("/v1/session", Cookie=cookies(came)).json["role"] == "operator"


def test_a_provider_that_is_away_is_told(tmp_path, provider):
    tree = closed(provider)
    tree["api"]["oidc"]["issuer"] = "http://127.0.0.1:9"
    with running_api(tmp_path, tree) as api:
        answer = api.ask("/v1/session/oidc")
        assert (answer.status, answer.json["title"]) == (409, "Not possible")
    with running_api(tmp_path, {"api": {"open": False}}) as api:
        assert api.ask("/v1/session/oidc").status == 404
