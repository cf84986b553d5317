"""Every make of camera that can be asked, in each of its ways: docs/ref/cameras.md tells them."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.camera.brands import adapter_for
from services.camera.failures import CredentialsRefused
from services.simulator.brands import BRANDS
from services.simulator.demo import Account
from services.simulator.devices import dahua, foscam, generic, hikvision, onvif, plain, reolink
from shared.events import now
from shared.http.deadline import Deadline
from shared.settings.fetch import FetchSection
from tests.support.asking import take
from tests.support.brand_table import Shows
from tests.support.making import picture
from tests.support.simulated import base_of, device, simulated, streaming

ACCOUNT = Account("us@er/%ä", 'p@:/%ä&#"\\€')


@dataclass(frozen=True)
class Way:
    """One way in which a make is asked: ``what`` in words, the device and how it is, the settings,
    and how we are let in; empty: by no login."""

    brand: str
    what: str
    kind: str
    make: Callable[..., Any]
    login: str
    like: dict[str, Any] = field(default_factory=dict)
    section: dict[str, Any] = field(default_factory=dict)
    path: str = ""


ADDRESS = "user and password in the address"
HIK = ("hikvision", hikvision.Hikvision, "Digest")
DAHUA = ("dahua", dahua.Dahua, "Digest")
SECOND = {"channel": 2, "stream": "sub"}
WRONG_CLOCK = {"clock": lambda: now() - timedelta(days=300)}
WAYS = (
    Way("Foscam HD", "login in the address", "foscam", foscam.FoscamHd, ADDRESS),
    Way("Foscam MJPEG", "login in the address", "foscam_mjpeg", foscam.FoscamMjpeg, ADDRESS),
    Way("Reolink", "token login", "reolink", reolink.Reolink, "token"),
    Way("Reolink", "token login at its second path", "reolink", reolink.Reolink, "token",
        {"paths": ("/api.cgi",)}),
    Way("Reolink Home Hub, NVR", "token login, by channel", "reolink", reolink.Reolink, "token",
        {"channels": 4}, SECOND),
    Way("Hikvision", "ISAPI with Digest", *HIK),
    Way("Hikvision", "very old ones with Basic", "hikvision", hikvision.Hikvision, "Basic",
        {"model": "old"}),
    Way("Hikvision NVR", "ISAPI of recorders with Digest, by channel", *HIK,
        {"model": "recorder", "channels": 4}, SECOND),
    Way("Annke", "as Hikvision", *HIK),
    Way("HiLook", "as Hikvision", *HIK),
    Way("Dahua", "CGI with Digest", *DAHUA),
    Way("Dahua", "CGI with Digest, by channel", *DAHUA, {"channels": 4}, {"channel": 2}),
    Way("Dahua", "old ones with Basic, without channels", "dahua", dahua.Dahua, "Basic",
        {"basic": True, "channels": 0}),
    Way("Amcrest", "as Dahua", *DAHUA),
    Way("Lorex", "as Dahua, by channel", *DAHUA, {"channels": 4}, {"channel": 2}),
    Way("Axis", "VAPIX with Digest (SHA-256), by size and lens", "axis", plain.Axis, "Digest",
        {"lenses": 2}, {"channel": 2, "resolution": "1280x720"}),
    Way("TP-Link VIGI", "Digest", "vigi", plain.Vigi, "Digest"),
    Way("TP-Link VIGI", "recorders with Digest, by channel", "vigi", plain.Vigi, "Digest",
        {"channels": 4}, {"channel": 2}),
    Way("UniFi", "cameras without login", "unifi", plain.Unifi, ""),
    Way("UniFi", "Protect with an API key", "unifi", plain.Unifi, "API key", {},
        {"id": plain.Unifi.camera_id}),
    Way("ESP32-CAM", "CameraWebServer without login", "esp32", plain.Esp32, ""),
    Way("ESP32-CAM", "sketches with /jpg without login", "esp32", plain.Esp32, "",
        {"path": "/jpg"}),
    Way("Tasmota", "Basic", "tasmota", plain.Tasmota, "Basic"),
    Way("ONVIF", "stills with WS-Security and Digest, with a wrong clock and a wrong address",
        "onvif", onvif.Onvif, "Digest", WRONG_CLOCK),
    Way("MJPEG, any URL", "the first picture of a stream", "url", generic.Generic, "", {}, {},
        "/mjpeg"),
    Way("MJPEG, any URL", "stills with Digest", "url", generic.Generic, "Digest", {}, {},
        "/digest/a.jpg"),
    Way("MJPEG, any URL", "stills with Basic", "url", generic.Generic, "Basic", {}, {},
        "/basic/a.jpg"),
)  # fmt: skip


def section(way: Way, url: str, password: str) -> FetchSection:
    login = {"username": ACCOUNT.username, "password": password} if way.login else {}
    if way.kind == "unifi":
        login.pop("username", "")
    whole = {"kind": way.kind, "url": url + way.path, **login, **way.section}
    return FetchSection.model_validate(whole)


@pytest.mark.promise("feat A1", "feat A2", "feat A3", "feat A5")
@pytest.mark.parametrize("way", WAYS, ids=[f"{each.brand}: {each.what}" for each in WAYS])
def test_a_make_is_asked_in_its_way_and_refuses_in_its_own(
    photos: Path, way: Way, shows: Shows
) -> None:
    with simulated(device(way.make, photos, ACCOUNT, **way.like)) as cameras:
        adapter = adapter_for(section(way, base_of(cameras), ACCOUNT.password))
        with Deadline(5) as deadline, adapter.open(deadline) as still:
            assert still.login == way.login
        assert take(adapter)
        adapter.close()
        if way.login:
            with pytest.raises(CredentialsRefused):
                take(adapter_for(section(way, base_of(cameras), "wrong")))
    shows(way.brand, "fetch", way.what)


@pytest.mark.promise("feat A6")
@pytest.mark.parametrize("basic", [False, True])
def test_a_stream_is_asked_in_its_way(basic: bool, shows: Shows) -> None:
    with streaming(ACCOUNT, basic=basic) as camera:
        url = f"rtsp://127.0.0.1:{camera.port}/stream1"
        login = {"username": ACCOUNT.username, "password": ACCOUNT.password}
        whole = {"kind": "rtsp", "url": url, **login}
        assert take(adapter_for(FetchSection.model_validate(whole)), 20)
    shows("RTSP stream", "fetch", f"H.264 over TCP with {'Basic' if basic else 'Digest'}")


@pytest.mark.promise("feat A33")
def test_an_onvif_camera_without_stills_is_asked_for_its_stream(photos: Path, shows: Shows) -> None:
    with ExitStack() as stack:
        stream = stack.enter_context(streaming(ACCOUNT))
        url = f"rtsp://{onvif.ELSEWHERE}:{stream.port}/stream1"
        camera = device(onvif.Onvif, photos, ACCOUNT, stills=False, stream=url)
        cameras = stack.enter_context(simulated(camera))
        login = {"username": ACCOUNT.username, "password": ACCOUNT.password}
        whole = {"kind": "onvif", "url": base_of(cameras), **login}
        assert take(adapter_for(FetchSection.model_validate(whole)), 20)
    shows("ONVIF", "fetch", "without stills its RTSP stream")


@pytest.mark.promise("feat A8")
def test_a_file_and_the_newest_of_a_folder_are_taken(tmp_path: Path, shows: Shows) -> None:
    for age, name in enumerate(("new.jpg", "old.jpg")):
        file = tmp_path / name
        file.write_bytes(picture(age))
        os.utime(file, (1_700_000_000 - age, 1_700_000_000 - age))
    assert take(adapter_for(FetchSection(kind="file", path=tmp_path / "old.jpg"))) == picture(1)
    shows("File, folder", "fetch", "a file")
    assert take(adapter_for(FetchSection(kind="file", path=tmp_path))) == picture(0)
    shows("File, folder", "fetch", "the newest file of a folder")


def test_every_make_that_can_be_asked_is() -> None:
    asked = {each.name for each in BRANDS if each.asked}
    elsewhere = {"RTSP stream", "Video device (V4L2)", "File, folder"}
    assert asked == {way.brand for way in WAYS} | elsewhere
