"""Cameras change while services run: what is taken over, what is kept, and what is only told."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import yaml

from services.camera.app import askable
from services.ftp.accounts import logins_of
from services.scheduler.interval import Intervals
from shared.ingest.names import NameReader
from shared.masking import MASK, Masker
from shared.runtime.follower import ConfigFollower
from shared.settings import Settings, load
from shared.settings.directory import CameraDirectory, Derived
from shared.settings.ftp import FtpSection
from shared.settings.load import secrets_of
from tests.support.making import Clock, core

PORCH = {"ftp": {"password": "pw-of-porch"}}
GATE = {"fetch": {"url": "http://127.0.0.1:1/still.jpg", "every_s": 60}}


class House:
    """A configuration file, and what follows it."""

    def __init__(self, folder: Path, **cameras: object) -> None:
        self.file = folder / "snapbus.yml"
        self.masker = Masker(())
        self.write(cameras=cameras)
        settings = self.load()
        self.cameras = CameraDirectory(settings.cameras)
        self.follower = ConfigFollower(self.file, settings, self.cameras, self.load, self._accept)

    def write(self, **tree: object) -> None:
        beside = self.file.with_suffix(".new")
        beside.write_text(yaml.safe_dump(tree))
        beside.replace(self.file)

    def load(self) -> Settings:
        return load(self.file, {}, self.file.parent)

    def _accept(self, settings: Settings) -> None:
        self.masker.learn(secrets_of(settings))

    def change(self, **tree: object) -> None:
        self.write(**tree)
        self.follower.look()


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path, porch=PORCH)


def test_a_camera_that_is_added_is_there_at_the_next_look_and_its_password_is_masked(house: House):
    house.change(
        cameras={"porch": PORCH, "gate": GATE, "shed": {"ftp": {"password": "pw-of-shed"}}}
    )

    assert sorted(house.cameras) == ["gate", "porch", "shed"]
    assert house.follower.problem == ""
    assert house.masker.masked("login with pw-of-shed") == f"login with {MASK}"
    assert sorted(logins_of(house.cameras.now(), FtpSection(), NameReader()).accounts) == [
        "porch",
        "shed",
    ]


def test_a_file_that_can_not_be_used_changes_nothing_and_says_why(house: House, caplog):
    before = house.cameras.now()
    house.change(cameras={"porch": {"ftp": {"passwort": "x"}}})

    assert house.cameras.now() is before
    assert "cameras.porch.ftp.passwort" in house.follower.problem
    assert "No such setting" in caplog.text
    house.change(cameras={"porch": PORCH, "gate": GATE})
    assert (house.follower.problem, len(house.cameras)) == ("", 2)


def test_a_file_that_is_gone_for_a_moment_leaves_all_as_it_is(house: House):
    house.file.unlink()
    house.follower.look()

    assert list(house.cameras) == ["porch"]


def test_what_needs_a_restart_is_told_and_not_taken_over(house: House, caplog):
    with caplog.at_level(logging.WARNING):
        house.change(cameras={"porch": PORCH}, detector={"confidence": 0.9}, api={"port": 9999})

    assert "restart to put in force what changed in: detector, api" in caplog.text


def test_a_file_that_did_not_change_is_not_read_again(house: House, monkeypatch):
    monkeypatch.setattr(house.follower, "_reload", lambda: pytest.fail("it was read"))
    house.follower.look()


def test_what_a_service_made_of_cameras_is_made_anew_only_after_a_change(house: House):
    made: list[list[str]] = []

    def make(cameras, before):
        made.append(sorted(cameras))
        return len(made)

    derived = Derived(house.cameras, make)
    assert (derived(), derived()) == (1, 1)
    house.change(cameras={"gate": GATE})
    assert (derived(), derived()) == (2, 2)
    assert made == [["porch"], ["gate"]]


def test_a_camera_whose_settings_stay_keeps_what_is_known_of_it(house: House):
    cameras = Derived(house.cameras, askable)
    house.change(cameras={"gate": GATE, "yard": GATE})
    gate, yard = cameras()["gate"], cameras()["yard"]
    other = {"fetch": {**GATE["fetch"], "every_s": 5}}

    house.change(cameras={"gate": GATE, "yard": other, "porch": PORCH})

    assert cameras()["gate"] is gate
    assert cameras()["yard"] is not yard
    assert list(cameras()) == ["gate", "yard"]


def test_a_camera_that_gets_an_interval_is_asked_without_a_restart(tmp_path: Path):
    clock = Clock()
    here = core(tmp_path, {"cameras": {"porch": PORCH}})
    context = here.parts
    intervals = Intervals(context, clock)
    intervals.ask()
    assert here.told == []

    context.cameras.replace(Settings.model_validate({"cameras": {"gate": GATE}}).cameras)
    intervals.ask()

    assert [event.subject for event in here.told] == ["gate"]
    assert intervals.summary() == "asks gate every 60 s"
    here.journal.close()


def test_a_camera_of_another_organisation_makes_its_events(tmp_path: Path):
    tree = {"cameras": {"gate": {**GATE, "organisation": "farm"}, "porch": PORCH}}
    here = core(tmp_path, tree)
    Intervals(here.parts, Clock()).ask()

    assert [(event.subject, event.organisation) for event in here.told] == [("gate", "farm")]
    here.journal.close()
