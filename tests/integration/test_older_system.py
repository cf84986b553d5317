"""The whole .env and app.conf of snapshot-processor, beside a Snapbus that knows nothing else."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from contextlib import closing
from ftplib import FTP
from pathlib import Path

import pytest

from services.simulator.google.account import SimulatedGoogle
from shared.older.sources import read_env
from tests.support.camera_pictures import jpeg
from tests.support.cameras import FaultyCamera, answer, says
from tests.support.fakes import eventually
from tests.support.google import simulated_google
from tests.support.google_archive import log_in
from tests.support.peer import Peer
from tests.support.system import System

DATA = Path(__file__).parents[1] / "data/older"
ENV = read_env((DATA / "env").read_text())
FRONT = "Front Door Camera"
NOTIFY = "event.notify.snapshot.snapshot-processor"


@pytest.fixture
def google() -> Iterator[SimulatedGoogle]:
    with simulated_google() as simulated:
        yield simulated


@pytest.fixture
def system(tmp_path: Path, amqp_url: str, google: SimulatedGoogle) -> Iterator[System]:
    """All in one process, with the address of a camera that a test can have."""
    (tmp_path / "app.conf").write_text((DATA / "app.conf").read_text())
    with closing(System(tmp_path, {"legacy": {"networks": ["127.0.0.0/8"]}})) as system:
        log_in(google, system.settings.data, to="snapshot_processor_creds")
        # Only the port and virtual host of the test's RabbitMQ, and its Google, have no older name.
        ours = {"SNAPBUS__LEGACY__URL": amqp_url, "SNAPBUS__DRIVE__GOOGLE__API": google.url}
        system.start("allinone", env={**ENV, **ours})
        yield system


@pytest.mark.promise("find D10", "feat D2", "feat D5", "feat F2", "feat B3", "feat B4", "feat D8")
def test_it_gives_the_system_that_it_describes(
    system: System, amqp_url: str, google: SimulatedGoogle
) -> None:
    camera = FaultyCamera({"/cgi-bin/CGIProxy.fcgi": says(answer(jpeg(1)))})
    with camera, closing(Peer(amqp_url)) as peer:
        heartbeat = peer.wait_for("event.heartbeat.snapshot").body
        told = {"front": FRONT, "garage": "Garage Camera", "yard": "Back Yard Camera"}
        assert [each["device_key"] for each in heartbeat["inputs"]] == list(told.values())[:2]
        assert [each["device_key"] for each in heartbeat["outputs"]] == list(told.values())

        asked = peer.trigger(FRONT, f"admin:p@w:d@127.0.0.1:{camera.port}")
        fetched = peer.wait_for(f"{NOTIFY}.image", {"image_timestamp": str(asked)}).device
        assert fetched["image"] == jpeg(1)

        with closing(FTP(timeout=20)) as ftp:
            ftp.connect("127.0.0.1", system.ftp_port)
            ftp.login(ENV["FTP_USER"], ENV["FTP_PASS"])
            assert {"snapshots", "uploads"} <= set(ftp.nlst())
            ftp.cwd("uploads/snapshots/frontdoor")
            ftp.storbinary("STOR MDAlarm_20261121-220000.jpg", io.BytesIO(jpeg(2)))
        uploaded = peer.wait_for(NOTIFY, {"device_key": FRONT}).device
        assert uploaded["image"] == jpeg(2)
        assert uploaded["storage_path"] == (
            "/data/ftp/uploads/snapshots/frontdoor/MDAlarm_20261121-220000.jpg"
        )

    eventually(lambda: len(google.live()) == 2, timeout=30)
    assert all(path.startswith("/Snapshots/20") for path, _ in google.live())


@pytest.mark.promise("find D10")
def test_its_start_says_in_one_line_what_became_of_each_name(system: System) -> None:
    lines = [json.loads(line) for line in system.log("allinone").splitlines()]
    told = [each["event"] for each in lines if each.get("action") == "configuration"]

    golden = re.sub(r"\n", " ", (DATA / "report").read_text()).strip()
    assert golden in told
    assert not [each for each in lines if "canary" in str(each) or ENV["FTP_PASS"] in str(each)]
