"""What the host is told and what it gives: syslog, language, the group of optional packages."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.repo.tree import ROOT, compose, read


@pytest.mark.promise("feat J9", "feat K18")
def test_syslog_is_told_by_every_container() -> None:
    added = yaml.safe_load(read("config/syslog.yml"))["services"]

    assert set(added) == set(compose()["services"])
    for service in added.values():
        assert service["logging"]["driver"] == "syslog"
        assert service["logging"]["options"]["syslog-format"] == "rfc5424"
        assert "${SYSLOG_ADDRESS:-" in service["logging"]["options"]["syslog-address"]


@pytest.mark.promise("feat K18")
def test_compose_takes_the_syslog_driver_in_place_of_its_own(tmp_path: Path) -> None:
    compose = ["docker", "compose"]
    if (
        not shutil.which("docker")
        or subprocess.run([*compose, "version"], capture_output=True).returncode
    ):
        pytest.skip("needs docker compose")
    files = ["--file", str(ROOT / "docker-compose.yml"), "--file", str(ROOT / "config/syslog.yml")]
    done = subprocess.run(
        [*compose, "--project-directory", str(tmp_path), *files, "config"],
        capture_output=True, text=True, check=True,
        env=os.environ | {"SNAPBUS_ACCOUNTS": "1", "SYSLOG_ADDRESS": "tcp://logs.lan:601"},
    )  # fmt: skip

    for service in yaml.safe_load(done.stdout)["services"].values():
        assert service["logging"]["driver"] == "syslog"
        assert service["logging"]["options"]["syslog-address"] == "tcp://logs.lan:601"
        assert "max-size" not in service["logging"]["options"]  # the driver would refuse it


@pytest.mark.promise("feat K4")
def test_the_group_of_the_optional_engine_names_what_it_needs() -> None:
    (group,) = tomllib.loads(read("pyproject.toml"))["dependency-groups"].values()
    names = {re.split("[<>=~! ]", each)[0] for each in group}

    assert {"torch", "torchvision", "ultralytics"} <= names
    for service in ROOT.glob("services/*/requirements.txt"):  # and no image has it
        installed = re.findall(r"^([a-z0-9-]+)==", service.read_text(), re.MULTILINE)
        assert not {"torch", "torchvision", "ultralytics"} & set(installed)


@pytest.mark.promise("feat K6")
@pytest.mark.parametrize(
    ("lang", "made"),
    [("C.UTF-8", ""), ("de_DE.UTF-8", "-i de_DE -f UTF-8 de_DE.UTF-8"), ("POSIX", "")],
)
def test_the_language_of_the_images_is_made_where_they_lack_it(
    tmp_path: Path, lang: str, made: str
) -> None:
    (step,) = re.findall(r"^RUN (case \"\$LANG\".*?esac)$", read("Dockerfile.base"), re.M | re.S)
    for name in ("apt-get", "rm"):
        (tmp_path / name).write_text("#!/bin/sh\n")
    (tmp_path / "localedef").write_text('#!/bin/sh\necho "$@"\n')
    for each in tmp_path.iterdir():
        each.chmod(0o755)

    done = subprocess.run(
        ["/bin/sh", "-c", step.replace("\\\n", " ")],
        env={"PATH": str(tmp_path), "LANG": lang}, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout.strip() == made


@pytest.mark.promise("feat K6")
def test_task_build_hands_the_language_of_env_on() -> None:
    build = yaml.safe_load(read("Taskfile.yml"))["tasks"]["build"]
    find = build["vars"]["LANGUAGES"]["sh"]
    assert "{{.LANGUAGES}}" in build["cmds"][0]

    found = subprocess.run(
        ["/bin/sh", "-c", find.replace(".env", "/dev/stdin")],
        input="LANG=de_DE.UTF-8\nLANGUAGE=\nTZ=\n", capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert found.stdout.strip() == "--build-arg LANG=de_DE.UTF-8"
