"""People over the API: their names and cameras, and what a proxy calls them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.access import Access, Actor
from tests.support.api import Api, running_api

WORD = "correct horse"
ROOT = Actor("terminal")
PROXIED = {"proxies": ["127.0.0.1"], "login_header": "Remote-User", "open": False}
ANNA = {"Remote_User": "anna", "X_Forwarded_For": "203.0.113.9"}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with running_api(tmp_path, {"api": {**PROXIED, "login_role": "viewer"}}) as running:
        Access(running.context.journal).people.add("anna", "administrator", ROOT, password=WORD)
        yield running


@pytest.mark.promise("sec B14")
def test_who_is_to_see_no_camera_sees_none(api: Api):
    Access(api.context.journal).people.add("bob", "viewer", ROOT, password=WORD)

    changed = api.ask("/v1/people/bob", "PATCH", {"cameras": []}, **ANNA)

    assert (changed.status, changed.json["cameras"]) == (200, [])
    bob = {**ANNA, "Remote_User": "bob"}
    assert api.ask("/v1/cameras", **bob).json == []
    kept = api.ask("/v1/people/bob", "PATCH", {"role": "operator"}, **ANNA)
    assert kept.json["cameras"] == [], "what is not named stays"
    every = api.ask("/v1/people/bob", "PATCH", {"all_cameras": True}, **ANNA)
    assert every.json["cameras"] is None


def test_a_camera_that_is_not_there_is_refused(api: Api):
    cameras = {"cameras": ["porch", "nosuch"]}
    for path, method, body in (
        ("/v1/people", "POST", {"name": "bob", "password": WORD, "role": "viewer"}),
        ("/v1/people/anna", "PATCH", {"role": "viewer"}),
        ("/v1/keys", "POST", {"name": "house", "scopes": ["read"]}),
    ):
        answer = api.ask(path, method, {**body, **cameras}, **ANNA)
        assert (answer.status, answer.json["detail"]) == (409, "There is no camera 'nosuch'.")


@pytest.mark.promise("sec B14")
def test_a_name_that_means_another_is_refused_to_who_adds_and_to_the_proxy(api: Api):
    given = {"name": "a/b", "password": WORD, "role": "viewer"}
    answer = api.post("/v1/people", given, **ANNA)
    assert answer.status == 409 and "'a/b'" in answer.json["detail"]

    answer = api.ask("/v1/cameras", **{**ANNA, "Remote_User": "terminal"})

    assert answer.status == 401 and "reserved" in answer.json["detail"]
    assert len(Access(api.context.journal).people.all()) == 1


def test_the_name_that_a_proxy_sends_is_utf8_without_spaces_around(api: Api):
    access = Access(api.context.journal)
    access.people.add("josé ☃", "operator", ROOT, password=WORD)
    sent = "josé ☃\N{NO-BREAK SPACE}".encode().decode("latin-1")

    me = api.ask("/v1/session", **{**ANNA, "Remote_User": sent}).json

    assert (me["name"], me["role"]) == ("josé ☃", "operator")
    assert len(access.people.all()) == 2
