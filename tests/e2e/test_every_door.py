"""The same photographs by every door of one running system: content, time and camera are equal.

Only the time of what is asked for is another: it was taken when it was asked for, whatever its name
says.
"""

from __future__ import annotations

import base64
import ftplib
import hashlib
import io
import smtplib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests

from shared.access import Access, Actor
from tests.support.fakes import eventually
from tests.support.maildoor import mail
from tests.support.system import System

COUNT = 20
BEGAN = datetime(2026, 5, 4, 6, 30, tzinfo=UTC)
PASSWORD = "correct horse"
ZONES = {
    "ftp": "Asia/Kolkata",
    "mail": "America/New_York",
    "folder": "Asia/Tokyo",
    "put": "Europe/Berlin",
    "form": "Australia/Darwin",
    "capture": "America/Lima",
    "fetch": "UTC",
}
"""Each way has a camera of its own, called like it, whose clock is of this zone."""
HTTP = ("put", "form", "capture")


def time_of(number: int) -> datetime:
    return BEGAN + timedelta(minutes=number)


def clock(camera: str, number: int) -> datetime:
    """What the camera's clock showed when it took this picture."""
    return time_of(number).astimezone(ZoneInfo(ZONES[camera])).replace(tzinfo=None)


def name_of(camera: str, number: int) -> str:
    return f"porch_{number:02}_{clock(camera, number):%Y%m%d%H%M%S}.jpg"


class House:
    """A running system with a camera at every door."""

    def __init__(self, folder: Path) -> None:
        login = {"password": PASSWORD}
        self.watched, self.still = folder / "in", folder / "stills"
        for each in (self.watched, self.still):
            each.mkdir()
        cameras: dict[str, Any] = {
            "ftp": {"ftp": login | {"timezone": ZONES["ftp"]}},
            "mail": {"mail": login | {"timezone": ZONES["mail"]}},
            "folder": {"folder": {"path": str(self.watched), "timezone": ZONES["folder"]}},
            "fetch": {"fetch": {"kind": "file", "path": str(self.still)}},
            **{each: {"http": {"timezone": ZONES[each]}} for each in HTTP},
        }
        tree = {
            "cameras": cameras,
            "api": {"doors": {"result_s": 0.05}},
            "folders": {"settle_s": 0.2, "rescan_s": 0.5},
        }
        self.system = System(folder, tree)
        self.url = f"http://127.0.0.1:{self.system.api_port}"
        self.keys: dict[str, str] = {}
        self.asked: dict[str, tuple[datetime, datetime]] = {}
        """When each picture was asked for, by its hash, and when that was answered."""

    def start(self) -> None:
        # No camera's zone is that of the machine.
        self.system.start("allinone", env={"TZ": "Asia/Kathmandu"})
        with closing(self.system.journal()) as journal:
            keys = Access(journal).keys
            for each in HTTP:
                self.keys[each] = keys.add(each, ["ingest"], Actor("t"), cameras=[each])[1]

    def ask(self, method: str, path: str, camera: str, **what: Any) -> None:
        key = {"Authorization": f"Bearer {self.keys[camera]}"}
        answer = requests.request(method, self.url + path, headers=key, timeout=30, **what)
        assert answer.status_code in (200, 201, 202), answer.text


def by_ftp(house: House, number: int, photo: bytes) -> None:
    with ftplib.FTP() as ftp:
        ftp.connect("127.0.0.1", house.system.ftp_port, timeout=30)
        ftp.login("ftp", PASSWORD)
        ftp.storbinary(f"STOR {name_of('ftp', number)}", io.BytesIO(photo))


