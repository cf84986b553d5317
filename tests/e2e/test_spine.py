"""One picture's life by every door, in both sizes: detected, announced, filed, and to be seen."""

from __future__ import annotations

import hashlib
import io
import stat
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support.amqp import Witness
from tests.support.fakes import eventually
from tests.support.ports import free_ports
from tests.support.postgres import PostgresServer
from tests.support.rabbit import RabbitServer
from tests.support.system import ROOT, SERVICES, System

MODEL = ROOT / "services/simulator/figures.onnx"


def picture(seed: int) -> bytes:
    """A small sound JPEG, different for each seed."""
    image = Image.effect_noise((320, 240), 40 + seed).convert("RGB")
    buffer = io.BytesIO()
    image.save(buffer, "JPEG")
    return buffer.getvalue()


def tree(simulator_port: int) -> dict[str, Any]:
    """Three cameras: one pushes, one is a Foscam, one writes into a folder."""
    return {
        "cameras": {
            "porch": {"ftp": {"password": "porch-pw"}},
            "gate": {
                "fetch": {
                    "kind": "foscam",
                    "url": f"http://127.0.0.1:{simulator_port}",
                    "username": "demo",
                    "password": "demo-gate",
                }
            },
        },
        "detector": {"engine": "auto", "model": str(MODEL)},
        "simulator": {"http_port": simulator_port, "ftp_every_s": 3600},
        "scheduler": {"reconcile_s": 0.5, "grace_s": 3},
    }


@pytest.fixture(scope="module")
def one_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """All services in one process; the tests share it, as its start takes longer than they do."""
    (port,) = free_ports(1)
    system = System(tmp_path_factory.mktemp("one"), tree(port))
    with closing(system):
        system.start("allinone")
        yield system


@pytest.fixture(scope="module")
def containers(
    tmp_path_factory: pytest.TempPathFactory, rabbit: RabbitServer, postgres: PostgresServer
) -> Iterator[System]:
    """One process per service, RabbitMQ and PostgreSQL: what Compose runs. Tests share them."""
    (port,) = free_ports(1)
    rabbit.start()
    postgres.start()
    vhost, database = rabbit.add_vhost(), postgres.add_database()
    where = {
        "journal": {"url": postgres.url(database)},
        "broker": {"url": rabbit.url(vhost)},
    }
    system = System(tmp_path_factory.mktemp("many"), tree(port) | where)
    with closing(system):
        system.start(*SERVICES)
        yield system
    rabbit.start()
    rabbit.remove_vhost(vhost)
    postgres.remove_database(database)


@pytest.fixture
def witness(containers: System) -> Iterator[Witness]:
    """Another program that hears every event."""
    url = containers.settings.broker.url
    assert url is not None
    with closing(Witness(url.get_secret_value())) as witness:
        yield witness


def curl(system: System, data: bytes, name: str) -> None:
    url = f"ftp://porch:porch-pw@127.0.0.1:{system.ftp_port}/{name}"
    subprocess.run(
        ["curl", "--silent", "--show-error", "--fail", "-T", "-", url],
        input=data,
        check=True,
        timeout=30,
    )


def lftp(system: System, data: bytes, name: str) -> None:
    file = system.folder / "upload.jpg"
    file.write_bytes(data)
    script = (
        "set net:max-retries 1; set ssl:verify-certificate no; "
        f"open -u porch,porch-pw -p {system.ftp_port} 127.0.0.1; "
        f"mkdir -p snap/today; put {file} -o snap/today/{name}; bye"
    )
    subprocess.run(["lftp", "-c", script], check=True, timeout=30)


def snapshot_of(system: System, sha256: str) -> dict[str, Any]:
    """The archived snapshot with these bytes, as the API tells it."""

    def find() -> dict[str, Any] | None:
        for one in system.get("/v1/snapshots?limit=50")["snapshots"]:
            if one["sha256"] == sha256 and one["state"] == "archived":
                return dict(one)
        return None

    found = eventually(find, timeout=60, message="the snapshot is archived")
    assert found
    return found


def archived_files(system: System) -> dict[str, Path]:
    """The files of the archive by their hash."""
    files = system.archive.glob("2*/*/*/*.jpg")
    return {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in files}


def all_archived(system: System) -> bool:
    """Whether nothing is on its way."""
    return set(system.get("/v1/health")["snapshots"]) <= {"archived"}


