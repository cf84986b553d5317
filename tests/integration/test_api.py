"""The API over real HTTP: the catalogue, stories, cameras, work, health and metrics."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.events import SnapshotRequested, now
from tests.support.api import CAR, PERSON, Api, running_api
from tests.support.fakes import eventually


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with running_api(tmp_path) as server:
        yield server


@pytest.mark.promise("feat I1")
def test_snapshots_are_listed_newest_first_with_state_and_detections(api):
    older = api.take("porch", name="a.jpg")
    newer = api.take("street")
    api.archive(api.analyze(older, CAR, PERSON))

    found = api.ask("/v1/snapshots").json

    assert [each["id"] for each in found["snapshots"]] == [newer.snapshot_id, older.snapshot_id]
    assert found["next"] is None
    first, second = found["snapshots"]
    assert (first["state"], first["detections"], first["analysis"]) == ("taken", [], None)
    assert (second["state"], second["place"]) == ("archived", "Front door")
    assert [each["label"] for each in second["detections"]] == ["person", "car"]
    assert second["archive"]["path"] == "2026/01/02/porch.jpg"
    assert second["urls"]["thumbnail"] == f"/v1/snapshots/{older.snapshot_id}/thumbnail"


def test_pages_follow_one_another_without_gap_or_repeat(api):
    taken = [api.take(name=f"{n}.jpg").snapshot_id for n in range(7)]

    seen, before = [], ""
    for _ in range(5):
        page = api.ask(f"/v1/snapshots?limit=3&before={before}").json
        seen += [each["id"] for each in page["snapshots"]]
        before = page["next"]
        if before is None:
            break

    assert seen == taken[::-1]


def test_a_full_last_page_promises_no_further_one(api):
    for n in range(3):
        api.take(name=f"{n}.jpg")

    assert api.ask("/v1/snapshots?limit=3").json["next"] is None


def test_filters_choose_by_camera_label_state_and_time(api):
    day = datetime(2026, 5, 1, 12, tzinfo=UTC)
    porch = api.take("porch", captured_at=day)
    street = api.take("street", captured_at=day + timedelta(days=1))
    api.analyze(porch, PERSON)
    api.give_up("detector", street, "no memory")

    def ids(query: str) -> list[str]:
        return [each["id"] for each in api.ask(f"/v1/snapshots?{query}").json["snapshots"]]

    assert ids("camera=porch") == [porch.snapshot_id]
    assert ids("label=person") == [porch.snapshot_id]
    assert ids("label=car") == []
    assert ids("state=analyzed") == [porch.snapshot_id]
    assert ids("state=dead") == [street.snapshot_id]
    assert ids("until=2026-05-02T00:00:00Z") == [porch.snapshot_id]
    assert ids("since=2026-05-02T00:00:00%2B02:00") == [street.snapshot_id]
    assert api.ask("/v1/labels").json == ["person"]


@pytest.mark.promise("find D13", "feat E6", "feat E8")
def test_people_and_labels_are_counted_and_found_by_their_numbers(api):
    nobody, one, two, blind = (api.take(name=f"{n}.jpg") for n in range(4))
    api.analyze(nobody, CAR, {**PERSON, "confidence": 0.79})
    api.analyze(one, PERSON, CAR, CAR)
    api.analyze(two, PERSON, PERSON)
    api.analyze(blind, reason="no model")

    def found(query: str) -> list[Any]:
        return [each["id"] for each in api.ask(f"/v1/snapshots?{query}").json["snapshots"]]

    shown = api.ask(f"/v1/snapshots/{one.snapshot_id}").json
    assert (shown["person_count"], shown["human_seen"]) == (1, True)
    assert shown["label_counts"] == {"person": 1, "car": 2}
    assert api.ask(f"/v1/snapshots/{blind.snapshot_id}").json["human_seen"] is None
    assert found("human_seen=true") == [two.snapshot_id, one.snapshot_id]
    assert found("human_seen=false") == [nobody.snapshot_id]
    assert found("persons=2") == [two.snapshot_id]
    assert found("human_seen=true&persons=2") == [two.snapshot_id]
    assert found("label=car&label_count=2") == [one.snapshot_id]
    assert api.ask("/v1/snapshots?human_seen=false&persons=2").status == 422
    (counted,) = api.ask("/v1/counts").json["counts"]
    assert counted["humans"] == 2


@pytest.mark.promise("feat J15")
def test_a_snapshot_tells_its_whole_story_with_times_since_it_was_taken(api):
    requested = SnapshotRequested(camera="porch", reason="interval").event(
        subject="porch", cause="tick"
    )
    api.context.record([requested])
    taken = api.take(cause=requested, door="fetch")
    api.archive(api.analyze(taken, PERSON, after_s=2), after_s=3)

    whole = api.ask(f"/v1/snapshots/{taken.snapshot_id}").json

    assert [each["topic"] for each in whole["story"]] == [
        "snapshot.requested",
        "snapshot.taken",
        "snapshot.analyzed",
        "snapshot.archived",
    ]
    titles = [each["title"] for each in whole["story"]]
    assert titles == ["Asked for", "Taken", "Analysed", "Filed"]
    before, *times = [each["since_taken_s"] for each in whole["story"]]
    assert before <= 0 and times == [0, 2, 5]
    assert whole["story"][1]["data"]["door"] == "fetch"
    assert whole["work"] == []


def test_not_analysed_says_why_and_is_not_nothing_found(api):
    blind, empty = api.take("porch"), api.take("street")
    api.analyze(blind, reason="no model: run task model")
    api.analyze(empty)

    first, second = api.ask("/v1/snapshots").json["snapshots"]

    assert first["analysis"]["analyzed"] is True
    assert second["analysis"]["analyzed"] is False
    assert second["analysis"]["reason"] == "no model: run task model"


def test_an_unreadable_result_of_another_program_hides_no_snapshot(api):
    taken = api.take()
    analyzed = api.analyze(api.take("street"))
    data = {"detections": [{"label": "x", "confidence": 7}]}
    broken = replace(analyzed, id="broken", snapshot_id=taken.snapshot_id, data=data)
    api.context.record([broken])

    found = api.ask("/v1/snapshots").json["snapshots"][1]

    assert found["analysis"] == {**found["analysis"], "analyzed": False}
    assert "can't be read" in found["analysis"]["reason"]


def test_dead_work_is_shown_with_its_reason_and_can_be_replayed(api):
    taken = api.take()
    other = api.take("street")
    api.context.journal.mark_published([taken.id, other.id])
    api.give_up("detector", taken, "the engine ran out of memory")
    api.give_up("drive", other, "no folder")

    story = api.ask(f"/v1/snapshots/{taken.snapshot_id}").json
    assert story["dead"] == ["detector"]
    assert story["work"][0]["error"] == "the engine ran out of memory"
    listed = api.ask("/v1/work?status=dead").json["work"]
    assert {(each["service"], each["camera"]) for each in listed} == {
        ("detector", "porch"),
        ("drive", "street"),
    }

    one = api.post("/v1/work/replay", {"snapshot_id": taken.snapshot_id})
    assert one.json == {"replayed": 1}
    assert api.ask(f"/v1/snapshots/{taken.snapshot_id}").json["dead"] == []
    assert [owed.event.id for owed in api.context.journal.recovery.due(10)] == [taken.id]
    assert api.post("/v1/work/replay", {"service": "drive"}).json == {"replayed": 1}
    assert api.post("/v1/work/replay").json == {"replayed": 0}


@pytest.mark.promise("feat F24")
def test_each_snapshot_lists_its_files_by_kind(api):
    taken = api.take(name="a.jpg")
    api.archive(api.analyze(taken, PERSON))
    damaged = api.take("street")
    api.reject(damaged)

    files = {
        each["kind"]: each for each in api.ask(f"/v1/snapshots/{taken.snapshot_id}").json["files"]
    }
    assert set(files) == {"snapshot", "picture", "thumbnail", "archive"}
    assert files["snapshot"]["size"] == taken.data["size"]
    assert (files["archive"]["archive"], files["archive"]["path"]) == (
        "folder", "2026/01/02/porch.jpg",
    )  # fmt: skip
    for kind in ("snapshot", "picture", "thumbnail"):
        answer = api.ask(files[kind]["url"])
        assert (answer.status, answer.headers["content-type"]) == (200, files[kind]["media_type"])
    left = api.ask(f"/v1/snapshots/{damaged.snapshot_id}").json["files"]
    assert [each["kind"] for each in left] == ["snapshot"]


@pytest.mark.promise("feat J3")
def test_the_three_figures_of_each_service_stand_in_health_and_metrics(api):
    figures = {"processed_count": 3, "error_count": 1, "avg_processing_time": 0.25}
    api.context.journal.report("detector", now(), {"ok": True, **figures})
    api.context.journal.report("drive", now(), {"ok": True, **figures, "processed_count": 7})

    def told() -> bool:  # what services say is remembered for a moment
        health = api.ask("/health").json
        return {name: health[name] for name in figures} == figures

    eventually(told)
    text = api.ask("/metrics").body.decode()
    assert re.search(r'^processed_count\{instance="[^"]+",service="drive"\} 7.0$', text, re.M)
    assert re.search(r'^avg_processing_time\{.*service="detector"\} 0.25$', text, re.M)


@pytest.mark.promise("feat J1", "feat C12")
def test_short_health_counts_and_says_when_all_is_well_and_when_not(api):
    def short() -> dict[str, Any]:
        found: dict[str, Any] = api.ask("/health").json
        return found

    for part in ("api", "camera", "detector", "drive", "ftp", "scheduler"):
        api.context.journal.report(part, now(), {"ok": True, "summary": "fine"})
    assert short()["status"] == "healthy"
    first = short()
    assert (first["total_captures"], first["failed_uploads"], first["last_capture"]) == (0, 0, None)

    api.archive(api.analyze(api.take()))
    for camera in ("porch", "street"):
        api.give_up("drive", api.analyze(api.take(camera)), "no folder")
    api.give_up("detector", api.take(), "no memory")

    def counted() -> bool:  # counts are remembered for a moment
        told = short()
        assert (told["total_captures"], told["total_uploads"]) == (4, 1)
        return (told["failed_uploads"], told["status"]) == (2, "degraded")

    eventually(counted)
    assert datetime.fromisoformat(short()["last_capture"]) <= now()
    eventually(lambda: short()["uptime_seconds"] > 0)


@pytest.mark.promise("feat J1")
def test_health_tells_what_runs_and_what_is_wrong(api):
    started = now()
    api.context.journal.report("api", started, {"ok": True, "summary": "fine"})
    api.context.journal.report("detector", started, {"ok": False, "summary": "no model"})
    api.archive(api.analyze(api.take()))

    health = api.ask("/v1/health").json

    assert health["status"] == "degraded"
    by_name = {part["service"]: part for part in health["parts"]}
    assert by_name["api"]["up"] and not by_name["drive"]["up"]
    assert "detector: no model" in health["problems"]
    assert health["snapshots"] == {"archived": 1}
    assert health["space"]["total"] > 0
    short = api.ask("/health").json
    assert (short["total_captures"], short["total_uploads"], short["failed_uploads"]) == (1, 1, 0)
    assert short["last_capture"] and short["uptime_seconds"] >= 0
    assert api.ask("/v1/health/live").status == api.ask("/v1/health/ready").status == 200


def test_what_is_gone_is_missed_only_while_it_should_run(api, monkeypatch):
    for name in ("drive", "simulator", "drive-sold"):
        api.context.journal.report(name, now(), {"ok": True, "summary": "fine"})
    monkeypatch.setattr("socket.gethostname", lambda: "a-copy-that-came-later")
    api.context.journal.report("drive", now(), {"ok": True, "summary": "newer"})
    known = {part["service"] for part in api.ask("/v1/health").json["parts"]}
    assert {"drive", "simulator", "drive-sold"} <= known

    monkeypatch.setattr("services.api.state.UP_WITHIN", timedelta(0))

    health = api.ask("/v1/health").json
    assert not [part for part in health["parts"] if part["service"] in ("simulator", "drive-sold")]
    drives = [each for each in health["problems"] if "drive" in each]
    assert drives == ["drive is down: newer"], "of several copies the last one"
    assert not [each for each in health["problems"] if "simulator" in each]


@pytest.mark.promise("fault P5")
def test_events_that_no_broker_takes_are_told_as_a_problem(tmp_path):
    with running_api(tmp_path, {"health": {"stuck_s": 1}}) as api:
        api.take()
        told = "1 events not published for longer than 1 s"
        health = eventually(
            lambda: told in (it := api.ask("/v1/health").json)["problems"] and it, message=told
        )
    assert health["status"] == "stuck"


@pytest.mark.promise("feat J2", "feat J15")
def test_metrics_count_snapshots_and_measure_the_stages(api):
    api.archive(api.analyze(api.take(), after_s=2), after_s=3)
    api.give_up("detector", api.take("street"), "broken")

    def text() -> str:
        return api.ask("/metrics").body.decode()

    eventually(lambda: 'snapbus_stage_seconds_count{stage="total"} 1.0' in text())
    lines = text().splitlines()
    assert 'snapbus_snapshots{camera="porch",state="archived"} 1.0' in lines
    assert 'snapbus_events_total{topic="snapshot.archived"} 1.0' in lines
    for stage, seconds in (("taken_to_analyzed", 2.0), ("analyzed_to_end", 3.0), ("total", 5.0)):
        assert f'snapbus_stage_seconds_count{{stage="{stage}"}} 1.0' in lines
        assert f'snapbus_stage_seconds_sum{{stage="{stage}"}} {seconds}' in lines
    assert "snapbus_dead_work 1.0" in lines
    assert "snapbus_journal_up 1.0" in lines
    assert any(line.startswith("snapbus_unpublished_age_seconds ") for line in lines)


@pytest.mark.promise("feat H16")
def test_the_api_describes_itself_without_asking_another_server(api):
    spec = api.ask("/openapi.json").json
    assert "/v1/snapshots/{snapshot_id}" in spec["paths"]
    assert "/v1/events" in spec["paths"]
    page = api.ask("/docs")
    assert page.status == 200 and b"https://" not in page.body
    version = api.ask("/", Accept="application/json").json
    assert version["name"] == "Snapbus" and version["version"]


def test_the_service_says_how_it_is(api):
    about = api.service.about()
    assert about["ok"] is True
    assert str(api.port) in about["summary"]
