"""The table of imitated cameras says what tests have shown, no more and no less."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from services.simulator.brands import BRANDS
from tests.support import brand_table
from tests.support.brand_table import PROPERTY, BrandTable, check, committed, render


def report(outcome: str, *said: tuple[str, str, str]) -> Any:
    properties = [(PROPERTY, list(each)) for each in said]  # as workers send them
    return SimpleNamespace(when="call", passed=outcome == "passed", user_properties=properties)


def session(**config: Any) -> Any:
    known = {"args": ["tests"], "getini": lambda _name: ["tests"]}
    option = SimpleNamespace(keyword="", markexpr="not prove")
    return SimpleNamespace(
        exitstatus=0, config=SimpleNamespace(**{"option": option} | known | config)
    )


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page of its own, on which one thing was shown."""
    path = tmp_path / "cameras.md"
    path.write_text(render({("Axis", "push"): {"old way"}, ("Dahua", "push"): {"a", "b"}}))
    monkeypatch.setattr(brand_table, "PAGE", path)
    return path


def test_what_passing_tests_have_shown_is_written_and_read_again(page: Path):
    table = BrandTable(write=True, page=page)
    table.pytest_runtest_logreport(
        report("passed", ("Axis", "push", "EPSV"), ("Axis", "time", "`x`"))
    )
    table.pytest_runtest_logreport(report("failed", ("Axis", "cause", "motion")))
    table.pytest_sessionfinish(session(args=["tests/integration/test_it.py"]))
    assert set(committed()) == {
        ("Axis", "push", "EPSV"), ("Axis", "time", "`x`"), ("Dahua", "push", "a"),
        ("Dahua", "push", "b"),
    }  # fmt: skip
    table.pytest_sessionfinish(session())
    assert {brand for brand, _, _ in committed()} == {"Axis", "Dahua"}
    whole = BrandTable(write=True, page=page)
    whole.pytest_sessionfinish(session())
    assert list(committed()) == []


def test_a_test_that_shows_what_the_page_does_not_say_fails(page: Path):
    check("Dahua", "push", "a", written=True)
    check("Dahua", "push", "c", written=False)
    for cell in (("Dahua", "push", "c"), ("Dahua", "time", "a"), ("Nobody", "push", "a")):
        with pytest.raises(AssertionError):
            check(*cell, written=True)


def test_a_run_of_all_tests_that_does_not_show_all_of_the_page_fails(page: Path):
    table = BrandTable(write=False, page=page)
    table.pytest_runtest_logreport(report("passed", ("Axis", "push", "old way")))
    table.pytest_runtest_logreport(report("passed", ("Dahua", "push", "a")))
    some, failed, whole = session(args=["tests/unit"]), session(), session()
    failed.exitstatus = 1
    for each in (some, failed, whole):
        table.pytest_sessionfinish(each)
    assert (some.exitstatus, failed.exitstatus, whole.exitstatus) == (0, 1, 1)
    assert table.missing() == ["Dahua, push: b"]
    table.pytest_runtest_logreport(report("passed", ("Dahua", "push", "b")))
    again = session()
    table.pytest_sessionfinish(again)
    assert again.exitstatus == 0


def test_each_make_is_imitated_in_each_way_it_has():
    shown = {(brand, column) for brand, column, _what in committed()}
    for brand in BRANDS:
        assert ((brand.name, "fetch") in shown) == brand.asked, brand.name
        assert ((brand.name, "push") in shown) == brand.pushes, brand.name
        assert ((brand.name, "time") in shown) == brand.pushes, brand.name