@pytest.mark.promise("feat B1", "feat B16", "feat D1", "feat F11")
def test_pictures_pushed_by_curl_and_lftp_are_announced_and_filed(
    containers: System, witness: Witness
):
    pictures = {"curl": picture(1), "lftp": picture(2)}

    curl(containers, pictures["curl"], "MDAlarm_20261120-101112.jpg")
    lftp(containers, pictures["lftp"], "b.jpg")

    for data in pictures.values():
        sha256 = hashlib.sha256(data).hexdigest()
        snapshot = snapshot_of(containers, sha256)
        for topic in ("snapshot.taken", "snapshot.analyzed", "snapshot.archived"):
            event = witness.wait_for(topic, snapshot["id"])
            assert event["specversion"] == "1.0"
            assert event["subject"] == "porch"
        assert archived_files(containers)[sha256].name.startswith("porch_")
    keys = {key for key, _event in witness.heard}
    assert {"snapshot.taken.porch", "snapshot.archived.porch"} <= keys


@pytest.mark.promise("feat A1", "feat A12", "feat G6")
def test_a_foscam_is_asked_over_the_api_and_its_picture_is_filed(
    containers: System, witness: Witness
):
    containers.start("simulator")

    status, answer = containers.post("/v1/cameras/gate/snapshots")

    assert status == 202, answer

    def taken() -> dict[str, Any] | None:
        for one in containers.get("/v1/snapshots?camera=gate")["snapshots"]:
            if one["state"] == "archived":
                return dict(one)
        return None

    snapshot = eventually(taken, timeout=60)
    assert snapshot
    event = witness.wait_for("snapshot.taken", snapshot["id"])
    assert event["data"]["door"] == "fetch"
    analyzed = witness.wait_for("snapshot.analyzed", snapshot["id"])
    assert analyzed["data"]["analyzed"], analyzed
    containers.kill("simulator")


@pytest.mark.promise("inv I18", "inv I6")
def test_restarting_any_process_loses_nothing(containers: System, rabbit: RabbitServer):
    eventually(lambda: all_archived(containers), timeout=60)
    before, sent = sorted(archived_files(containers)), []
    for number, name in enumerate(SERVICES):
        data = picture(10 + number)
        if name not in ("ftp", "api"):
            containers.kill(name)
        curl(containers, data, f"{name}.jpg")
        sent.append(hashlib.sha256(data).hexdigest())
        if name in ("ftp", "api"):
            containers.kill(name)
        containers.start(name)
    rabbit.restart()

    for sha256 in sent:
        snapshot_of(containers, sha256)
    assert sorted(archived_files(containers)) == sorted([*before, *sent])


@pytest.mark.promise("feat B16", "feat K16", "inv I6")
def test_one_process_does_it_all_and_finishes_after_a_crash(one_process: System):
    before, first, second = set(archived_files(one_process)), picture(30), picture(31)
    curl(one_process, first, "first.jpg")
    snapshot_of(one_process, hashlib.sha256(first).hexdigest())

    curl(one_process, second, "second.jpg")
    one_process.kill("allinone")
    one_process.start("allinone")

    snapshot_of(one_process, hashlib.sha256(second).hexdigest())
    assert len(set(archived_files(one_process)) - before) == 2


@pytest.mark.promise("find L3")
def test_what_is_kept_is_for_its_user_only_and_an_archive_for_people(one_process: System):
    data = picture(50)
    sha256 = hashlib.sha256(data).hexdigest()
    curl(one_process, data, "private.jpg")
    snapshot = snapshot_of(one_process, sha256)
    thumbnail = f"http://127.0.0.1:{one_process.api_port}/v1/snapshots/{snapshot['id']}/thumbnail"
    urllib.request.urlopen(thumbnail, timeout=30).read()

    root = one_process.settings.data
    archive = one_process.archive
    shown = {archive, *archive.glob("2*"), *archive.glob("2*/**/*")}
    private = {root, *root.rglob("*")} - shown - set(archive.glob(".*"))
    assert {one_process.store.path(sha256), root / "snapbus.db"} <= private
    assert any("thumbnail" in str(path) for path in private)
    for path in private:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    for path in shown:
        assert stat.S_IMODE(path.stat().st_mode) == (0o755 if path.is_dir() else 0o644), path


@pytest.mark.promise("feat B15", "inv I14")
def test_a_cut_upload_is_refused_and_leaves_nothing(one_process: System):
    before = one_process.get("/v1/snapshots?limit=50")["snapshots"]
    with pytest.raises(subprocess.CalledProcessError):
        curl(one_process, picture(40)[:-200], "cut.jpg")

    after = one_process.get("/v1/snapshots?limit=50")["snapshots"]
    assert [each["id"] for each in after] == [each["id"] for each in before]
    assert not list(one_process.store.incoming.glob("*.part"))
