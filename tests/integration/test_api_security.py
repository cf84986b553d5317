"""What the API keeps out and keeps to itself: limits, foreign pages, errors, headers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from shared.errors import JournalUnavailable
from tests.support.api import Api, running_api

ULID = "01M7W4KKWBCB67051H7JWDGN79"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running_api(tmp_path_factory.mktemp("api")) as running:
        yield running


@pytest.fixture
def api(running: Api) -> Api:
    """The one of the module; it has asked for nothing yet."""
    running.announced.clear()
    return running


@pytest.mark.promise("sec B8")
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/docs", 200),
        ("GET", "/static/js/main.js", 200),
        ("GET", "/v1/snapshots", 200),
        ("GET", "/v1/health", 200),
        ("GET", "/metrics", 200),
        ("GET", "/nowhere", 404),
        ("DELETE", "/v1/snapshots", 405),
        ("GET", "/v1/snapshots?limit=0", 422),
        ("POST", "/v1/cameras/nowhere/snapshots", 404),
    ],
)
def test_every_answer_carries_the_headers_that_bind_a_browser(api, method, path, status):
    answer = api.ask(path, method)

    assert answer.status == status
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["x-request-id"]
    assert "server" not in answer.headers
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json["status"] == status
        assert set(answer.json) >= {"type", "title", "status", "detail"}


@pytest.mark.promise("sec B12")
def test_an_unexpected_error_tells_nothing_about_the_inside(api, monkeypatch):
    def broken(*_args, **_options):
        raise RuntimeError("select * from secrets where path = '/srv/data'")

    monkeypatch.setattr(api.context.journal.read, "snapshots", broken)

    answer = api.ask("/v1/snapshots")

    assert (answer.status, answer.json["title"]) == (500, "Internal Server Error")
    assert not re.search(rb"select|/srv|Traceback|RuntimeError", answer.body)
    assert answer.headers["content-security-policy"] and answer.headers["x-request-id"]


@pytest.mark.promise("sec B12")
def test_a_database_that_is_away_is_a_503_that_says_when_to_come_again(api, monkeypatch):
    def away(*_args, **_options):
        raise JournalUnavailable("connection to db.internal (user snapbus) refused")

    for name in ("snapshots", "snapshots_of", "counts", "newest_seq", "service_status", "lag"):
        monkeypatch.setattr(api.context.journal.read, name, away)

    for path in ("/v1/snapshots", f"/v1/snapshots/{ULID}", "/v1/health", "/v1/health/ready"):
        answer = api.ask(path)
        assert answer.status == 503, path
        assert answer.headers["retry-after"] == "5"
        assert answer.json["type"] == "urn:snapbus:problem:journal-unavailable"
        assert b"db.internal" not in answer.body
    assert api.ask("/v1/health/live").status == 200
    assert b"snapbus_journal_up 0.0" in api.ask("/metrics").body
    assert api.ask("/").status == 200


@pytest.mark.promise("sec B8")
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_pages_of_other_sites_can_change_nothing(api, headers):
    answer = api.post("/v1/cameras/porch/snapshots", **headers)

    assert answer.status == 403
    assert not api.announced


@pytest.mark.promise("sec B8")
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", None])
def test_bodies_a_foreign_form_can_send_are_refused(api, kind):
    answer = api.ask("/v1/work/replay", "POST", b"service=drive", Content_Type=kind)

    assert answer.status == 415


def test_our_own_page_and_programs_may_ask(api):
    own = api.post("/v1/cameras/porch/snapshots", Origin=api.url, Sec_Fetch_Site="same-origin")
    curl = api.ask("/v1/cameras/porch/snapshots", "POST")

    assert (own.status, curl.status) == (202, 202)
    assert "access-control-allow-origin" not in own.headers


@pytest.mark.promise("sec B8")
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 421),
        ("127.0.0.1.evil.example:8080", 421),
        ("localhost:8080", 200),
        ("192.168.1.4", 200),
        ("[::1]:8080", 200),
        ("nas.local", 200),
        ("cams.example.org", 200),
    ],
)
def test_foreign_names_that_point_here_get_no_answer(tmp_path, host, status):
    with running_api(tmp_path, {"api": {"hosts": ["cams.example.org"]}}) as api:
        assert api.ask("/v1/snapshots", Host=host).status == status


@pytest.mark.promise("sec B12")
@pytest.mark.parametrize(
    "query",
    [
        "limit=201", "limit=x", "state=gone", "since=yesterday", "since=2026-01-01T00",
        "before=" + "9" * 27, "camera=" + "x" * 65, "label=%00", "before=%27%3B--", "camera=%00",
    ],
)  # fmt: skip
def test_odd_questions_get_plain_answers(api, query):
    answer = api.ask(f"/v1/snapshots?{query}")

    assert answer.status in (200, 400, 422)
    assert answer.status != 422 or answer.json["errors"][0]["at"].startswith("query.")


@pytest.mark.promise("sec B13")
@pytest.mark.parametrize("field", ["camera", "label"])
def test_what_looks_like_a_statement_is_only_a_text(api, field):
    before = len(api.ask("/v1/snapshots").json["snapshots"])
    api.analyze(api.take(), {"label": "person", "confidence": 0.9, "box": (0.1, 0.1, 0.2, 0.2)})
    for text in ("' OR '1'='1", "x'; DROP TABLE snapshots; --", "%", "porch' --", "$(id)", "\\"):
        answer = api.ask(f"/v1/snapshots?{field}={quote(text)}")
        assert (answer.status, answer.json["snapshots"]) == (200, [])
    assert len(api.ask("/v1/snapshots").json["snapshots"]) == before + 1


@pytest.mark.promise("sec B6")
def test_nobody_can_name_an_address_for_us_to_call(api):
    schema = json.loads(api.ask("/openapi.json").body)
    taken = {each["name"] for path in schema["paths"].values() for method in path.values()
             for each in method.get("parameters", [])}  # fmt: skip
    for path in schema["paths"].values():
        for method in path.values():
            if body := method.get("requestBody"):
                for kind in body["content"].values():
                    name = kind["schema"].get("$ref", "").rpartition("/")[2]
                    parts = schema["components"]["schemas"][name] if name else kind["schema"]
                    taken |= set(parts.get("properties", {}))
    assert len(taken) > 20
    assert {name for name in taken if re.search("ur[il]|host|address|target|link", name)} == set()


def test_an_id_that_is_none_and_one_that_is_unknown(api):
    assert api.ask("/v1/snapshots/x").status == 422
    assert api.ask(f"/v1/snapshots/{ULID}").status == 404
    assert api.ask("/v1/requests/x").status == 404


@pytest.mark.promise("inv I16")
def test_no_answer_holds_a_secret(api):
    api.post("/v1/cameras/porch/snapshots")
    paths = [
        path.replace("{name}", "porch").replace("{event_id}", api.announced[0].id)
        for path in json.loads(api.ask("/openapi.json").body)["paths"]
        if "{snapshot_id}" not in path and path != "/v1/events"
    ]
    for path in ["/", "/openapi.json", *paths]:
        assert b"canary" not in api.ask(path).body, path
