"""The places where a service must be, so that a test can say which was forgotten."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.bus.accounts import SERVICES
from tests.repo.tree import ROOT, compose, read

NOT_IN_HOUSES = {"allinone", "simulator"}
"""They are no part of a running system: one holds the others, one plays cameras."""


@dataclass(frozen=True, slots=True)
class Place:
    """A file, or what of it must name a service; the guide names it, with ``plates`` for a name."""

    file: str
    what: str
    holds: Callable[[str], bool]

    def of(self, service: str) -> str:
        """What to do where."""
        return f"{self.file.format(name=service)}: {self.what.format(name=service)}"


def _exists(file: str) -> Callable[[str], bool]:
    return lambda name: (ROOT / file.format(name=name)).is_file()


def _says(file: str, text: str) -> Callable[[str], bool]:
    return lambda name: text.format(name=name) in read(file)


def _in_compose(name: str) -> bool:
    found: Any = compose()["services"].get(name, {})
    return bool(found.get("build", {}).get("dockerfile") == f"services/{name}/Dockerfile")


def _tested(name: str) -> bool:
    imports = re.compile(rf"^(from|import) services\.{name}\b", re.MULTILINE)
    return any(imports.search(path.read_text()) for path in (ROOT / "tests").rglob("test_*.py"))


def _expected(name: str) -> bool:
    body = read("services/api/state.py").partition("def _expected")[2].partition("\n    def ")[0]
    return f'"{name}"' in body


PLACES = (
    *(
        Place(file, "is missing", _exists(file))
        for file in (
            "services/{name}/__init__.py",
            "services/{name}/app.py",
            "services/{name}/__main__.py",
            "services/{name}/Dockerfile",
            "services/{name}/requirements.txt",
            "requirements/{name}.in",
        )
    ),
    Place("tests", "no test imports services.{name}", _tested),
)
OF_A_SYSTEM = (
    Place(
        "requirements/allinone.in",
        "add '-r {name}.in'",
        _says("requirements/allinone.in", "\n-r {name}.in\n"),
    ),
    Place("docker-compose.yml", "add a container of its own", _in_compose),
    Place(
        "shared/bus/accounts.py",
        "say in SERVICES what it says and listens to",
        lambda name: name in SERVICES,
    ),
    Place(
        "tasks/configure",
        "add it to the accounts",
        lambda name: name in read("tasks/configure").partition("for account in ")[2].split(";")[0],
    ),
    Place(
        "services/allinone/app.py",
        "add services.{name}.app.build to BUILDS",
        _says("services/allinone/app.py", "    services.{name}.app.build,\n"),
    ),
    Place(
        "services/api/state.py",
        "add it to _expected, or the page does not miss it when it never ran",
        _expected,
    ),
    Place("README.md", "add a row to the table of services", _says("README.md", "\n| `{name}` |")),
)


def forgotten(service: str) -> list[str]:
    """The places where a service is not, each with what to do."""
    places = PLACES if service in NOT_IN_HOUSES else (*PLACES, *OF_A_SYSTEM)
    return [each.of(service) for each in places if not each.holds(service)]
