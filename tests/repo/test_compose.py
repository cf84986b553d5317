"""Containers are locked up as tightly as they can be, and only the doors are open."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.bus.accounts import HOME
from shared.bus.accounts import SERVICES as ACCOUNTS
from shared.older.names import CONTAINED, OURS, SECRET
from shared.older.sources import read_env
from shared.settings.environment import PREFIX
from tests.repo.tree import compose, read
from tests.support.house import Checkout

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
def test_only_ftp_and_the_page_are_published_and_mail_to_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    mail = published.pop("mail")
    assert set(published) == {"ftp", "api"}
    assert [port.rpartition(":")[2] for port in published["ftp"]] == ["2121", "30000-30009"]
    assert published["ftp"][0] == "${SNAPBUS_BIND:-0.0.0.0}:${SNAPBUS_FTP_PORT:-21}:2121"
    assert [port.rpartition(":")[2] for port in published["api"]] == ["8080"]
    assert all("SNAPBUS_BIND" in port for ports in published.values() for port in ports)
    assert [port.rpartition(":")[2] for port in mail] == ["2525", "2465"]
    assert all(port.startswith("${SNAPBUS_MAIL_BIND:-127.0.0.1}:") for port in mail)


@pytest.mark.promise("sec M3")
def test_broker_and_database_are_on_an_internal_network_only() -> None:
    assert compose()["networks"]["bus"] == {"internal": True}
    assert SERVICES["rabbitmq"]["networks"] == ["bus"]
    assert SERVICES["postgres"]["networks"] == ["bus"]


@pytest.mark.promise("sec N1")
def test_only_who_must_can_reach_the_outside() -> None:
    outside = {name for name, service in SERVICES.items() if "outside" in service["networks"]}

    assert outside == {"ftp", "mail", "camera", "drive", "api", "legacy", "rekognition"}


@pytest.mark.promise("sec A11")
def test_the_ftp_server_runs_alone_and_without_rights() -> None:
    ftp = SERVICES["ftp"]

    assert ftp["image"].startswith("${SNAPBUS_REGISTRY:-}snapbus-ftp:")
    assert (ftp["user"], ftp["cap_drop"], ftp["read_only"]) == ("999:999", ["ALL"], True)
    assert ftp["security_opt"] == ["no-new-privileges:true"]
    assert int(ftp["environment"]["SNAPBUS__FTP__PORT"]) > 1024
    program = re.search(r"^CMD (.+)$", read("services/ftp/Dockerfile"), re.MULTILINE)
    assert program and "services.ftp" in program[1]
    # Of the database it has an account that is no superuser: see test_database_account.py.
    script = "./config/postgres.sh:/docker-entrypoint-initdb.d/snapbus.sh:ro"
    assert script in SERVICES["postgres"]["volumes"]


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
        "SNAPBUS__MAIL__PORT",
        "SNAPBUS__MAIL__TLS_PORT",
    }


def test_names_of_older_programs_reach_the_containers() -> None:
    ours = [each["environment"] for each in SERVICES.values() if "build" in each]

    assert all(env.get(name, "") is None for env in ours for name in CONTAINED)
    assert not [name for env in ours for name in SECRET if name in env]


def test_variables_of_our_own_are_known_so_that_none_is_called_misspelt() -> None:
    files = ("docker-compose.yml", ".env.example", "config/broker-port.yml", "Taskfile.yml")
    named = set(re.findall(r"\bSNAPBUS_[A-Z]+(?:_[A-Z]+)*\b", "".join(map(read, files))))

    assert named - {"SNAPBUS_DEFAULT"} <= OURS


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

    assert {name for name, volumes in mounted.items() if volumes} == {"ftp", "mail", "camera"}
    assert mounted["ftp"] == mounted["mail"] == mounted["camera"] == [folder]


@pytest.mark.promise("sec K1", "sec M1")
def test_each_service_has_its_own_account_on_the_broker_and_sees_no_other() -> None:
    seen = {
        name: [
            (one, one) if isinstance(one, str) else (one["source"], one["target"]) for one in each
        ]
        for name, each in ((name, service["secrets"]) for name, service in SERVICES.items())
    }

    assert seen == {
        "rabbitmq": [("rabbitmq_definitions", "/etc/rabbitmq/definitions.json")],
        "postgres": [("postgres_password", "postgres_password")],
        **{
            name: [
                ("journal_url", "journal_url"),
                ("sentry_dsn", "sentry_dsn"),
                (f"broker_url_{name}", "broker_url"),
            ]
            for name in ACCOUNTS
        },
        "drive": [
            ("journal_url", "journal_url"),
            ("sentry_dsn", "sentry_dsn"),
            ("google_client", "google_client"),
            ("aws_access_key_id", "aws_access_key_id"),
            ("aws_secret_access_key", "aws_secret_access_key"),
            ("broker_url_drive", "broker_url"),
        ],
        "rekognition": [
            ("journal_url", "journal_url"),
            ("sentry_dsn", "sentry_dsn"),
            ("aws_access_key_id", "aws_access_key_id"),
            ("aws_secret_access_key", "aws_secret_access_key"),
            ("broker_url_rekognition", "broker_url"),
        ],
        "legacy": [
            ("journal_url", "journal_url"),
            ("sentry_dsn", "sentry_dsn"),
            ("legacy_url", "legacy_url"),
            ("broker_url_legacy", "broker_url"),
        ],
    }
    assert {name for name, each in SERVICES.items() if "build" in each} == set(ACCOUNTS)
    assert "load_definitions = /etc/rabbitmq/definitions.json" in read("config/rabbitmq.conf")


def test_configure_makes_what_compose_insists_on_and_keeps_what_is_there(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    checkout.configure()
    first = checkout.files()
    assert checkout.configure() == ""

    assert checkout.files() == first
    assert re.search(r"^SNAPBUS_ACCOUNTS=[0-9]+$", (tmp_path / ".env").read_text(), re.MULTILINE)
    assert compose()["x-prepared"].startswith("${SNAPBUS_ACCOUNTS:?run ./taskw build, then")
    assert SERVICES["rabbitmq"]["labels"] == {"accounts": "${SNAPBUS_ACCOUNTS}"}
    secrets = tmp_path / "secrets"
    for each in compose()["secrets"].values():
        assert (tmp_path / each["file"]).is_file()
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert (secrets / "cameras").stat().st_mode & 0o777 == 0o755

    (tmp_path / ".env").write_text("SNAPBUS_PORT=80\nSNAPBUS_PREPARED=yes\n")
    checkout.configure()
    lines = (tmp_path / ".env").read_text().splitlines()
    assert lines[0] == "SNAPBUS_PORT=80"
    assert [line.partition("=")[0] for line in lines[1:]] == ["SNAPBUS_ACCOUNTS"]


@pytest.mark.parametrize(
    ("profiles", "said"),
    [("legacy", "true"), ('"demo, legacy"', "true"), ("demo", "false"), ("nolegacy", "false")],
)
def test_the_api_is_told_whether_the_profile_runs_legacy(
    profiles: str, said: str, tmp_path: Path
) -> None:
    checkout = Checkout(tmp_path)
    before = "true" if said == "false" else ""
    (tmp_path / ".env").write_text(f"COMPOSE_PROFILES={profiles}\nSNAPBUS_LEGACY={before}\n")
    checkout.configure()
    assert checkout.configure() == ""

    for service in ("api", "scheduler"):
        told = SERVICES[service]["environment"]["SNAPBUS_DEFAULT__LEGACY__ENABLED"]
        assert told == "${SNAPBUS_LEGACY:-false}"
    assert (read_env((tmp_path / ".env").read_text()).get("SNAPBUS_LEGACY") or "false") == said


def test_an_env_is_replaced_whole_and_keeps_its_rights(tmp_path: Path) -> None:
    checkout, elsewhere = Checkout(tmp_path), tmp_path / "kept.env"
    elsewhere.write_text("RABBITMQ_EXCHANGE=house\n")
    elsewhere.chmod(0o640)
    (tmp_path / ".env").symlink_to(elsewhere)
    reader = elsewhere.open()  # sees what there was, whole, however long it takes
    checkout.configure()

    with reader:
        assert reader.read() == "RABBITMQ_EXCHANGE=house\n"
    assert (tmp_path / ".env").is_symlink()
    assert elsewhere.stat().st_mode & 0o777 == 0o640
    lines = elsewhere.read_text().splitlines()
    names = ["RABBITMQ_EXCHANGE", "COMPOSE_PROFILES", "SNAPBUS_ACCOUNTS", "SNAPBUS_LEGACY"]
    assert [line.partition("=")[0] for line in lines] == names
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.promise("find D10")
def test_an_env_whose_last_line_has_no_end_gets_its_profile_on_a_line_of_its_own(
    tmp_path: Path,
) -> None:
    checkout = Checkout(tmp_path)
    (tmp_path / ".env").write_text("RABBITMQ_EXCHANGE=house\nRUN_FTP_SERVER=true")
    checkout.configure()

    env = read_env((tmp_path / ".env").read_text())
    assert (env["RUN_FTP_SERVER"], env["COMPOSE_PROFILES"]) == ("true", "legacy")


@pytest.mark.promise("find D10")
def test_configure_calls_nothing_understood_that_reaches_no_container(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    lost = {
        "HEALTH_CHECK_PORT": "8080", "LOCAL_STORAGE_PATH": "/srv", "DATABASE_URL": "sqlite:///x",
        "SYSLOG_ADDRESS": "udp://h:514", "INPUT_9_LOCATION": "Attic", "OUTPUT_10_LOCATION": "Hut",
        "OUTPUT_10_TYPE": "Camera",
    }  # fmt: skip
    kept = {"FTP_PASS": "x", "LOG_LEVEL": "info", "INPUT_8_LOCATION": "Hall"}
    lines = "".join(f"{name}={value}\n" for name, value in {**lost, **kept}.items())
    (tmp_path / ".env").write_text(lines)
    (tmp_path / "config/app.conf").write_text("[snapshots]\nroot_dir=/data\n")

    understood, _, ignored = checkout.configure().splitlines()[0].partition(". ignored: ")

    assert "understood: " in understood
    assert not [name for name in lost if name in understood]
    assert all(name in understood for name in (*kept, "app.conf [snapshots] root_dir"))
    assert all(name in ignored for name in lost)
    assert "HEALTH_CHECK_PORT (in containers: SNAPBUS_PORT in .env is" in ignored
    assert "INPUT_9_LOCATION, OUTPUT_10_LOCATION, OUTPUT_10_TYPE (in containers: " in ignored

    with (tmp_path / ".env").open("a") as env:
        env.write("COMPOSE_FILE=docker-compose.yml:config/syslog.yml\n")
    understood, _, ignored = checkout.configure().splitlines()[0].partition(". ignored: ")
    assert "SYSLOG_ADDRESS" in understood
    assert "HEALTH_CHECK_PORT" in ignored


@pytest.mark.promise("sec M1")
def test_every_account_has_a_password_of_its_own_and_only_its_hash_is_told_to_the_broker(
    tmp_path: Path,
) -> None:
    checkout = Checkout(tmp_path)
    checkout.configure()

    hashes = {each["name"]: each["password_hash"] for each in checkout.definitions["users"]}
    assert hashes.keys() == {*ACCOUNTS, HOME}
    passwords = {name: checkout.password(name) for name in hashes}
    assert all(len(each) == 48 for each in passwords.values())
    assert len(set(passwords.values())) == len(passwords)
    for name, each in hashes.items():
        raw = base64.b64decode(each)
        assert raw[4:] == hashlib.sha256(raw[:4] + passwords[name].encode()).digest()
    told = checkout.secret("rabbitmq_definitions.json")
    assert not [name for name, password in passwords.items() if password in told]


def test_what_changes_the_definitions_makes_the_brokers_container_anew(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    checkout.configure()
    before, users = checkout.env("SNAPBUS_ACCOUNTS"), checkout.definitions["users"]
    config = tmp_path / "config/snapbus.yml"
    config.write_text(config.read_text() + "\narchives: {nas: {folder: nas}}\n")

    checkout.configure()

    assert checkout.env("SNAPBUS_ACCOUNTS") != before
    assert checkout.definitions["users"] == users
    assert "drive-nas" in [each["name"] for each in checkout.definitions["queues"]]
    (drive,) = (each for each in checkout.definitions["permissions"] if each["user"] == "drive")
    assert re.fullmatch(drive["read"], "drive-nas")
    assert not re.fullmatch(drive["read"], "drive-other")


@pytest.mark.promise("sec M1")
def test_a_checkout_of_an_earlier_version_gets_accounts_and_its_shared_one_is_closed(
    tmp_path: Path,
) -> None:
    checkout = Checkout(tmp_path)
    old = {
        "postgres_password": "kept\n",
        "broker_url": "amqp://snapbus:old@rabbitmq/%2F\n",
        "rabbitmq_user.conf": "default_user = snapbus\ndefault_pass = old\n",
    }
    (tmp_path / "secrets").mkdir()
    for name, text in old.items():
        (tmp_path / "secrets" / name).write_text(text)

    told = checkout.configure()

    assert "each service has an account on RabbitMQ now; that of secrets/broker_url gets" in told
    assert {name: (tmp_path / "secrets" / name).read_text() for name in old} == old
    assert "kept" in checkout.secret("journal_url")
    (closed,) = (each for each in checkout.definitions["users"] if each["name"] == "snapbus")
    assert (closed["password_hash"], closed["tags"]) == ("", [])
    assert checkout.configure() == ""


@pytest.mark.parametrize("checkout", [0o700, 0o755])
def test_containers_may_read_the_configuration_of_a_checkout_that_is_closed(
    checkout: int, tmp_path: Path
) -> None:
    configured = Checkout(tmp_path)
    config = tmp_path / "config"
    config.chmod(0o700)
    (config / "snapbus.yml").chmod(0o600)
    tmp_path.chmod(checkout)
    configured.configure()

    # Where others may enter the checkout, a file that its owner closed stays closed.
    modes = [path.stat().st_mode & 0o007 for path in (config, config / "snapbus.yml")]
    assert modes == ([0o5, 0o4] if checkout == 0o700 else [0, 0])


@pytest.mark.promise("feat K1")
def test_images_are_pinned_to_a_major_version() -> None:
    foreign = [each["image"] for each in SERVICES.values() if "build" not in each]

    assert foreign == ["rabbitmq:4-management", "postgres:17"]


def test_a_store_on_s3_is_reached_by_every_service_that_holds_pictures() -> None:
    loaded: dict[str, Any] = yaml.safe_load(read("config/s3-store.yml"))
    ours = {name for name, each in SERVICES.items() if "build" in each and name != "simulator"}

    assert set(loaded["services"]) == ours
    for name, service in loaded["services"].items():
        assert service["networks"] == ["bus", "outside"], name
        assert service["secrets"] == ["aws_access_key_id", "aws_secret_access_key"], name
        assert set(service) == {"networks", "secrets"}, name
    assert {"bus", "outside"} <= set(compose()["networks"])
    assert {"aws_access_key_id", "aws_secret_access_key"} <= set(compose()["secrets"])
