"""The HTTP doors as they should be used: each way brings the picture, once, and says so."""

from __future__ import annotations

import base64
import hashlib
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.access import Access, Actor
from tests.support.fakes import eventually
from tests.support.httpdoor import KINDS, Doors, http_doors, request, snapshot_id
from tests.support.making import picture
from tests.support.pictures import jpeg, png


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    with http_doors(tmp_path_factory.mktemp("doors")) as doors:
        yield doors


@pytest.mark.promise("feat C8", "feat C9", "feat C13", "inv I1")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "data", [jpeg(), png(), picture(3) + bytes(900_000)], ids=["jpeg", "png", "large"]
)
def test_each_way_brings_a_picture(tmp_path: Path, kind: str, data: bytes):
    with http_doors(tmp_path) as doors:
        answer = doors.send(kind, data)
        assert answer.status == (202 if kind == "form" else 201), answer.body
        (row,) = doors.rows()
        assert snapshot_id(answer) == row.id
        assert (row.camera, row.door, row.size) == ("porch", "http", len(data))
        assert doors.api.context.store.read(row.sha256) == data
        assert [event.topic for event in doors.api.announced] == ["snapshot.taken"]
        assert not list(doors.api.context.store.incoming.iterdir())


def test_the_answer_of_a_raw_picture(running: Doors):
    answer = running.send("put", picture(100))
    found = answer.json
    assert found == {
        "id": found["id"], "url": f"/v1/snapshots/{found['id']}", "duplicate": False
    }  # fmt: skip
    assert answer.headers["location"] == found["url"]
    again = running.send("put", picture(100))
    assert (again.status, again.json) == (201, found | {"duplicate": True})


@pytest.mark.promise("feat C13")
def test_the_answer_of_a_capture_is_that_of_the_document(running: Doors):
    answer = running.send("capture", picture(101))
    assert answer.json == {
        "record_id": snapshot_id(answer), "status": "uploaded", "evaluation_status": "pending"
    }  # fmt: skip


@pytest.mark.promise("feat C13")
def test_a_capture_says_when_and_why(running: Doors):
    def body(**more: object) -> object:
        image = base64.b64encode(picture(102)).decode()
        return {"device_id": "PORCH", "image_base64": image, **more}

    told = {
        "captured_at": "2025-11-09T14:05:30.123Z", "trigger_id": "sched_PORCH_20251109_140530",
        "trigger_label": "scheduled_interval", "metadata": {"device_version": "2.0.0"},
    }  # fmt: skip
    answer = running.api.post("/v1/captures", body(**told), **running.headers())
    row = running.api.context.journal.read.snapshot(answer.json["record_id"])
    assert row and row.captured_at == datetime(2025, 11, 9, 14, 5, 30, 123_000, UTC)
    assert row.captured_by == "sender"
    taken = running.api.context.journal.read.story(row.id)[0].event
    assert taken.data["trigger"] == "timer"
    assert taken.data["metadata"] == {
        "device_version": "2.0.0", "trigger_id": told["trigger_id"],
        "trigger_label": "scheduled_interval",
    }  # fmt: skip
    again = running.api.post("/v1/captures", body(**told), **running.headers())
    assert again.json == answer.json


@pytest.mark.promise("feat B18")
@pytest.mark.parametrize(
    ("path", "by", "at"),
    [
        ("snapshots/snapshot_20251109_140530.jpg", "name", "2025-11-09T14:05:30"),
        ("snapshots/2025-11-09/001/jpg/14/05/30[M][0@0][0].jpg", "name", "2025-11-09T14:05:30"),
        ("snapshots/x.jpg?captured_at=2025-11-09T14:05:30Z", "sender", "2025-11-09T14:05:30"),
        ("snapshots/x.jpg?captured_at=2025-11-09T15:05:30+01:00", "sender", "2025-11-09T14:05:30"),
        ("snapshots?captured_at=2025-11-09T14:05:30", "sender", "2025-11-09T14:05:30"),
        ("snapshots/snapshot_20251109_140530.jpg?captured_at=1970-01-01", "arrival", "20"),
        ("snapshots?captured_at=2400-01-01", "arrival", "20"),
    ],
)
def test_the_time_is_that_of_sender_or_name(tmp_path: Path, path: str, by: str, at: str):
    cameras = {"porch": {"http": {"timezone": "UTC"}}}
    with http_doors(tmp_path, {"cameras": cameras}) as doors:
        method = "PUT" if "/" in path else "POST"
        url = f"/v1/cameras/porch/{path}"
        answer = doors.api.ask(url, method, picture(1), **doors.headers())
        assert answer.status == 201, answer.body
        (row,) = doors.rows()
        assert row.captured_by == by and row.captured_at.isoformat().startswith(at)


