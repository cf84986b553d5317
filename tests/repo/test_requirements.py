"""The pins agree with each other and with what is asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.repo.tree import ROOT, SERVICES

PIN = re.compile(r"^([a-z0-9-]+)==([^\s;]+)", re.MULTILINE)
PINNED = {name: ROOT / f"services/{name}/requirements.txt" for name in SERVICES}
PINNED["base"] = ROOT / "requirements/base.txt"


def _pins(path: Path) -> dict[str, str]:
    return dict(PIN.findall(path.read_text(encoding="utf-8")))


def _asked(name: str) -> set[str]:
    """The packages that requirements/<name>.in asks for, itself and by -r."""
    found: set[str] = set()
    for line in (ROOT / f"requirements/{name}.in").read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            found |= _asked(line.removeprefix("-r ").removesuffix(".in"))
        elif package := re.match(r"[A-Za-z0-9._-]+", line):
            found.add(re.sub(r"[._-]+", "-", package.group()).lower())
    return found


WHOLE = _pins(ROOT / "requirements/dev.txt")


@pytest.mark.promise("sec L1")
@pytest.mark.parametrize("name", PINNED)
def test_the_pins_of_a_service_are_those_of_the_one_resolution(name: str) -> None:
    pins = _pins(PINNED[name])

    assert pins.items() <= WHOLE.items()
    assert _asked(name) <= pins.keys(), "run: task lock"


@pytest.mark.promise("sec L1", "find L4")
@pytest.mark.parametrize("name", ["dev", "tools", "yolo", *PINNED])
def test_every_pin_has_a_hash_and_no_address(name: str) -> None:
    path = PINNED.get(name, ROOT / f"requirements/{name}.txt")
    text = path.read_text(encoding="utf-8")

    blocks = re.split(r"^(?=\S)", text, flags=re.MULTILINE)[1:]
    assert blocks
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text
    assert "index" not in re.sub(r"^\S.*", "", text, flags=re.MULTILINE)


@pytest.mark.promise("sec L1", "find L4")
def test_torch_is_pinned_by_version() -> None:
    pins = _pins(ROOT / "requirements/yolo-torch.txt")

    assert pins.keys() == {"torch", "torchvision"}


def test_every_service_holds_the_base() -> None:
    base = _pins(PINNED["base"])

    assert all(base.items() <= _pins(path).items() for path in PINNED.values())


def test_nothing_of_another_licence_is_installed_by_default() -> None:
    assert {"ultralytics", "torch", "torchvision"} & WHOLE.keys() == set()


@pytest.mark.parametrize("name", ["dev", "yolo", *PINNED])
def test_what_calls_home_is_pinned_nowhere(name: str) -> None:
    path = PINNED.get(name, ROOT / f"requirements/{name}.txt")

    assert "openvino-telemetry" not in _pins(path)
