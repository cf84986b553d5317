"""Every make of camera that uploads by FTP, with its own folders, names, commands and tests."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.simulator.brands import BRANDS
from services.simulator.push import CameraFtp
from services.simulator.uploads import HABITS, Habit
from shared.events import now
from tests.support.brand_table import Shows
from tests.support.ftpdoor import PASSWORD, Running, ftp_door
from tests.support.making import picture

ZONE = "Asia/Kolkata"
"""Half an hour beside the whole ones, and not this machine's."""


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    cameras = {"porch": {"ftp": {"password": PASSWORD, "timezone": ZONE}}}
    with ftp_door(tmp_path_factory.mktemp("brands"), cameras=cameras) as door:
        yield door


def connected(door: Running, habit: Habit) -> CameraFtp:
    ftp = CameraFtp(habit)
    ftp.connect("127.0.0.1", door.port)
    ftp.login("porch", PASSWORD)
    return ftp


def told_way(habit: Habit) -> str:
    """The habits in words."""
    words = {
        "step": "a folder at a time",
        "deep": "folders at once",
        "path": "whole paths" if "/" in habit.path else "no folders",
    }
    told = [words[habit.folders] if "/" in habit.path else "no folders"]
    told += ["EPSV"] if habit.extended else ["PASV"]
    told += ["commands in lower case"] if habit.lower_case else []
    told += ["ALLO"] if any(each.startswith("ALLO") for each in habit.before) else []
    told += [f"renames {habit.temporary}"] if habit.temporary else []
    told += ["one login for many"] if habit.stays else []
    told += [f"test button ({each})" for each in habit.probes]
    return ", ".join(told)


@pytest.mark.promise("feat B1", "feat B18")
@pytest.mark.parametrize(
    "habit", HABITS, ids=[f"{each.brand}-{number}" for number, each in enumerate(HABITS)]
)
def test_a_make_uploads_in_its_way_and_its_names_are_understood(
    door: Running, habit: Habit, shows: Shows
):
    began = len(door.names())
    tested = door.about()["uploads"]["tests"]
    local = (datetime.now(ZoneInfo(ZONE)) - timedelta(seconds=30)).replace(microsecond=0)
    with connected(door, habit) as ftp:
        ftp.press_test_button(habit.path_at(local))
        for number in range(3 if habit.stays else 1):
            at = local + timedelta(seconds=number)
            ftp.upload(habit.path_at(at, number), picture(len(door.names())))
    assert door.about()["uploads"]["tests"] == tested + len(habit.probes)
    rows = door.core.journal.read.snapshots(limit=500)[: len(door.names()) - began]
    for number, row in enumerate(reversed(rows)):
        assert (
            row.name == habit.path_at(local + timedelta(seconds=number), number) + habit.temporary
        )
        assert row.captured_at.replace(microsecond=0) == local + timedelta(seconds=number)
        assert (row.captured_by, row.trigger, row.skew_s) == ("name", habit.trigger, None)
    assert len(rows) == (3 if habit.stays else 1)
    shows(habit.brand, "push", told_way(habit))
    shown = habit.path.rpartition("/")[2] if _own_time(habit) else habit.path
    shows(habit.brand, "time", f"`{shown}`")
    if habit.trigger:
        shows(habit.brand, "cause", habit.trigger.replace("_", " "))


def _own_time(habit: Habit) -> bool:
    """Whether the whole time stands in the file's own name."""
    own = habit.path.rpartition("/")[2]
    return "%d" in own and "%S" in own


def test_all_makes_that_upload_are_imitated():
    assert {each.brand for each in HABITS} == {each.name for each in BRANDS if each.pushes}


def test_the_reason_stands_in_the_event(door: Running):
    began = now()
    with connected(door, HABITS[0]) as ftp:
        ftp.upload(HABITS[0].path_at(datetime.now(ZoneInfo(ZONE))), picture(999))
    taken = door.core.told[-1]
    assert taken.time >= began
    assert taken.data["trigger"] == "motion"
    assert taken.data["captured_text"] in taken.data["name"]