def test_a_name_is_data_and_never_a_path(running: Doors):
    names = ("../../etc/passwd", "%2e%2e%2fx", "a/b/../../c", "%00x", "%c3%a4%20%ff", "x" * 300)
    for name in names:
        answer = running.api.ask(
            f"/v1/cameras/porch/snapshots/{name}", "PUT", picture(110), **running.headers()
        )
        assert answer.status == (400 if "%00" in name else 201)
    assert running.rows()[0].name == "x" * 255
    root = running.api.context.store.root
    assert {
        path.name for path in root.parent.rglob("*") if path.name in ("c", "passwd", "x")
    } == set()


@pytest.mark.promise("fault H6")
@pytest.mark.parametrize("kind", KINDS)
def test_a_key_is_one_picture(tmp_path: Path, kind: str):
    with http_doors(tmp_path) as doors:
        first = doors.send(kind, picture(1), Idempotency_Key="k")
        again = doors.send(kind, picture(1), Idempotency_Key="k")
        assert snapshot_id(first) == snapshot_id(again) and again.status == first.status
        other = doors.send(kind, picture(2), Idempotency_Key="k")
        assert (other.status, other.json["type"]) == (422, "urn:snapbus:problem:key-reused")
        assert first.status < 300 and snapshot_id(first) in other.json["detail"]
        elsewhere = doors.send(kind, picture(2), "yard", Idempotency_Key="k")
        assert elsewhere.status == first.status
        assert sorted(row.camera for row in doors.rows()) == ["porch", "yard"]
        # Nothing of the refused one is left, not even its bytes.
        assert len(list(doors.api.context.store.blobs())) == 2
        assert len(doors.api.announced) == 2


@pytest.mark.promise("fault H6")
def test_of_two_with_one_key_at_the_same_time_one_is_refused(tmp_path: Path):
    with http_doors(tmp_path) as doors:
        links = [doors.link(), doors.link()]
        for number, link in enumerate(links):
            data = picture(number)
            length = b"Content-Length: %d" % len(data)
            link.sendall(doors.head("put", length, b"Idempotency-Key: k") + data[:-1])
        for number, link in enumerate(links):
            link.sendall(picture(number)[-1:])
        codes = sorted(link.recv(65_536).split(b" ")[1] for link in links)
        for link in links:
            link.close()
        assert codes == [b"201", b"422"]
        assert len(doors.rows()) == 1


@pytest.mark.promise("feat C8", "feat C11")
def test_who_sends_a_form_waits_for_the_result(tmp_path: Path):
    with http_doors(tmp_path, {"api": {"doors": {"result_s": 20}}}) as doors:
        answers = []
        sender = threading.Thread(target=lambda: answers.append(doors.send("form", jpeg())))
        sender.start()
        eventually(lambda: doors.api.announced)
        person = {"label": "person", "confidence": 0.9, "box": (0, 0, 1, 1)}
        doors.api.analyze(doors.api.announced[0], person, person)
        sender.join(20)
        (answer,) = answers
        row = doors.rows()[0]
        assert answer.status == 200
        assert answer.json["status"] == "success"
        result = answer.json["result"]
        assert {"timestamp", "filename", "analysis"} <= set(result)
        assert (result["filename"], result["analysis"]) == ("x.jpg", "2 person")
        assert result["timestamp"] == row.captured_at.isoformat()


@pytest.mark.promise("feat C8")
def test_a_form_whose_result_comes_late_is_told_where_it_will_be(tmp_path: Path):
    with http_doors(tmp_path) as doors:
        answer = doors.send("form", jpeg())
        link = answer.json["link"]
        assert answer.status == 202 and answer.headers["location"] == link
        assert doors.api.ask(link, **doors.headers()).status == 202
        assert doors.api.ask(link, **doors.headers("yard")).status == 404
        assert doors.api.ask(link).json == {"error": "Unauthorized"}
        taken = doors.api.announced[0]
        doors.api.analyze(taken, reason="no model")
        found = doors.api.ask(link, **doors.headers())
        assert (found.status, found.json["result"]["analysis"]) == (200, "not analysed: no model")
        assert doors.api.ask(link, **doors.headers("reads")).status == 200


