"""The accounts on RabbitMQ may say what their services say: no more, and no less."""

from __future__ import annotations

import ast
import re
from dataclasses import fields

import pytest

from shared import events
from shared.bus import accounts
from shared.bus.rabbit import topology
from shared.settings.runtime import BrokerSection
from tests.repo.tree import CODE, ROOT, read

TOPIC = re.compile(r"\b(?:snapshot|camera|access)\.[a-z]+\b")
BY_CLASS = {each.__name__: topic for topic, each in events.EVENTS.items()}
BY_INTAKE = {"snapshot.taken"}
"""What services say that let pictures in."""


def _made(service: str) -> set[str]:
    """The topics of the events that the code of a service makes, itself or by the intake."""
    made: set[str] = set()
    for path in CODE:
        if path.is_relative_to(ROOT / "services" / service):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    made |= {BY_CLASS[node.func.id]} if node.func.id in BY_CLASS else set()
                if isinstance(node, ast.Attribute) and ast.unparse(node).endswith("context.intake"):
                    made |= BY_INTAKE
    return made


@pytest.mark.promise("sec M1")
@pytest.mark.parametrize("service", accounts.SERVICES)
def test_an_account_may_say_and_hear_what_its_service_does(service: str) -> None:
    account = accounts.SERVICES[service]
    text = ast.get_docstring(ast.parse(read(f"services/{service}/__init__.py"))) or ""

    assert set(TOPIC.findall(text)) == {*account.says, *account.listens}
    assert _made(service) - {"access.noted"} <= set(account.says)
    assert {*account.says, *account.listens} <= set(events.EVENTS)


def test_no_service_delivers_to_itself_which_its_account_may_not() -> None:
    """A service that is ``ordered`` does: its account then needs that right on `snapbus.again`."""
    ours = [path for path in CODE if path.is_relative_to(ROOT / "services")]

    assert [path for path in ours if "ordered=True" in path.read_text(encoding="utf-8")] == []


def test_every_event_is_said_by_somebody() -> None:
    said = {topic for each in accounts.SERVICES.values() for topic in each.says}

    assert said == set(events.EVENTS)


def test_what_other_programs_may_say_is_the_same_on_the_bus_and_in_the_journal() -> None:
    assert set(events.FOREIGN) == {accounts.REQUESTED}
    for stranger in (accounts.HOME, accounts.NOBODY, "house"):
        assert {topic for topic in events.EVENTS if accounts.may_say(stranger, topic)} == {
            accounts.REQUESTED
        }


def test_a_service_is_believed_only_what_it_says() -> None:
    for service, account in accounts.SERVICES.items():
        believed = {topic for topic in events.EVENTS if accounts.may_say(service, topic)}
        assert believed == (set(events.EVENTS) if account.finishes else set(account.says))
    assert [name for name, each in accounts.SERVICES.items() if each.finishes] == ["scheduler"]


def test_the_definitions_begin_with_the_defaults_of_the_settings() -> None:
    defaults = BrokerSection()

    assert (defaults.exchange, defaults.max_length) == (topology.EXCHANGE, topology.MAX_LENGTH)


def test_an_account_has_no_field_that_this_file_does_not_know() -> None:
    assert [each.name for each in fields(accounts.Account)] == ["says", "listens", "finishes"]
