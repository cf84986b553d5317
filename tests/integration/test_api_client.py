"""A client generated from /openapi.json works against the API it describes."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from shared.access import Access, Actor
from tests.support.api import PERSON, Api, running_api

CONFIG = """
package_name_override: snapbus_client
content_type_overrides:
  image/jpeg: application/octet-stream
  image/png: application/octet-stream
  text/event-stream: text/plain
post_hooks: []
"""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("api")
    with running_api(folder, {"api": {"open": False, "timezone": "Europe/Berlin"}}) as server:
        yield server


@pytest.fixture(scope="module")
def package(api: Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the generated client can be imported."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_bytes(api.ask("/openapi.json").body)
    (folder / "config.yml").write_text(CONFIG)
    done = subprocess.run(
        [
            sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning",
            "--path", "openapi.json", "--config", "config.yml", "--meta", "none",
            "--output-path", "snapbus_client",
        ],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    for name in [each for each in sys.modules if each.startswith("snapbus_client")]:
        del sys.modules[name]


class Client:
    """The generated operations by name; what they answer, parsed."""

    def __init__(self, url: str, key: str = "") -> None:
        self._url = url
        self._key = key

    def ask(self, name: str, *path: Any, **parameters: Any) -> Any:
        module = importlib.import_module("snapbus_client")
        operation = importlib.import_module(f"snapbus_client.api.{name}")
        options: dict[str, Any] = {"base_url": self._url, "raise_on_unexpected_status": True}
        if self._key:
            made = module.AuthenticatedClient(token=self._key, **options)
        else:
            made = module.Client(**options)
        with made as client:
            return operation.sync(*path, client=client, **parameters)


@pytest.fixture
def client(api: Api, package: Path) -> Client:
    _, key = Access(api.context.journal).keys.add("program", ["administer"], Actor("test"))
    return Client(api.url, key)


def model(name: str) -> Any:
    return getattr(importlib.import_module("snapbus_client.models"), name)


@pytest.mark.promise("find Q1")
def test_it_reads_snapshots_cameras_counts_and_pictures(api: Api, client: Client):
    taken = api.take("porch")
    api.archive(api.analyze(taken, PERSON))

    found = client.ask("snapshots.list_snapshots", camera="porch", since="2020-01-01")
    assert [each.id for each in found.snapshots] == [taken.snapshot_id]
    assert found.snapshots[0].detections[0].label == "person"
    story = client.ask("snapshots.get_snapshot", taken.snapshot_id)
    assert story.story[0].topic == "snapshot.taken"
    counts = client.ask("snapshots.count_snapshots", by=model("CountsBy")("day"))
    assert counts.counts[0].labels["person"] == 1
    (camera, _) = client.ask("cameras.list_cameras")
    assert camera.last_snapshot.id == taken.snapshot_id
    assert client.ask("health.get_health").snapshots["archived"] == 1
    latest = client.ask("cameras.get_latest_picture", "porch")
    assert Image.open(latest.payload).format == "JPEG"
    thumbnail = client.ask("snapshots.get_thumbnail", taken.snapshot_id)
    assert Image.open(thumbnail.payload).width <= 480


@pytest.mark.promise("find Q1")
def test_it_asks_for_a_picture_and_manages_keys(api: Api, client: Client):
    accepted = client.ask("cameras.request_snapshot", "porch", idempotency_key="once")
    assert client.ask("cameras.get_request", accepted.id).state == "waiting"
    new = model("NewKey")(name="reader", scopes=[model("NewKeyScopesItem")("read")])
    made = client.ask("access.make_key", body=new)
    reader = Client(api.url, made.key)
    assert isinstance(reader.ask("snapshots.list_labels"), list)
    assert client.ask("access.revoke_key", made.id) is None
    assert reader.ask("snapshots.list_labels").status == 401


@pytest.mark.promise("find Q1")
def test_every_refusal_is_a_problem_that_it_can_read(api: Api, client: Client):
    stranger = Client(api.url)
    for name, problem in {
        "login-required": stranger.ask("snapshots.list_snapshots"),
        "no-such-snapshot": client.ask("snapshots.get_snapshot", "0" * 26),
        "invalid-request": client.ask("snapshots.list_snapshots", limit=1_000),
        "camera-cannot-be-asked": client.ask("cameras.request_snapshot", "street"),
        "no-picture": client.ask("cameras.get_latest_picture", "street"),
        "window-too-wide": client.ask("snapshots.count_snapshots", since="1999-01-01"),
    }.items():
        assert isinstance(problem, model("Problem")), name
        assert problem.type_ == f"urn:snapbus:problem:{name}"
        assert problem.detail
    assert json.loads(api.ask("/openapi.json").body)["openapi"].startswith("3.1")
