"""Who gets in: the first account, logins, log-outs, keys, revocation, and who is believed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from services.api.routes import events as streams
from shared.access import Access, Actor
from tests.support.api import Answer, Api, running_api
from tests.support.fakes import eventually

WORD = "correct horse"
CLOSED = {"api": {"open": False}}
ROOT = Actor("terminal")
FOREIGN = {"X_Forwarded_For": "198.51.100.7"}
"""Somebody behind a proxy: not at this machine."""


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with running_api(tmp_path, CLOSED) as running:
        yield running


@pytest.fixture
def access(api: Api) -> Access:
    """The same tables beside the running API, as the terminal sees them."""
    return Access(api.context.journal)


def cookie(answer: Answer) -> str:
    """What a browser sends back."""
    return "; ".join(each.partition(";")[0] for each in answer.cookies)


def log_in(api: Api, name: str = "anna", password: str = WORD, **headers: Any) -> Answer:
    return api.post("/v1/session", {"name": name, "password": password}, **headers)


@pytest.fixture
def anna(api: Api, access: Access) -> str:
    """The cookies of an administrator."""
    access.people.add("anna", "administrator", ROOT, password=WORD)
    return cookie(log_in(api))


def key(access: Access, *scopes: str, **more: Any) -> str:
    return access.keys.add("house", scopes or ["read"], ROOT, **more)[1]


@pytest.mark.promise("find H1")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/snapshots"), ("GET", "/v1/cameras"), ("GET", "/v1/events"),
        ("GET", "/v1/health"), ("GET", "/v1/work"), ("POST", "/v1/work/replay"),
        ("POST", "/v1/cameras/porch/snapshots"), ("GET", "/v1/people"), ("GET", "/v1/labels"),
    ],
)  # fmt: skip
def test_a_stranger_gets_nothing(api: Api, method: str, path: str):
    answer = api.ask(path, method, {} if method == "POST" else None)

    assert answer.status == 401
    assert answer.json["type"] == "urn:snapbus:problem:login-required"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert not api.announced


@pytest.mark.promise("find H1")
def test_a_stranger_gets_no_picture(api: Api):
    taken = api.take()
    for kind in ("picture", "thumbnail", "picture?original=1"):
        assert api.ask(f"/v1/snapshots/{taken.snapshot_id}/{kind}").status == 401
        assert api.ask(f"/v1/snapshots/{taken.snapshot_id}/{kind}", "HEAD").status == 401


# The first account


@pytest.mark.promise("sec B14")
def test_the_first_account_is_made_with_the_code_of_the_log_or_from_this_machine(tmp_path, caplog):
    caplog.set_level("INFO")
    with running_api(tmp_path, CLOSED) as api:
        asked = api.ask("/v1/session", **FOREIGN).json
        assert (asked["kind"], asked["first"], asked["code"]) == ("nobody", True, True)
        assert api.ask("/v1/session").json["code"] is False
        given = {"name": "anna", "password": WORD}
        assert api.post("/v1/session/first", given, **FOREIGN).status == 409
        assert api.post("/v1/session/first", given, Host="nas.local").status == 409
        (told,) = [each for each in caplog.messages if "no account" in each]
        code = told.rpartition(" ")[2]

        made = api.post("/v1/session/first", {**given, "code": code}, **FOREIGN)

        assert made.status == 201 and made.json["role"] == "administrator"
        assert api.ask("/v1/people", Cookie=cookie(made)).json[0]["name"] == "anna"
        again = api.post("/v1/session/first", {"name": "eve", "password": WORD, "code": code})
        assert again.status == 409
        assert api.ask("/v1/session", **FOREIGN).json["first"] is False
    caplog.clear()
    with running_api(tmp_path, CLOSED):
        assert not [each for each in caplog.messages if "no account" in each]


@pytest.mark.promise("sec B14")
def test_guessing_the_code_is_slowed(api: Api):
    given = {"name": "anna", "password": WORD, "code": "AAAA-AAAA-AAAA"}
    statuses = [api.post("/v1/session/first", given, **FOREIGN).status for _ in range(12)]
    assert statuses.count(429) >= 6 and set(statuses) == {409, 429}


# Sessions


@pytest.mark.promise("sec B14")
def test_a_login_gives_a_cookie_for_no_script_and_a_new_one_each_time(api, access):
    access.people.add("anna", "viewer", ROOT, password=WORD)

    one, two = log_in(api), log_in(api, Cookie="snapbus_session=chosen-by-somebody-else")

    for answer in (one, two):
        assert answer.status == 200 and answer.json["name"] == "anna"
        session = next(each for each in answer.cookies if each.startswith("snapbus_session="))
        assert "HttpOnly" in session and "SameSite=lax" in session and "Path=/" in session
        assert "Secure" not in session, "it came by plain HTTP"
    assert cookie(one) != cookie(two) and "chosen" not in cookie(two)
    assert api.ask("/v1/snapshots", Cookie=cookie(one)).status == 200
    for wrong in (log_in(api, password="wrong"), log_in(api, "nobody")):
        assert wrong.status == 401 and wrong.cookies == []
        assert wrong.json["detail"] == "The name or the password is wrong."


@pytest.mark.promise("sec B14")
def test_who_logs_out_is_out_with_all_that_was_open(api, anna):
    with api.stream(Cookie=anna) as frames:
        assert api.ask("/v1/session", "DELETE", Cookie=anna).status == 204
        began = time.monotonic()
        with pytest.raises(EOFError):
            while True:
                frames.next()
        assert time.monotonic() - began < 10
    assert api.ask("/v1/snapshots", Cookie=anna).status == 401


def test_a_new_password_ends_the_other_sessions_and_needs_the_old_one(api, anna):
    other = cookie(log_in(api))
    wrong = api.ask(
        "/v1/session/password", "PUT", {"old": "no", "new": "another horse"}, Cookie=anna
    )
    assert wrong.status == 403

    changed = {"old": WORD, "new": "another horse"}
    assert api.ask("/v1/session/password", "PUT", changed, Cookie=anna).status == 204

    assert api.ask("/v1/cameras", Cookie=anna).status == 200
    assert api.ask("/v1/cameras", Cookie=other).status == 401
    assert log_in(api).status == 401
    assert log_in(api, password="another horse").status == 200


@pytest.mark.promise("sec B8")
def test_a_page_of_another_site_can_not_use_the_cookie_for_a_change(api, anna):
    foreign = api.post("/v1/people", {}, Cookie=anna, Origin="http://evil.example")
    form = api.ask("/v1/keys", "POST", b"name=x", Cookie=anna, Content_Type="text/plain")
    assert (foreign.status, form.status) == (403, 415)


@pytest.mark.promise("sec B14")
def test_a_flood_of_logins_leaves_the_rest_answered(api, access):
    access.people.add("anna", "viewer", ROOT, password=WORD)
    statuses = [log_in(api, f"name{number}", "x" * 20, **FOREIGN).status for number in range(40)]
    assert statuses.count(429) >= 15
    began = time.monotonic()
    assert api.ask("/v1/health/live").status == 200
    assert time.monotonic() - began < 10


# Keys


@pytest.mark.promise("feat L1")
@pytest.mark.promise("sec B2")
def test_a_key_is_taken_as_bearer_and_for_single_pictures_in_the_address(api, access, caplog):
    caplog.set_level("DEBUG")
    taken, secret = api.take(), key(access)
    bearer = {"Authorization": f"Bearer {secret}"}
    picture = f"/v1/snapshots/{taken.snapshot_id}/picture"

    assert api.ask("/v1/snapshots", **bearer).status == 200
    assert api.ask(picture, **bearer).status == 200
    assert api.ask(f"{picture}?token={secret}").status == 200
    assert api.ask(f"{picture}?token={secret}&original=1").status == 403
    assert api.ask(f"{picture}?original=1", **bearer).status == 200
    assert api.ask(f"/v1/snapshots?token={secret}").status in (401, 422)
    assert api.ask(f"/v1/events?token={secret}").status in (401, 422)
    assert api.ask(f"{picture}?token={secret}x").status == 401
    assert api.ask("/v1/snapshots", Authorization="Bearer snapbus_a_b").status == 401
    assert api.ask("/v1/work/replay", "POST", {}, **bearer).status == 403
    assert secret not in caplog.text


def guide() -> Any:
    """``signed`` as docs/guide/access.md shows it."""
    text = (Path(__file__).parents[2] / "docs" / "guide" / "access.md").read_text()
    names: dict[str, Any] = {}
    exec(text.split("```python\n")[1].split("```")[0], names)
    return names["signed"]


@pytest.mark.promise("sec B10")
def test_a_signed_address_is_good_for_one_picture_and_ten_minutes(api, access):
    signed = guide()
    row, secret = access.keys.add("house", ["read"], ROOT)
    path = f"/v1/snapshots/{api.take().snapshot_id}"
    good = signed(f"{path}/thumbnail", secret)
    token = good.partition("=")[2]

    assert api.ask(good).status == 200
    key_id, until, signature = token.split(".")
    flipped = [
        ".".join(
            (
                key_id,
                until,
                signature[:i] + ("0" if signature[i] != "0" else "1") + signature[i + 1 :],
            )
        )
        for i in range(len(signature))
    ]
    for wrong in (
        *flipped, f"{key_id}.{int(until) + 1}.{signature}", f"0000000000.{until}.{signature}",
        f"{key_id}..{signature}", f"{key_id}.{until}.", f"{key_id}.{until}", "...", "²." + token,
    ):  # fmt: skip
        assert api.ask(f"{path}/thumbnail?token={quote(wrong)}").status == 401, wrong
    assert api.ask(f"{path}/picture?token={token}").status == 401, "another variant"
    assert api.ask(f"{signed(f'{path}/picture', secret)}&original=1").status == 403
    assert api.ask(signed(f"{path}/thumbnail", secret, 3600)).status == 401, "for too long"
    assert api.ask(signed(f"{path}/thumbnail", secret, -1)).status == 401, "over"
    access.keys.revoke(row, ROOT)
    assert api.ask(good).status == 401


@pytest.mark.promise("sec B2", "sec B11", "feat L7")
def test_one_key_leaves_room_for_the_streams_of_others(api, access, monkeypatch):
    monkeypatch.setattr(streams, "MOST_OF_ONE", 2)
    greedy, other = (
        f"Bearer {access.keys.add(name, ['read'], ROOT)[1]}" for name in ("greedy", "other")
    )
    with ExitStack() as open_now:
        for _ in range(2):
            open_now.enter_context(api.stream(Authorization=greedy, Last_Event_ID="start"))
        refused = api.ask("/v1/events", Authorization=greedy)
        assert (refused.status, refused.headers["retry-after"]) == (429, "30")
        open_now.enter_context(api.stream(Authorization=other))


@pytest.mark.promise("sec B11")
def test_revoking_a_key_ends_its_stream_within_a_second_and_no_other(api, access, anna):
    secret = key(access)
    with (
        api.stream(Authorization=f"Bearer {secret}") as theirs,
        api.stream(Cookie=anna) as hers,
    ):
        (row,) = api.ask("/v1/keys", Cookie=anna).json
        assert api.ask(f"/v1/keys/{row['id']}", "DELETE", Cookie=anna).status == 204
        began = time.monotonic()
        with pytest.raises((EOFError, ConnectionError)):
            while True:
                theirs.next()
        assert time.monotonic() - began < 10
        taken = api.take()
        while (event := hers.next_event())["event"] != taken.topic:
            assert event["event"] == "access.noted"
    assert api.ask("/v1/snapshots", Authorization=f"Bearer {secret}").status == 401


@pytest.mark.promise("sec B11")
def test_who_does_not_read_is_cut_off_by_a_revocation_as_well(api, access):
    row, secret = access.keys.add("house", ["read"], ROOT)
    with api.stream(Authorization=f"Bearer {secret}"):
        assert next(iter(api.service.about()["streams"] for _ in [0])) == 1
        access.keys.revoke(row, ROOT)  # by another process, as the terminal does
        eventually(lambda: api.service.about()["streams"] == 0, timeout=10)


@pytest.mark.promise("sec B11")
def test_a_role_that_changes_begins_the_stream_anew(api, access):
    access.people.add("root", "administrator", ROOT, password=WORD)
    bob = access.people.add("bob", "viewer", ROOT, password=WORD)
    with api.stream(Cookie=cookie(log_in(api, "bob"))) as frames:
        access.people.set_role(bob, "viewer", ["street"], ROOT)
        with pytest.raises((EOFError, ConnectionError)):
            while True:
                frames.next()


@pytest.mark.promise("feat L4")
def test_a_key_that_asks_too_often_is_told_when_to_come_again(api, access):
    bearer = {"Authorization": f"Bearer {key(access, rate=2)}"}
    answers = [api.ask("/v1/labels", **bearer) for _ in range(3)]
    assert [each.status for each in answers] == [200, 200, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 31


@pytest.mark.promise("feat L7")
def test_streams_are_opened_no_more_often_than_the_rate_of_a_key_says(api, access):
    bearer = f"Bearer {key(access, rate=3)}"
    for _ in range(3):
        with api.stream(Authorization=bearer):
            pass
    refused = api.ask("/v1/events", Authorization=bearer)
    assert refused.status == 429
    assert int(refused.headers["retry-after"]) >= 1


@pytest.mark.promise("sec B14")
def test_what_is_done_here_is_in_the_log_and_an_event(api, anna):
    made = api.post("/v1/keys", {"name": "house", "scopes": ["read"]}, Cookie=anna).json
    api.ask(f"/v1/keys/{made['id']}/rotate", "POST", {}, Cookie=anna)
    api.ask(f"/v1/keys/{made['id']}", "DELETE", Cookie=anna)
    taken = api.take()
    api.ask(f"/v1/snapshots/{taken.snapshot_id}/picture?original=1", Cookie=anna)
    api.post("/v1/work/replay", Cookie=anna)
    log_in(api, password="wrong")

    noted = api.ask("/v1/audit", Cookie=anna).json["noted"]

    assert [each["action"] for each in noted] == [
        "login_refused", "work_replayed", "original_downloaded", "key_revoked", "key_rotated",
        "key_added", "login", "person_added",
    ]  # fmt: skip
    assert {each["who"] for each in noted} == {"anna", "terminal"}
    assert noted[1]["address"] == "127.0.0.1"
    assert made["key"] not in str(noted)
    assert [each.topic for each in api.announced].count("access.noted") >= 6
    page = api.ask("/v1/audit?limit=3", Cookie=anna).json
    rest = api.ask(f"/v1/audit?before={page['next']}", Cookie=anna).json
    assert page["noted"] + rest["noted"] == noted


# Who is believed


@pytest.mark.promise("sec B8")
def test_headers_of_strangers_are_not_believed(api, access, anna):
    told = {"Remote_User": "anna", "X_Forwarded_Proto": "https", "X_Forwarded_For": "127.0.0.1"}
    assert api.ask("/v1/cameras", **told).status == 401
    assert "Secure" not in str(log_in(api, **told).cookies)


def test_a_named_proxy_logs_people_in(tmp_path):
    proxied = {"proxies": ["127.0.0.1"], "login_header": "Remote-User", "open": False}
    with running_api(tmp_path, {"api": proxied}) as api:
        access = Access(api.context.journal)
        access.people.add("anna", "administrator", ROOT, password=WORD)
        told = {
            "Remote_User": "anna",
            "X_Forwarded_For": "203.0.113.9",
            "X_Forwarded_Proto": "https",
        }
        me = api.ask("/v1/session", **told).json
        assert (me["kind"], me["name"], me["role"]) == ("proxy", "anna", "administrator")
        assert api.ask("/v1/cameras", **{**told, "Remote_User": "eve"}).status == 401
        api.post("/v1/people", {"name": "bob", "password": WORD, "role": "viewer"}, **told)
        noted = api.ask("/v1/audit", **told).json["noted"]
        assert (noted[0]["who"], noted[0]["address"]) == ("anna", "203.0.113.9")
        secure = log_in(api, X_Forwarded_For="203.0.113.9", X_Forwarded_Proto="https")
        assert all("Secure" in each for each in secure.cookies)
    with running_api(tmp_path, {"api": {**proxied, "login_role": "viewer"}}) as api:
        new = api.ask("/v1/session", Remote_User="eve", X_Forwarded_For="203.0.113.9").json
        assert (new["name"], new["role"]) == ("eve", "viewer")


def test_who_is_at_this_machine_may_be_let_in_without_a_login(tmp_path):
    with running_api(tmp_path, {"api": {"open": False, "local_role": "viewer"}}) as api:
        assert api.ask("/v1/session").json["kind"] == "local"
        assert api.ask("/v1/cameras").status == 200
        assert api.ask("/v1/cameras", **FOREIGN).status == 401, "a proxy on this machine"
        assert api.ask("/v1/cameras", Host="nas.local").status == 401
        assert api.post("/v1/work/replay").status == 403


def test_scrapers_come_from_named_networks_or_with_a_key(tmp_path):
    paths = ("/metrics", "/health", "/v1/health/ready")
    with running_api(tmp_path, CLOSED) as api:
        part = key(Access(api.context.journal), cameras=["street"])
        for path in paths:
            assert api.ask(path).status == 200, "from loopback"
            assert api.ask(path, **FOREIGN).status == 401
        assert api.ask("/metrics", Authorization=f"Bearer {part}", **FOREIGN).status == 403
        assert api.ask("/v1/health").status == 401
    with running_api(tmp_path, {"api": {"open": False, "metrics_from": []}}) as api:
        bearer = {"Authorization": f"Bearer {key(Access(api.context.journal))}"}
        for path in paths:
            assert api.ask(path).status == 401
            assert api.ask(path, **bearer).status == 200
        assert api.ask("/v1/health/live").status == 200


def test_an_open_api_says_so(tmp_path, caplog):
    with running_api(tmp_path, {"api": {"open": True}}) as api:
        assert api.ask("/v1/session").json["kind"] == "open"
        assert any("api.open" in each for each in caplog.messages)


@pytest.mark.promise("sec B1")
def test_a_route_that_declares_nothing_keeps_the_api_from_starting(tmp_path, monkeypatch):
    from fastapi import APIRouter

    from services.api.routes import work

    routes = work.routes

    def one_more(recovery: Any) -> APIRouter:
        router = routes(recovery)
        router.get("/forgotten")(lambda: {"every": "thing"})
        return router

    monkeypatch.setattr(work, "routes", one_more)
    with pytest.raises(RuntimeError, match="/v1/work/forgotten"), running_api(tmp_path):
        pytest.fail("it started")
