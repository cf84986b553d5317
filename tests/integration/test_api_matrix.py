"""Every route for every kind of visitor: what is open to whom, and what exists for whom.

The routes are those of the app; the table below says again, in other words, what each needs.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from services.api.guard import Guard
from services.api.needs import declared
from services.api.server import HttpServer
from shared.access import Access, Actor
from shared.events import SnapshotRequested
from tests.support.api import CAR, PERSON, Api, running_api

WORD = "correct horse"
FETCH = {"url": "http://10.0.0.9/still"}
CAMERAS = {
    "porch": {"fetch": FETCH},
    "street": {"place": "Street", "fetch": FETCH},
    "gate": {"organisation": "other", "fetch": FETCH},
}
SNAPSHOT = "/v1/snapshots/{snapshot_id}"
LATEST = "/v1/cameras/{name}/latest.jpg"
NEEDED: Mapping[tuple[str, str], str] = {
    **dict.fromkeys(
        [
            ("GET", "/"), ("GET", "/docs"), ("GET", "/favicon.ico"), ("GET", "/openapi.json"),
            ("GET", "/snapshots/{snapshot_id}"), ("GET", "/system"), ("GET", "/static"),
            ("GET", "/access"), ("GET", "/v1/health/live"), ("GET", "/v1/session"),
            ("POST", "/v1/session"), ("POST", "/v1/session/first"),
            ("GET", "/v1/session/oidc"), ("GET", "/v1/session/oidc/callback"),
        ],
        "",
    ),
    **dict.fromkeys(
        [
            ("GET", "/v1/snapshots"), ("GET", SNAPSHOT), ("GET", "/v1/labels"),
            ("GET", f"{SNAPSHOT}/picture"), ("HEAD", f"{SNAPSHOT}/picture"),
            ("GET", f"{SNAPSHOT}/thumbnail"), ("HEAD", f"{SNAPSHOT}/thumbnail"),
            ("GET", "/v1/cameras"), ("GET", "/v1/events"), ("GET", "/v1/health"),
            ("GET", "/v1/work"), ("GET", "/metrics"), ("GET", "/health"),
            ("GET", "/v1/health/ready"), ("GET", "/v1/counts"),
            ("GET", LATEST), ("HEAD", LATEST),
        ],
        "read",
    ),
    ("GET", "/v1/requests/{event_id}"): "read request",
    ("POST", "/v1/cameras/{name}/snapshots"): "request",
    ("POST", "/v1/work/replay"): "operate",
    **dict.fromkeys(
        [
            ("PUT", "/v1/cameras/{name}/snapshots/{filename}"), ("POST", "/v1/captures"),
            ("POST", "/api/snapshots"),
        ],
        "ingest",
    ),
    ("GET", "/api/snapshots/{snapshot_id}"): "read ingest",
    **dict.fromkeys(
        [
            ("GET", "/v1/people"), ("POST", "/v1/people"), ("PATCH", "/v1/people/{name}"),
            ("DELETE", "/v1/people/{name}"), ("GET", "/v1/audit"), ("GET", "/v1/keys"),
            ("POST", "/v1/keys"), ("POST", "/v1/keys/{key_id}/rotate"),
            ("DELETE", "/v1/keys/{key_id}"),
        ],
        "administer",
    ),
    ("PUT", "/v1/session/password"): "any",
    ("DELETE", "/v1/session"): "any",
}  # fmt: skip
WHOLE_ONLY = {("GET", "/metrics")}
"""Refused to who sees a part only, whatever their rights."""
RIGHTS = {
    "nobody": "",
    "viewer": "read", "operator": "read request operate",
    "administrator": "read request operate administer",
    "viewer of street": "read", "administrator of other": "read request operate administer",
    "key read": "read", "key request": "request", "key ingest": "ingest",
    "key administer": "read request operate administer",
    "key read of street": "read", "key read of other": "read",
}  # fmt: skip


@dataclass
class House:
    """Two organisations on one API, and everybody who may ask."""

    api: Api
    headers: dict[str, dict[str, str]]
    snapshots: dict[str, str]
    requests: dict[str, str]

    @property
    def app(self) -> FastAPI:
        server = self.api.service.sources[0]
        assert isinstance(server, HttpServer) and isinstance(server._app, Guard)
        assert isinstance(server._app._app, FastAPI)
        return server._app._app

    def routes(self) -> set[tuple[str, str]]:
        found = set()
        for route, _needs in declared(self.app):
            path = str(route.path_format if isinstance(route, APIRoute) else route.path)  # type: ignore[attr-defined]
            found |= {(method, path) for method in getattr(route, "methods", None) or {"GET"}}
        return found

    def ask(self, who: str, method: str, path: str, camera: str = "porch") -> tuple[int, bytes]:
        """The status, and of the body what comes at once."""
        filled = path.format(
            snapshot_id=self.snapshots[camera], event_id=self.requests[camera],
            name=camera if "cameras" in path else "somebody", key_id="0000000000",
            filename="x.jpg",
        )  # fmt: skip
        link = http.client.HTTPConnection("127.0.0.1", self.api.port, timeout=20)
        sent = {"X-Forwarded-For": "198.51.100.1", **self.headers[who]}
        body = None
        if method in ("POST", "PUT", "PATCH"):
            body, sent["Content-Type"] = b"{}", "application/json"
        if path == "/static":
            filled = "/static/icon.svg"
        if path == "/v1/events":
            sent["Last-Event-ID"] = "start"
        with closing(link):
            link.request(method, filled, body, sent)
            answer = link.getresponse()
            if path == "/v1/events" and answer.status == 200:
                return 200, _frames(answer)
            return answer.status, answer.read()


def _frames(answer: http.client.HTTPResponse) -> bytes:
    """A stream until its greeting and all that was there before."""
    got = b""
    while line := answer.readline():
        got += line
        if b"for-the-end" in line:
            return got
    return got


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with furnished(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture
def untouched(tmp_path: Path) -> Iterator[House]:
    """One in which nobody tried anything yet."""
    with furnished(tmp_path) as house:
        yield house


@contextmanager
def furnished(folder: Path) -> Iterator[House]:
    tree: Any = {"api": {"open": False}, "cameras": CAMERAS}
    with running_api(folder, tree) as api:
        access, here, there = Access(api.context.journal), Actor("t"), Actor("t", "other")
        snapshots, requests = {}, {}
        for camera in CAMERAS:
            found = PERSON if camera == "street" else {**CAR, "label": f"label-{camera}"}
            taken = api.take(camera)
            api.give_up("drive", api.analyze(taken, found), f"{camera} is away")
            asked = SnapshotRequested(camera=camera, reason="manual", requested_by=f"by-{camera}")
            (request,) = api.context.record([asked.event(subject=camera, cause=f"x{camera}")])
            snapshots[camera], requests[camera] = str(taken.snapshot_id), request.id
        people = access.people
        for who, role, actor, cameras in (
            ("administrator", "administrator", here, None), ("viewer", "viewer", here, None),
            ("operator", "operator", here, None), ("viewer of street", "viewer", here, ["street"]),
            ("administrator of other", "administrator", there, None),
        ):  # fmt: skip
            people.add(who, role, actor, password=WORD, cameras=cameras)
        for camera in CAMERAS:  # something for every stream to end with
            tested = {"camera": camera, "reason": "manual", "requested_by": "for-the-end"}
            event = SnapshotRequested.model_validate(tested)
            api.context.record([event.event(subject=camera, cause=f"end{camera}")])
        headers: dict[str, dict[str, str]] = {"nobody": {}}
        for person in people.all():
            cookie = access.sessions.begin(person, Actor(person.name, person.organisation))
            headers[person.name] = {"Cookie": f"snapbus_session={cookie}"}
        for who, scope, actor, cameras in (
            ("key read", "read", here, None), ("key request", "request", here, None),
            ("key ingest", "ingest", here, ["porch"]), ("key administer", "administer", here, None),
            ("key read of street", "read", here, ["street"]),
            ("key read of other", "read", there, None),
        ):  # fmt: skip
            text = access.keys.add(who, [scope], actor, cameras=cameras)[1]
            headers[who] = {"Authorization": f"Bearer {text}"}
        yield House(api, headers, snapshots, requests)


@pytest.mark.promise("sec B1")
def test_every_route_says_what_it_needs_and_the_table_above_says_it_too(house: House):
    assert all(needs for _route, needs in declared(house.app))
    assert house.routes() == set(NEEDED)
    assert set(house.headers) == set(RIGHTS)


@pytest.mark.promise("find H1")
@pytest.mark.promise("sec B1")
@pytest.mark.promise("sec B2")
@pytest.mark.parametrize("who", RIGHTS)
def test_every_route_is_open_to_whom_it_should_be_and_to_nobody_else(house: House, who: str):
    wrong = {}
    has = set(RIGHTS[who].split())
    sees_a_part = "street" in who or "other" in who
    # Logging out comes last: it ends the session.
    for method, path in sorted(NEEDED, key=lambda each: (each[1] == "/v1/session", each)):
        need = NEEDED[method, path]
        allowed = not need or bool(has if need == "any" else has & set(need.split()))
        if (method, path) in WHOLE_ONLY and sees_a_part:
            allowed = False
        status, _ = house.ask(who, method, path)
        refused = 401 if who == "nobody" else 403
        if path == "/v1/session" and method == "POST":
            continue  # an empty login is refused for what it lacks
        if (status == refused) == allowed or status >= 500:
            wrong[method, path] = status
    assert wrong == {}


@pytest.mark.promise("sec B1", "sec B2")
def test_a_picture_needs_another_right_than_asking_for_one(untouched: House):
    path, kind = "/v1/cameras/porch/snapshots", {"Content_Type": "image/jpeg"}
    for who, own in untouched.headers.items():
        answer = untouched.api.ask(path, "POST", b"no picture", **kind, **own)
        assert answer.status == {"nobody": 401, "key ingest": 415}.get(who, 403), who


ELSEWHERE = {
    "administrator of other": ["porch", "street", "administrator of street"],
    "key read of other": ["porch", "street"],
    "administrator": ["gate", "administrator of other", "key read of other"],
    "operator": ["gate", "administrator of other"],
    "key administer": ["gate", "administrator of other"],
    "viewer of street": ["porch", "gate", "administrator"],
    "key read of street": ["porch", "gate", "administrator"],
}


@pytest.mark.promise("sec B3")
@pytest.mark.promise("sec B11")
@pytest.mark.promise("inv I15")
@pytest.mark.parametrize("who", ELSEWHERE)
def test_what_is_not_theirs_does_not_exist_for_them(house: House, who: str):
    access = Access(house.api.context.journal)
    if (person := access.people.get(who)) and not house.api.ask(
        "/v1/session", Cookie=house.headers[who]["Cookie"]
    ).json["name"]:
        cookie = access.sessions.begin(person, Actor(who, person.organisation))
        house.headers[who] = {"Cookie": f"snapbus_session={cookie}"}
    foreign = [name for name in ELSEWHERE[who] if name in CAMERAS]
    own = next(name for name in ("street", "gate") if name not in foreign)
    for method, path in sorted(NEEDED):
        need = NEEDED[method, path]
        if method not in ("GET", "HEAD") or path == "/openapi.json" or path == "/static":
            continue
        for name in foreign:
            status, body = house.ask(who, method, path, name)
            if "{" in path and path.startswith("/v1"):
                assert status == 404, (path, name)
                nothing = house.ask(who, method, path.replace("{", "").replace("}", ""), name)
                assert b"urn:snapbus:problem:no-such" in body or method == "HEAD"
                assert nothing[0] in (404, 422)
            elif path != "/metrics" or b"snapbus_" not in body:
                for secret in (*ELSEWHERE[who], house.snapshots[name], house.requests[name]):
                    assert secret.encode() not in body, (path, secret)
        if need == "read" and "{" in path:
            assert house.ask(who, method, path, own)[0] == 200, path
    assert house.ask(who, "POST", "/v1/cameras/{name}/snapshots", foreign[0])[0] in (403, 404)


@pytest.mark.promise("sec B11")
@pytest.mark.parametrize("who", ["viewer of street", "key read of other", "operator"])
def test_the_greeting_of_a_stream_tells_of_nothing_that_is_not_theirs(house: House, who: str):
    """Its id is that of an event they may see, whatever happened after that."""
    seen = {"viewer of street": "street", "key read of other": "gate"}.get(who)
    others = {"street": "porch", "gate": "street", None: "gate"}[seen]
    house.api.take(others)
    with house.api.stream("", 0, **house.headers[who]) as frames:
        event = house.api.context.journal.read.event(frames.greeting["id"])

    assert event and event.event.subject != others
    assert seen is None or event.event.subject == seen


@pytest.mark.promise("sec B3")
def test_counts_are_of_what_one_sees(untouched: House):
    def of(who: str) -> tuple[int, int, list[str], int]:
        health = json.loads(untouched.ask(who, "GET", "/v1/health")[1])
        plain = json.loads(untouched.ask(who, "GET", "/health")[1])
        labels = json.loads(untouched.ask(who, "GET", "/v1/labels")[1])
        return (
            sum(health["snapshots"].values()), health["lag"]["dead"], labels,
            plain["total_captures"],
        )  # fmt: skip

    assert of("key read") == (2, 2, ["label-porch", "person"], 2)
    assert of("key read of street") == (1, 1, ["person"], 1)
    assert of("key read of other") == (1, 1, ["label-gate"], 1)


@pytest.mark.promise("sec B3")
def test_an_organisation_changes_only_its_own(untouched: House):
    house = untouched
    access = Access(house.api.context.journal)
    key, _ = access.keys.add("theirs", ["read"], Actor("t", "other"))
    admin = house.headers["key administer"]

    for path, method, body in (
        ("/v1/people/administrator%20of%20other", "DELETE", None),
        ("/v1/people/administrator%20of%20other", "PATCH", {"role": "viewer"}),
        (f"/v1/keys/{key.id}", "DELETE", None),
        (f"/v1/keys/{key.id}/rotate", "POST", {}),
    ):
        assert house.api.ask(path, method, body, **admin).status == 404
    assert access.keys.get(key.id) == key
    before = house.api.context.journal.recovery.items(("dead",))
    (gate,) = [each for each in before if each.event.subject == "gate"]
    house.api.post("/v1/work/replay", {"event_id": gate.event.id}, **admin)
    (after,) = [
        each
        for each in house.api.context.journal.recovery.items(("dead",))
        if each.event.subject == "gate"
    ]
    assert after == gate