@pytest.mark.promise("feat C9", "feat C10")
def test_the_refusals_of_the_document_are_to_the_letter(running: Doors):
    unknown = running.api.ask("/api/snapshots", "POST", b"", Authorization="Bearer wrong")
    nobody = running.api.ask("/api/snapshots", "POST", b"")
    for answer in (unknown, nobody):
        assert (answer.status, answer.json) == (401, {"error": "Unauthorized"})
    for body, kind in (
        (b"{}", "application/json"), (b"", "image/jpeg"), (jpeg(), "image/jpeg"),
        (b"", "multipart/form-data"), (b"", "multipart/form-data; boundary=x"),
        (b"--x--\r\n", "multipart/form-data; boundary=x"),
        (b'--x\r\nContent-Disposition: form-data; name="other"; filename="f"\r\n\r\nd\r\n--x--\r\n',
         "multipart/form-data; boundary=x"),
        (b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nd\r\n--x--\r\n',
         "multipart/form-data; boundary=x"),
    ):  # fmt: skip
        answer = running.api.ask(
            "/api/snapshots", "POST", body, **running.headers(), Content_Type=kind
        )
        assert (answer.status, answer.json) == (400, {"error": "No file provided"})
        assert answer.headers["content-type"] == "application/json"


def test_other_refusals_of_that_route_have_the_same_word(running: Doors):
    answer = running.send("form", b"<html>")
    assert (answer.status, answer.json["error"]) == (415, answer.json["detail"])


@pytest.mark.promise("sec B3", "inv I15")
@pytest.mark.parametrize("kind", KINDS)
def test_a_key_brings_pictures_of_its_camera_and_of_no_other(running: Doors, kind: str):
    before = len(running.rows())
    strangers = running.headers("yard")
    method, path, body, own = request(kind, picture(1), "porch")
    path += "?camera=porch" if kind == "form" else ""
    answer = running.api.ask(path, method, body, **own, **strangers)
    assert (answer.status, len(running.rows())) == (404, before)
    assert "porch" not in answer.body.decode()
    assert running.send(kind, picture(1), Authorization="").status == 401
    assert running.send(kind, picture(1), Authorization="Bearer snapbus_x_y").status == 401
    assert running.send(kind, picture(1), **running.headers("reads")).status == 403
    assert len(running.rows()) == before


def test_a_camera_that_is_gone_from_the_configuration_brings_nothing(tmp_path: Path):
    with http_doors(tmp_path) as doors:
        doors.api.context.cameras.replace({})
        assert [doors.send(kind, picture(1)).status for kind in KINDS] == [404] * 4


def test_a_key_that_is_revoked_brings_nothing_after_a_second(tmp_path: Path):
    with http_doors(tmp_path) as doors:
        assert doors.send("put", picture(1)).status == 201
        access = Access(doors.api.context.journal)
        (key,) = [each for each in access.keys.all() if each.name == "porch"]
        access.keys.revoke(key, Actor("t"))
        eventually(lambda: doors.send("put", picture(1)).status == 401)


def test_an_open_house_takes_pictures_of_anybody(tmp_path: Path):
    with http_doors(tmp_path, {"api": {"open": True}}) as doors:
        nobody = {"Authorization": ""}
        assert doors.send("put", picture(1), **nobody).status == 201
        assert doors.send("capture", picture(2), **nobody).status == 201
        assert doors.send("form", picture(3), **nobody).status == 422
        assert doors.send("form", picture(3)).status == 202
        seed = {"Authorization": "Bearer your-secret-token"}
        assert doors.send("put", picture(4), **seed).status == 201
        assert {row.camera for row in doors.rows()} == {"porch"}


def test_asking_a_camera_is_still_what_it_was(running: Doors):
    answer = running.api.post("/v1/cameras/porch/snapshots", {}, **running.headers())
    assert (answer.status, answer.json["title"]) == (403, "Not allowed")


def test_more_ports_serve_the_same(tmp_path: Path):
    with http_doors(tmp_path, {"api": {"more_ports": [0]}}) as doors:
        server = doors.api.service.sources[0]
        for port in server.ports:  # type: ignore[attr-defined]
            data = picture(port)
            with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
                link.sendall(doors.head("put", b"Content-Length: %d" % len(data)) + data)
                assert link.recv(100).startswith(b"HTTP/1.1 201")
        assert len(doors.rows()) == 2
        hashes = {hashlib.sha256(picture(port)).hexdigest() for port in server.ports}  # type: ignore[attr-defined]
        assert {row.sha256 for row in doors.rows()} == hashes
