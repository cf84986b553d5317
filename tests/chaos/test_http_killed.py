"""Killed at each step of a picture by HTTP: what its sender was told, what is there, what the same
request gets again."""

from __future__ import annotations

import hashlib
import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from typing import Any

import pytest

from shared.store.part import BUFFER_BYTES
from tests.chaos.nursery import Forked, Nursery
from tests.support.httpdoor import KINDS, request
from tests.support.making import picture

NUMBERS = count()
BEFORE_THE_COMMIT = (
    "store.before_open:1",
    "store.before_chunk:2",
    "store.after_chunk:2",
    "store.before_sync:1",
    "store.after_sync:1",
    "store.before_link:1",
    "store.after_link:1",
    "store.after_folder_sync:1",
    "intake.stored:1",
    "intake.before_record:1",
    "journal.between_row_and_event:1",
)
AFTER_THE_COMMIT = ("intake.after_record:1", "http.finished:1", "http.before_answer:1")
FEW = ("journal.between_row_and_event:1", "http.before_answer:1")


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forked]:
    tree = {"cameras": {"porch": {"http": {}}}, "api": {"doors": {"result_s": 0.05}}}
    with (
        closing(Nursery()) as nursery,
        closing(Forked(tmp_path_factory.mktemp("killed"), tree, nursery)) as system,
    ):
        yield system


def bring(system: Forked, kind: str, data: bytes, key: str) -> Any:
    """Bring a picture; the answer, None when there was none."""
    method, path, body, own = request(kind, data, "porch")
    path += "?camera=porch" if kind == "form" else ""
    headers = {name.replace("_", "-"): value for name, value in own.items()}
    with closing(http.client.HTTPConnection("127.0.0.1", system.api_port, timeout=20)) as link:
        try:
            link.request(method, path, body, headers | {"Idempotency-Key": key})
            answer = link.getresponse()
            assert answer.status in (201, 202), answer.read()
            return json.load(answer)
        except (OSError, http.client.HTTPException):
            return None


def snapshots(system: Forked, sha256: str) -> list[str]:
    """The ids of the snapshots with these bytes."""
    with closing(system.journal()) as journal:
        return [row.id for row in journal.read.snapshots(limit=500) if row.sha256 == sha256]


@pytest.mark.promise("fault H1", "inv I1", "inv I14")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "where",
    [
        each if each in FEW else pytest.param(each, marks=pytest.mark.prove)
        for each in (*BEFORE_THE_COMMIT, *AFTER_THE_COMMIT)
    ],
)
def test_killed_at_any_step_of_a_picture(system: Forked, kind: str, where: str):
    number = next(NUMBERS)
    data = picture(number)
    if "chunk" in where:  # larger than a buffer, so that it is written as it comes
        data += bytes(4 * BUFFER_BYTES)
    sha256 = hashlib.sha256(data).hexdigest()
    system.start("api", env={"FAILPOINT": f"{where}:kill"})
    assert bring(system, kind, data, f"{number}") is None
    assert system.wait("api") == -9
    kept = snapshots(system, sha256)
    assert len(kept) == (1 if where in AFTER_THE_COMMIT else 0)

    system.start("api", env={"FAILPOINT": ""})
    answers = [bring(system, kind, data, f"{number}") for _ in range(2)]
    system.kill("api")

    (snapshot,) = snapshots(system, sha256)
    assert {each.get("id") or each["record_id"] for each in answers} == {snapshot}
    assert [snapshot] == (kept or [snapshot])
    system.store.sweep(older_than_s=0)
    assert not list(system.store.incoming.iterdir())
