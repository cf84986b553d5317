"""``--check`` of real programs, and what they doubt when they start."""

from __future__ import annotations

import resource
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.fakes import eventually
from tests.support.ports import free_port
from tests.support.system import ROOT, System


def test_the_doubt_is_in_the_log_as_well(tmp_path: Path):
    system = System(tmp_path, {"cameras": {"attic": {"place": "Attic"}}})
    with closing(system):
        system.start("ftp")
        assert "cameras.attic: has no door" in system.log("ftp")


def test_all_services_together_check_what_each_would_refuse(tmp_path: Path):
    config = tmp_path / "snapbus.yml"
    config.write_text("cameras: {porch: {ftp: {}}}")
    command = [sys.executable, "-m", "services.allinone", "--check"]
    fine = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    command += ["--config", str(config)]
    bad = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (fine.returncode, fine.stderr) == (0, "")
    assert fine.stdout == "config/snapbus.yml is fine: no cameras yet\n"
    assert bad.returncode == 2
    assert "cameras.porch.ftp.password: is missing" in bad.stderr


SERVICES = sorted(each.parent.name for each in (ROOT / "services").glob("*/__main__.py"))


@pytest.mark.promise("find T1")
@pytest.mark.parametrize("service", SERVICES)
def test_a_configuration_is_checked_within_a_second_of_the_processor(service: str):
    command = [sys.executable, "-m", f"services.{service}", "--check"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime < 1.0


@pytest.mark.promise("find T1")
@pytest.mark.parametrize("service", ["api", "ftp", "allinone"])
def test_each_program_checks_what_it_would_serve(tmp_path: Path, service: str):
    config = tmp_path / "snapbus.yml"
    section = "api" if service == "allinone" else service
    config.write_text(f"{section}: {{certificate: /no.pem, certificate_key: /no.pem}}\n")
    command = [sys.executable, "-m", f"services.{service}", "--check", "--config", str(config)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (2, "")
    assert f"{section}.certificate: /no.pem can't be read" in told.stderr


@pytest.mark.promise("find T1")
@pytest.mark.parametrize("service", ["legacy", "allinone"])
@pytest.mark.parametrize(
    ("section", "why"),
    [
        ("enabled: true", "legacy.url: is missing. Name the RabbitMQ"),
        ("enabled: true, url: 'http://house'", "legacy.url is no address of a RabbitMQ"),
        ("enabled: true, url: 'amqp://h', exchange: snapbus", "is that of broker.exchange"),
    ],
)
def test_what_legacy_would_refuse_is_told_by_the_check(
    tmp_path: Path, service: str, section: str, why: str
):
    config = tmp_path / "snapbus.yml"
    config.write_text(f"legacy: {{{section}}}\n")
    command = [sys.executable, "-m", f"services.{service}", "--check", "--config", str(config)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (2, "")
    assert why in told.stderr


@pytest.mark.promise("find T2")
def test_who_starts_snapbus_twice_hears_that_it_runs_and_where(tmp_path: Path):
    system = System(tmp_path, {})
    health = {"SNAPBUS__HEALTH__PORT": str(free_port())}
    with closing(system):
        system.start("scheduler", env=health, wait=False)
        lock = system.settings.data / "snapbus.db.lock"
        eventually(lambda: lock.exists() and lock.read_text())
        system.start("drive", env=health, wait=False)  # as a second one of the same
        assert system.wait("drive") == 2
        last = system.log("drive").splitlines()[-1]
        assert last.startswith(
            f"drive: Snapbus runs already on {tmp_path}/data: process {system.pid('scheduler')}, "
            f"its page is at http://localhost:{system.api_port}."
        )
