"""One account for many cameras: which is meant, and what becomes of uploads of none."""

from __future__ import annotations

import io
from collections.abc import Iterator
from ftplib import error_perm
from pathlib import Path
from typing import Any

import pytest

from services.ftp.accounts import check
from shared.errors import ConfigError
from shared.settings import Settings
from tests.support.ftpdoor import PASSWORD, Raw, Running, ftp_door
from tests.support.making import picture

CAMERAS: dict[str, Any] = {
    "gate": {"ftp": {"account": "recorder"}},
    "gate-2": {"ftp": {"account": "recorder"}},
    "front-door": {"ftp": {"account": "recorder", "names": ["4K0123PAZ4AAAAA", "192.168.1.64"]}},
}


def settings(**account: Any) -> dict[str, Any]:
    return {"accounts": {"recorder": {"password": PASSWORD, **account}}}


@pytest.fixture(scope="module")
def door(tmp_path_factory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("shared")
    section = settings() | {"upload_folder": "uploads/snapshots", "folders": ["snap/gate"]}
    with ftp_door(folder, section, CAMERAS) as door:
        yield door


def refused(raw: Raw, name: str) -> bool:
    """Whether an upload of this name is refused before its first byte."""
    with raw.data():
        return raw.ask(f"STOR {name}").startswith("553")


NAMES = {
    "gate/1.jpg": "gate",
    "GATE/1.jpg": "gate",
    "snap/gate/2026-10-31/1.jpg": "gate",
    "gate_20261031070809.jpg": "gate",
    "Gate_00_20261031070809.jpg": "gate",
    "gate-20261031-070809.jpg": "gate",
    "gate 2026-10-31.jpg": "gate",
    "gate.jpg": "gate",
    "gate-2/1.jpg": "gate-2",
    "gate/gate-2/1.jpg": "gate-2",
    "gate_2_20261031070809.jpg": "gate-2",
    "Front Door/1.jpg": "front-door",
    "Front Door_00_20261031070809.jpg": "front-door",
    "front_door/x.jpg": "front-door",
    "uploads/snapshots/front-door/1.jpg": "front-door",
    "x/4K0123PAZ4AAAAA/2026-10-31/001/jpg/07/08/09[M][0@0][0].jpg": "front-door",
    "192.168.1.64_01_20261031070809000_MOTION_DETECTION.jpg": "front-door",
    "00626E4A0F3B(Gate)_1_20261031070809_17.jpg": "gate",
}


@pytest.mark.promise("feat B17")
@pytest.mark.parametrize(("name", "camera"), NAMES.items(), ids=NAMES)
def test_a_camera_is_known_by_a_folder_or_by_the_beginning_of_a_name(
    door: Running, name: str, camera: str
):
    with door.raw("recorder") as raw:
        answer = raw.put(name, picture(len(door.names())))
    assert answer.startswith("226"), answer
    row = door.core.journal.read.snapshots(limit=1)[0]
    assert (row.name, row.camera) == (name, camera)


@pytest.mark.promise("feat B17")
@pytest.mark.parametrize(
    "name",
    [
        "1.jpg",
        "gatehouse/1.jpg",
        "gatehouse_20261031070809.jpg",
        "agate/1.jpg",
        "gate-3_20261031070809.jpg",
        "gate2/1.jpg",
        "192.168.1.640_01_20261031070809000_MOTION_DETECTION.jpg",
        "uploads/snapshots/1.jpg",
        "porch/1.jpg",
    ],
)
def test_what_is_no_cameras_is_refused_before_its_first_byte(door: Running, name: str):
    before = door.received(), door.names()
    with door.raw("recorder") as raw, raw.data():
        answer = raw.ask(f"STOR {name}")
    assert answer.startswith("553") and "cameras.<name>.ftp.names" in answer
    assert (door.received(), door.names()) == before
    assert "553" not in door.about()["last_refusal"] and "no camera" in door.about()["last_refusal"]


def test_a_camera_with_an_account_of_its_own_keeps_it(door: Running):
    with door.raw("porch") as raw:
        assert raw.put("gate/own.jpg", picture(500)).startswith("226")
    assert door.core.journal.read.snapshots(limit=1)[0].camera == "porch"


@pytest.mark.promise("feat B17")
def test_a_test_button_works_before_the_camera_has_a_folder(door: Running):
    tests = door.about()["uploads"]["tests"]
    with door.raw("recorder") as raw:
        assert raw.put("test.txt", b"").startswith("226")
        assert raw.put("DVRWorkDirectory", b"").startswith("226")
        assert raw.put("gate/DVRWorkDirectory", b"").startswith("226")
        assert raw.put("test.jpg", picture(1) * 20).startswith("553")
    assert door.about()["uploads"]["tests"] == tests + 3
    assert [each.subject for each in door.core.told if each.topic == "camera.tested"] == [
        "recorder",
        "recorder",
        "gate",
    ]
    assert not any(name.endswith("test.jpg") for name in door.names())


@pytest.mark.promise("feat B3", "feat B4")
def test_folders_of_the_configuration_are_shown_and_stay(door: Running):
    with door.client("recorder") as ftp:
        assert ftp.nlst() == ["snap", "uploads"]
        ftp.cwd("uploads/snapshots")
        assert ftp.nlst("/snap") == ["gate"]
        ftp.mkd("/snap/gate")
        with pytest.raises(error_perm, match="550"):
            ftp.rename("/snap", "/other")
        with pytest.raises(error_perm, match=r"ftp\.folders"):
            ftp.rmd("/snap/gate")
        assert ftp.nlst("/snap") == ["gate"]
        ftp.storbinary("STOR gate.jpg", io.BytesIO(picture(900)))
        assert ftp.nlst() == ["gate.jpg"]
    data = door.core.store.root.parent
    assert not [*data.glob("**/snap"), *data.glob("**/uploads")], "they are names"


def test_all_cameras_of_the_account_are_counted(door: Running):
    assert door.about()["summary"] == "FTP for 5 cameras"


@pytest.mark.promise("feat B17")
def test_a_folder_becomes_a_camera_by_itself_where_that_is_allowed(tmp_path: Path):
    section = settings(new_cameras=2) | {"upload_folder": "in"}
    with ftp_door(tmp_path, section, {"barn": {"ftp": {"account": "recorder"}}}) as door:
        with door.raw("recorder") as raw:
            assert refused(raw, "in/porch/4.jpg"), "it has its own account"
            assert raw.put("in/Back Yard!/x/1.jpg", picture(1)).startswith("226")
            assert raw.put("Cellar_01_20261031070809.jpg", picture(2)).startswith("226")
            assert raw.put("in/Back Yard!/2.jpg", picture(3)).startswith("226")
            assert refused(raw, "attic/3.jpg"), "a third one"
            assert refused(raw, "5.jpg")
        rows = door.core.journal.read.snapshots()
    assert [row.camera for row in rows] == ["back-yard", "cellar", "back-yard"]
    with ftp_door(tmp_path, settings(new_cameras=1)) as door, door.raw("recorder") as raw:
        assert raw.put("attic/6.jpg", picture(7)).startswith("226"), "one more"
        assert refused(raw, "loft/7.jpg")
        assert raw.put("cellar/8.jpg", picture(9)).startswith("226"), "known since before"


@pytest.mark.promise("sec A8")
def test_each_camera_of_a_shared_account_has_its_own_zone_and_quota(tmp_path: Path):
    cameras = {
        "gate": {"ftp": {"account": "recorder", "timezone": "Asia/Tokyo"}},
        "yard": {"ftp": {"account": "recorder", "quota": {"pictures_a_day": 5}}},
    }
    section = settings(timezone="UTC", quota={"pictures_a_day": 1})
    with ftp_door(tmp_path, section, cameras) as door, door.raw("recorder") as raw:
        for number in range(2):
            name = f"yard/MDAlarm_20260301-09000{number}.jpg"
            assert raw.put(name, picture(number)).startswith("226")
        assert raw.put("gate/MDAlarm_20260301-090000.jpg", picture(7)).startswith("226")
        with raw.data():
            answer = raw.ask("STOR gate/2.jpg")
        gate, *_yard = door.core.journal.read.snapshots()
    assert answer.startswith("552") and "cameras.gate.ftp.quota" in answer
    assert gate.captured_at.hour == 0 and _yard[0].captured_at.hour == 9


def test_the_login_of_a_camera_is_that_of_its_account(door: Running):
    section = door.core.settings.ftp
    for name, login in {"gate": "recorder", "porch": "porch"}.items():
        ftp = door.core.settings.cameras[name].ftp
        assert ftp and section.login(name, ftp) == login


def test_active_mode_of_a_shared_account_is_a_setting_of_it(door: Running):
    with door.raw("recorder") as raw:
        assert "ftp.accounts.recorder.active" in raw.ask("PORT 127,0,0,1,200,10")


WRONG = [
    ({"a": {"ftp": {"account": "nvr"}}}, r"cameras\.a\.ftp\.account: there is no 'nvr'"),
    (
        {"a": {"ftp": {"account": "x", "names": ["B"]}}, "b": {"ftp": {"account": "x"}}},
        r"cameras\.b\.ftp\.names: 'b' is what camera a is called",
    ),
    ({"x": {"ftp": {"password": "p"}}}, r"ftp\.accounts\.x\.username: 'x' is the account of 'x'"),
]


@pytest.mark.parametrize(("cameras", "says"), WRONG)
def test_what_can_not_be_told_apart_is_a_configuration_error(cameras: dict[str, Any], says: str):
    tree = {"cameras": cameras, "ftp": {"accounts": {"x": {"password": "p"}}}}
    with pytest.raises(ConfigError, match=says):
        check(Settings.model_validate(tree))


@pytest.mark.parametrize(
    ("camera", "says"),
    [
        ({"account": "x", "password": "p"}, "'password' is for an account of its own"),
        ({"password": "p", "names": ["b"]}, "'names' are for a shared account"),
    ],
)
def test_an_account_is_shared_or_ones_own(camera: dict[str, Any], says: str):
    with pytest.raises(ValueError, match=says):
        Settings.model_validate({"cameras": {"a": {"ftp": camera}}})
