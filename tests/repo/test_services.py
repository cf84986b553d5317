"""Every service is complete: documented, packaged, and known to Compose."""

from __future__ import annotations

import ast
import re

import pytest
import yaml

from services.simulator.demo import demo_cameras
from tests.repo.tree import ROOT, SERVICES, compose, read

HEADINGS = ("Listens to", "Says", "Owns", "Safe to repeat because")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_says_what_it_listens_to_says_and_owns_and_why_repeating_is_safe(
    name: str,
) -> None:
    text = ast.get_docstring(ast.parse(read(f"services/{name}/__init__.py"))) or ""

    assert [each for each in HEADINGS if each not in text] == []


@pytest.mark.promise("feat K1", "feat K2", "feat K5")
@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_an_image_with_the_standard_steps(name: str) -> None:
    steps = read(f"services/{name}/Dockerfile").splitlines()

    copied = "services" if name == "allinone" else f"services/{name}"
    shared = steps.index("COPY shared /app/shared")
    installed = next(i for i, step in enumerate(steps) if "--require-hashes" in step)
    own = steps.index(f"COPY {copied} /app/{copied}")
    assert installed < shared < own, "code is copied last, so that an edit rebuilds nothing heavy"
    assert "--no-deps" in steps[installed], "the pins are whole, and leave out what we refuse"
    readable = "RUN chmod -R a+rX /app && python -m compileall -q /app"
    assert readable in steps[own:], "user 999 must read it, whatever the umask of the checkout was"
    assert steps[-2:] == ["USER 999:999", f'CMD ["python", "-m", "services.{name}"]']


@pytest.mark.promise("feat K5")
def test_the_image_that_all_begin_with_has_the_user_and_ends_as_it() -> None:
    text = read("Dockerfile.base").replace("\\\n", " ")

    (group,) = re.findall(r"groupadd .*--gid (\d+) app\b", text)
    (user,) = re.findall(r"useradd .*--uid (\d+) --gid app\b", text)
    assert (user, group) == ("999", "999")
    assert re.findall(r"^USER .*", text, re.MULTILINE)[-1] == "USER 999:999"


@pytest.mark.promise("feat K2")
@pytest.mark.parametrize("name", SERVICES)
def test_a_service_runs_as_a_container_of_its_own(name: str) -> None:
    services = compose()["services"]

    if name == "allinone":
        assert name not in services
        return
    assert services[name]["build"]["dockerfile"] == f"services/{name}/Dockerfile"
    assert not {"command", "entrypoint"} & set(services[name]), "its image says what it runs"
    profiles = {"simulator": ["demo"], "legacy": ["legacy"]}
    assert services[name].get("profiles") == profiles.get(name)


def test_compose_runs_nothing_else_of_ours() -> None:
    ours = {name for name, each in compose()["services"].items() if "build" in each}

    assert ours == set(SERVICES) - {"allinone"}


def test_images_get_no_secrets_and_no_data() -> None:
    ignored = read(".dockerignore").splitlines()

    assert ignored[1] == "*", "nothing goes into an image unless it is named"
    assert [line for line in ignored if line.startswith("!")] == [
        "!requirements",
        "!services",
        "!shared",
    ]
    assert "COPY shared" not in read("Dockerfile.base")
    assert (ROOT / ".env.example").exists()


@pytest.mark.parametrize(
    ("file", "address"),
    [("demo.yml", "http://127.0.0.1:8090"), ("demo-containers.yml", "http://simulator:8090")],
)
def test_the_demo_configures_the_cameras_that_the_simulator_plays(file: str, address: str) -> None:
    assert yaml.safe_load(read(f"config/{file}"))["cameras"] == demo_cameras(address)
