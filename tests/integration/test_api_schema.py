"""What /openapi.json says is what the API does: schemathesis asks whatever the description allows,
and much that it does not; a client that is generated from it works."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from services.api.examples import EXAMPLES
from shared.access import Access, Actor
from tests.support.api import CAR, PERSON, Api, running_api

JSON = {"Content_Type": "application/json"}
STREAM = "follow_events"  # it ends only when its client does


@contextmanager
def served(folder: Path, journal: str = "") -> Iterator[tuple[Api, str]]:
    """An API with something in it, and a key that may do everything."""
    tree: dict[str, Any] = {"api": {"open": False, "doors": {"result_s": 0.05}}}
    if journal:
        tree["journal"] = {"url": journal}
    with running_api(folder, tree) as api:
        access = Access(api.context.journal)
        _, key = access.keys.add("program", ["administer"], Actor("test"), rate=100_000)
        api.archive(api.analyze(api.take("porch"), PERSON, CAR))
        api.give_up("drive", api.analyze(api.take("street")), "it is away")
        yield api, key


def explored(api: Api, key: str, folder: Path, *options: str) -> None:
    """Let schemathesis run all its phases with all its checks."""
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{api.url}/openapi.json", "--no-color",
        "--checks", "all", "--header", f"Authorization: Bearer {key}", "--continue-on-failure",
        "--exclude-operation-id", STREAM, "--warnings", "off", "--request-timeout", "70",
        # A date may fit its pattern and not exist, as the 30th of February.
        "--exclude-checks", "positive_data_acceptance", *options,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]


@pytest.mark.promise("find Q1", "sec B12")
def test_no_question_finds_an_error_of_ours_or_an_answer_that_is_not_described(
    tmp_path: Path, postgres_url: str
):
    with served(tmp_path, postgres_url) as (api, key):
        explored(api, key, tmp_path, "--max-examples", "2", "--generation-deterministic")
        assert api.ask("/v1/labels", Authorization=f"Bearer {key}").status == 200


@pytest.mark.promise("find Q1", "sec B12")
def test_no_picture_finds_an_error_of_ours_either(tmp_path: Path, postgres_url: str):
    """With the key of a camera: the others may bring none."""
    with served(tmp_path, postgres_url) as (api, _key):
        access = Access(api.context.journal)
        _, key = access.keys.add(
            "porch", ["ingest"], Actor("test"), cameras=["porch"], rate=100_000
        )
        options = ("--max-examples", "4", "--generation-deterministic", "--include-tag", "doors")
        explored(api, key, tmp_path, *options)


@pytest.mark.prove
@pytest.mark.timeout(1_800)
@pytest.mark.promise("find Q1")
def test_many_questions_find_none_either(tmp_path: Path, database_url: str):
    with served(tmp_path, database_url) as (api, key):
        explored(api, key, tmp_path, "--max-examples", "100")


@pytest.fixture
def described(tmp_path: Path) -> Iterator[dict[str, Any]]:
    with served(tmp_path) as (api, _key):
        yield api.ask("/openapi.json").json


@pytest.mark.promise("find Q1")
def test_every_operation_has_a_readable_name_and_describes_its_errors(described):
    names = []
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            names.append(operation["operationId"])
            assert operation["operationId"].isidentifier()
            assert "v1" not in operation["operationId"]
            assert operation.get("description"), (path, method)
            for status, answer in operation["responses"].items():
                kinds = answer.get("content", {})
                if path.startswith("/api/") and status in ("400", "401"):
                    assert "application/json" in kinds  # as source document 000 has it
                elif int(status) >= 400:
                    assert answer == {"$ref": f"#/components/responses/Problem{status}"}
                elif status not in ("204", "303", "304"):
                    assert all(kind["schema"] for kind in kinds.values()), (path, method)
                    assert kinds, (path, method)
    assert len(set(names)) == len(names)
    assert "HTTPValidationError" not in described["components"]["schemas"]
    for answer in described["components"]["responses"].values():
        assert set(answer["content"]) == {"application/problem+json"}


@pytest.mark.promise("find Q1")
def test_pictures_are_binary_and_examples_fit_their_models(described):
    for path in ("snapshots/{snapshot_id}/picture", "cameras/{name}/latest.jpg"):
        content = described["paths"][f"/v1/{path}"]["get"]["responses"]["200"]["content"]
        assert content["image/jpeg"]["schema"] == {"type": "string", "format": "binary"}
    schemas = described["components"]["schemas"]
    for name, example in EXAMPLES.items():
        assert schemas[name]["examples"] == [example]
        whole = {"$ref": f"#/components/schemas/{name}", "components": described["components"]}
        jsonschema_rs.validator_for(whole).validate(example)


@pytest.mark.promise("find Q1")
def test_every_problem_is_one_of_the_described(described, tmp_path: Path):
    problem = {
        "$ref": "#/components/schemas/Problem",
        "components": described["components"],
    }
    checker = jsonschema_rs.validator_for(problem)
    with served(tmp_path / "other") as (api, key):
        bearer = f"Bearer {key}"
        for status, answer in {
            400: api.ask("/v1/snapshots?label=%00", Authorization=bearer),
            401: api.ask("/v1/snapshots"),
            403: api.post("/v1/work/replay", Authorization=bearer, Origin="http://evil.example"),
            404: api.ask("/v1/requests/x", Authorization=bearer),
            409: api.post("/v1/cameras/street/snapshots", Authorization=bearer),
            413: api.post("/v1/work/replay", b"x" * 70_000, Authorization=bearer, **JSON),
            415: api.post("/v1/work/replay", b"x", Content_Type="text/plain"),
            421: api.ask("/v1/snapshots", Host="cams.example.org"),
            422: api.ask("/v1/snapshots?limit=0", Authorization=bearer),
        }.items():
            assert (answer.status, answer.headers["content-type"]) == (
                status,
                "application/problem+json",
            )
            checker.validate(answer.json)


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800", "a\\\\\\u0000"])
def test_what_is_no_text_is_refused_before_it_reaches_the_database(tmp_path: Path, text: str):
    with served(tmp_path) as (api, key):
        body = b'{"service": "%s"}' % text.encode()
        headers = {"Authorization": f"Bearer {key}", **JSON}
        answer = api.post("/v1/work/replay", body, **headers)
        assert (answer.status, answer.json["type"]) == (400, "urn:snapbus:problem:no-text")
        fine = rb'{"service": "\\u0000 \u00e9"}'
        assert api.post("/v1/work/replay", fine, **headers).status == 200


def test_a_refused_method_is_told_all_that_the_address_takes(tmp_path: Path):
    with served(tmp_path) as (api, _key):
        assert api.ask("/v1/keys", "OPTIONS").headers["allow"] == "GET, POST"
        assert api.ask("/v1/session", "OPTIONS").headers["allow"] == "DELETE, GET, POST"