def by_mail(house: House, number: int, photo: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", house.system.mail_port, timeout=30) as smtp:
        smtp.login("mail", PASSWORD)
        sent = mail(photo, _0=name_of("mail", number))
        assert smtp.sendmail("cam@camera.local", ["mail@snapbus.local"], sent) == {}


def by_folder(house: House, number: int, photo: bytes) -> None:
    (house.watched / name_of("folder", number)).write_bytes(photo)


def by_put(house: House, number: int, photo: bytes) -> None:
    house.ask("PUT", f"/v1/cameras/put/snapshots/{name_of('put', number)}", "put", data=photo)


def by_form(house: House, number: int, photo: bytes) -> None:
    files = {"file": (name_of("form", number), photo, "image/jpeg")}
    house.ask("POST", "/api/snapshots", "form", files=files)


def by_capture(house: House, number: int, photo: bytes) -> None:
    """Its picture has no name, and the time stands beside it."""
    said = {
        "device_id": "capture",
        "image_base64": base64.b64encode(photo).decode(),
        "captured_at": clock("capture", number).isoformat(),
    }
    house.ask("POST", "/v1/captures", "capture", json=said)


def by_fetch(house: House, number: int, photo: bytes) -> None:
    """A folder gives its pictures in turn, by name. Requests made together share a picture, so
    the next is made when this one is answered."""
    (house.still / name_of("fetch", number)).write_bytes(photo)
    began = datetime.now(UTC)
    status, asked = house.system.post("/v1/cameras/fetch/snapshots")
    assert status == 202, asked

    def answered() -> Any:
        found = house.system.get(asked["url"])
        return found["state"] != "waiting" and found

    assert eventually(answered, timeout=30)["state"] == "done"
    house.asked[hashlib.sha256(photo).hexdigest()] = began, datetime.now(UTC)


WAYS: dict[str, Callable[[House, int, bytes], None]] = {
    "ftp": by_ftp,
    "mail": by_mail,
    "folder": by_folder,
    "put": by_put,
    "form": by_form,
    "capture": by_capture,
    "fetch": by_fetch,
}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    with closing(house.system):
        house.start()
        yield house


@pytest.mark.promise("feat A8", "feat A12", "feat B1", "feat B12", "feat B16", "feat B17")
@pytest.mark.promise("feat B18", "feat B19", "feat C8", "feat C13", "inv I1", "inv I2")
def test_the_same_photographs_by_every_door_are_the_same(house: House, test_data: Path):
    found = sorted((test_data / "coco128").rglob("*.jpg"))[:COUNT]
    photos = [each.read_bytes() for each in found]
    wanted = {
        (hashlib.sha256(photo).hexdigest(), time_of(number)) for number, photo in enumerate(photos)
    }
    assert len({sha256 for sha256, _ in wanted}) == COUNT

    def bring(way: str) -> None:
        for number, photo in enumerate(photos):
            WAYS[way](house, number, photo)

    with ThreadPoolExecutor(len(WAYS)) as together:
        list(together.map(bring, WAYS))

    with closing(house.system.journal()) as journal:

        def all_there() -> Any:
            rows = journal.read.snapshots(limit=1_000)
            return len(rows) >= COUNT * len(WAYS) and rows

        rows = eventually(all_there, timeout=30, message="what lies in the folder is taken")
    came = {way: [row for row in rows if row.camera == way] for way in WAYS}
    assert {way: len(own) for way, own in came.items()} == dict.fromkeys(WAYS, COUNT)
    assert len(rows) == COUNT * len(WAYS)
    for way, own in came.items():
        if way == "fetch":
            assert {row.sha256 for row in own} == set(house.asked)
            for row in own:
                began, answered = house.asked[row.sha256]
                assert began <= row.captured_at <= answered
        else:
            assert {(row.sha256, row.captured_at) for row in own} == wanted, way
        assert {row.door for row in own} == {"http" if way in HTTP else way}
        by = {"capture": "sender", "fetch": "arrival"}.get(way, "name")
        assert {row.captured_by for row in own} == {by}
    for sha256, _ in wanted:
        assert hashlib.sha256(house.system.store.read(sha256)).hexdigest() == sha256
