"""Containers are locked up as tightly as they can be, and only the doors are open."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from shared.settings.environment import PREFIX, SEED_NAMES
from tests.repo.tree import ROOT, compose

SERVICES: dict[str, Any] = compose()["services"]


@pytest.mark.promise("feat K5")
@pytest.mark.promise("sec N1")
@pytest.mark.parametrize("name", SERVICES)
def test_a_container_may_do_nothing_it_does_not_need(name: str) -> None:
    service = SERVICES[name]

    assert service["user"] == "999:999"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    assert all("docker.sock" not in str(volume) for volume in service.get("volumes", []))


@pytest.mark.promise("feat K1")
@pytest.mark.promise("sec N1")
@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_limits_a_health_check_and_time_to_stop(name: str) -> None:
    service = SERVICES[name]

    assert all(service[limit] for limit in ("mem_limit", "pids_limit", "cpus"))
    assert all("noexec" in each and "size=" in each for each in service["tmpfs"])
    assert service["healthcheck"]["test"]
    assert service["restart"] == "unless-stopped"
    assert service["stop_grace_period"] == "30s"
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}


@pytest.mark.promise("feat B7")
@pytest.mark.promise("sec N1")
@pytest.mark.promise("sec M3")
def test_only_ftp_and_the_page_are_published() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert set(published) == {"ftp", "api"}
    assert [port.rpartition(":")[2] for port in published["ftp"]] == ["2121", "30000-30009"]
    assert published["ftp"][0] == "${SNAPBUS_BIND:-0.0.0.0}:${SNAPBUS_FTP_PORT:-21}:2121"
    assert [port.rpartition(":")[2] for port in published["api"]] == ["8080"]
    assert all("SNAPBUS_BIND" in port for ports in published.values() for port in ports)


@pytest.mark.promise("sec M3")
def test_broker_and_database_are_on_an_internal_network_only() -> None:
    assert compose()["networks"]["bus"] == {"internal": True}
    assert SERVICES["rabbitmq"]["networks"] == ["bus"]
    assert SERVICES["postgres"]["networks"] == ["bus"]


@pytest.mark.promise("sec N1")
def test_only_who_must_can_reach_the_outside() -> None:
    outside = {name for name, service in SERVICES.items() if "outside" in service["networks"]}

    assert outside == {"ftp", "camera", "api"}


@pytest.mark.promise("sec K1")
def test_passwords_come_as_files_and_never_in_the_environment() -> None:
    for name, service in SERVICES.items():
        for key, value in service.get("environment", {}).items():
            secret = any(word in key.lower() for word in ("password", "secret", "token", "url"))
            assert not secret or str(value).startswith("/run/secrets/"), f"{name}: {key}"


def test_only_what_is_fixed_inside_a_container_overrides_the_file() -> None:
    fixed = {
        key
        for each in SERVICES.values()
        for key in each.get("environment", {})
        if key.startswith(PREFIX)
    }

    assert fixed == {
        "SNAPBUS__API__PORT",
        "SNAPBUS__DATA",
        "SNAPBUS__FTP__PASSIVE_PORTS",
        "SNAPBUS__FTP__PORT",
        "SNAPBUS__HEALTH__PORT",
    }


def test_names_of_older_programs_reach_the_containers() -> None:
    ours = [each["environment"] for each in SERVICES.values() if "build" in each]

    assert all(env.get(name, "") is None for env in ours for name in SEED_NAMES)


def test_every_service_of_ours_has_the_time_zone_of_the_house() -> None:
    zones = {
        name: each["environment"].get("TZ") for name, each in SERVICES.items() if "build" in each
    }

    assert set(zones.values()) == {"${TZ:-UTC}"}


@pytest.mark.promise("sec K1")
def test_passwords_of_cameras_are_seen_only_by_services_that_meet_cameras() -> None:
    folder = "./secrets/cameras:/run/secrets/cameras:ro"
    mounted = {
        name: [volume for volume in each.get("volumes", ()) if "secrets" in volume]
        for name, each in SERVICES.items()
    }

    assert {name for name, volumes in mounted.items() if volumes} == {"ftp", "camera"}
    assert mounted["ftp"] == mounted["camera"] == [folder]
    for name, each in SERVICES.items():
        others = {"rabbitmq": ["rabbitmq_user"], "postgres": ["postgres_password"]}
        names = [one["source"] if isinstance(one, dict) else one for one in each["secrets"]]
        assert names == others.get(name, ["journal_url", "broker_url"])


def test_configure_makes_what_compose_insists_on_and_keeps_what_is_there(tmp_path: Path) -> None:
    for name in ("tasks/configure", ".env.example"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    configure = ["sh", str(tmp_path / "tasks" / "configure")]
    subprocess.run(configure, check=True, capture_output=True)
    first = {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    subprocess.run(configure, check=True, capture_output=True)

    assert {path: path.read_text() for path in first} == first
    assert "\nSNAPBUS_PREPARED=yes\n" in (tmp_path / ".env").read_text()
    assert compose()["x-prepared"].startswith("${SNAPBUS_PREPARED:?run ./taskw build, then")
    secrets = tmp_path / "secrets"
    for each in compose()["secrets"].values():
        assert (tmp_path / each["file"]).is_file()
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert (secrets / "cameras").stat().st_mode & 0o777 == 0o755

    (tmp_path / ".env").write_text("SNAPBUS_PORT=80")
    subprocess.run(configure, check=True, capture_output=True)
    lines = (tmp_path / ".env").read_text().splitlines()
    assert (lines[0], lines[-1]) == ("SNAPBUS_PORT=80", "SNAPBUS_PREPARED=yes")


@pytest.mark.parametrize("checkout", [0o700, 0o755])
def test_containers_may_read_the_configuration_of_a_checkout_that_is_closed(
    checkout: int, tmp_path: Path
) -> None:
    for name in ("tasks/configure", ".env.example", "config/snapbus.yml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    config = tmp_path / "config"
    config.chmod(0o700)
    (config / "snapbus.yml").chmod(0o600)
    tmp_path.chmod(checkout)
    subprocess.run(["sh", "tasks/configure"], cwd=tmp_path, check=True, capture_output=True)

    # Where others may enter the checkout, a file that its owner closed stays closed.
    modes = [path.stat().st_mode & 0o007 for path in (config, config / "snapbus.yml")]
    assert modes == ([0o5, 0o4] if checkout == 0o700 else [0, 0])


@pytest.mark.promise("feat K1")
def test_images_are_pinned_to_a_major_version() -> None:
    foreign = [each["image"] for each in SERVICES.values() if "build" not in each]

    assert foreign == ["rabbitmq:4-management", "postgres:17"]
