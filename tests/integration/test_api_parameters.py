"""Parameters: what is not known is refused, and a time without zone is of the configured one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from tests.support.api import Api, running_api


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running_api(tmp_path_factory.mktemp("api"), {"api": {"timezone": "Asia/Tokyo"}}) as server:
        yield server


@pytest.mark.promise("find Q2")
@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/v1/snapshots?lable=person", "'lable' here. Did you mean label? There are before, cam"),
        ("/v1/snapshots?camera=porch&page=2", "There is no parameter 'page' here. There are "),
        ("/v1/labels?x", "There is no parameter 'x' here. It takes none."),
        ("/v1/work?state=dead", "'state' here. Did you mean status? There are limit, status."),
        ("/v1/events?cameras=porch", "'cameras' here. Did you mean camera? There are camera, top"),
        ("/v1/cameras?door=ftp", "It takes none."),
    ],
)
def test_a_parameter_that_is_not_known_is_refused_with_those_that_are(api, path, says):
    answer = api.ask(path)
    assert (answer.status, answer.json["type"]) == (422, "urn:snapbus:problem:unknown-parameter")
    assert says in answer.json["detail"]


@pytest.mark.promise("find Q2")
@pytest.mark.parametrize(
    "path",
    [
        "/v1/snapshots?camera=porch&camera=street",
        "/v1/snapshots?limit=1&limit=1",
        "/v1/counts?by=hour&since=2026-11-21&since=2026-11-22",
        "/v1/audit?limit=1&limit=2",
        "/v1/work?limit=1&status=dead&limit=2",
    ],
)
def test_a_parameter_that_stands_twice_is_refused_by_name(api, path):
    answer = api.ask(path)
    assert (answer.status, answer.json["type"]) == (422, "urn:snapbus:problem:repeated-parameter")
    assert "stands 2 times here; only one can hold." in answer.json["detail"]
    assert path.rpartition("&")[2].partition("=")[0] in answer.json["detail"]


def test_where_several_are_meant_a_parameter_may_stand_several_times(api):
    assert api.ask("/v1/work?status=dead&status=retry").status == 200


@pytest.mark.promise("find Q2")
@pytest.mark.parametrize("cursor", ["x", "0" * 25, "0" * 27, "U" * 26, "1%20OR%201=1"])
def test_a_cursor_that_no_page_ended_with_is_refused(api, cursor):
    answer = api.ask(f"/v1/snapshots?before={cursor}")
    assert answer.status == 422
    assert "before" in answer.json["detail"]
    assert api.ask("/v1/snapshots?before=").status == 200


@pytest.mark.promise("find Q2")
@pytest.mark.parametrize(
    ("said", "ends"),
    [
        ("2199-11-21", "2199-11-20T15:00:00Z"),
        ("2199-11-21T18:00", "2199-11-21T09:00:00Z"),
        ("2199-11-21T18:00:00Z", "2199-11-21T18:00:00Z"),
        ("2199-11-21T18:00:00+01:00", "2199-11-21T17:00:00Z"),
    ],
)
def test_a_key_ends_at_a_time_of_the_configured_zone(api, said, ends):
    key = api.post("/v1/keys", {"name": "house", "scopes": ["read"], "expires_at": said})
    assert (key.status, key.json["expires_at"]) == (201, ends)


@pytest.mark.parametrize(
    "said", [1_800_000_000, 1.5, True, "tomorrow", "2026-13-01", ["2199-01-01"]]
)
def test_what_is_no_time_does_not_end_a_key(api, said):
    key = api.post("/v1/keys", {"name": "house", "scopes": ["read"], "expires_at": said})
    assert key.status == 422
    assert "write a date" in key.json["detail"]


def test_a_change_with_an_unknown_parameter_changes_nothing(api):
    answer = api.post("/v1/cameras/porch/snapshots?idempotency_key=x")
    assert answer.status == 422
    assert api.context.journal.read.latest_events(1, topic="snapshot.requested") == []


@pytest.mark.promise("find Q2")
def test_a_date_without_zone_is_a_day_of_the_configured_zone(api):
    moments = {
        "before": datetime(2026, 11, 20, 14, 59, tzinfo=UTC),
        "begin": datetime(2026, 11, 20, 15, 0, tzinfo=UTC),
        "end": datetime(2026, 11, 21, 14, 59, tzinfo=UTC),
        "after": datetime(2026, 11, 21, 15, 0, tzinfo=UTC),
    }
    for name, moment in moments.items():
        api.take(name=name, captured_at=moment)

    def names(query: str) -> list[str]:
        return [each["name"] for each in api.ask(f"/v1/snapshots?{query}").json["snapshots"]]

    assert names("since=2026-11-21&until=2026-11-22") == ["end", "begin"]
    assert names("since=2026-11-21T23:59&until=2026-11-23") == ["after", "end"]
    assert names("until=2026-11-20T15:00:00Z") == ["before"]
    assert names("until=2026-11-21T00:00:00%2B09:00") == ["before"]
    first = api.ask("/v1/snapshots?since=2026-11-21&until=2026-11-22&limit=1").json
    more = f"since=2026-11-21&until=2026-11-22&limit=1&before={first['next']}"
    assert names(more) == ["begin"]


@pytest.mark.promise("find L1")
@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
@pytest.mark.parametrize("name", ["since", "until"])
def test_a_time_out_of_range_is_refused_and_no_error_of_ours(api, name, text):
    answer = api.ask(f"/v1/snapshots?{name}={quote(text)}")
    assert (answer.status, answer.headers["content-type"]) == (422, "application/problem+json")
    assert "the year from 1900 to 2199" in answer.json["detail"]


@pytest.mark.promise("find Q2")
def test_what_is_no_time_is_answered_with_an_example(api):
    answer = api.ask("/v1/snapshots?since=yesterday")
    assert answer.status == 422
    assert "write a date, or a date and time, such as 2026-11-21" in answer.json["detail"]
