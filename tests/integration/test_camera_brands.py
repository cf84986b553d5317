"""Each brand is asked as its cameras want it, against simulated ones that are as strict as real."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.camera.brands import adapter_for
from services.camera.brands.adapter import Adapter
from services.camera.failures import (
    CameraError,
    CredentialsRefused,
    Misdirected,
    TooSlow,
    Unreachable,
    Untrusted,
    WrongAnswer,
)
from services.simulator.demo import Account
from services.simulator.devices import dahua, foscam, hikvision, onvif, plain, reolink
from shared.events import now
from shared.http.certificate import fingerprint
from shared.http.deadline import Deadline
from shared.settings.fetch import FetchSection
from tests.support.asking import take
from tests.support.camera_pictures import PHOTOS
from tests.support.simulated import ODD, base_of, device, simulated

CERTIFICATE = Path(__file__).parents[1] / "data" / "self_signed.pem"
COLON = Account("us:er@/%ä", ODD.password)
"""A name with a colon, which everything but Basic can send."""

# The kind, the device, the settings, and how we are let in.
BRANDS: dict[str, tuple[str, Callable[..., Any], dict[str, Any], str]] = {
    "foscam": ("foscam", foscam.FoscamHd, {}, "user and password in the address"),
    "foscam_mjpeg": ("foscam_mjpeg", foscam.FoscamMjpeg, {}, "user and password in the address"),
    "reolink": ("reolink", reolink.Reolink, {}, "token"),
    "hikvision": ("hikvision", hikvision.Hikvision, {}, "Digest"),
    "dahua": ("dahua", dahua.Dahua, {}, "Digest"),
    "axis": ("axis", plain.Axis, {}, "Digest"),
    "onvif": ("onvif", onvif.Onvif, {}, "Digest"),
    "vigi": ("vigi", plain.Vigi, {}, "Digest"),
    "protect": ("unifi", plain.Unifi, {"id": plain.Unifi.camera_id}, "API key"),
    "tasmota": ("tasmota", plain.Tasmota, {}, "Basic"),
}
NO_LOGIN = {"unifi": plain.Unifi, "esp32": plain.Esp32}


def made(kind: str, url: str, account: Account | None = None, **more: Any) -> Adapter:
    section: dict[str, Any] = {"kind": kind, "url": url, **more}
    if account:
        section["password"] = account.password
        if kind != "unifi":
            section["username"] = account.username
    return adapter_for(FetchSection.model_validate(section))


@contextmanager
def brand(name: str, photos: Path, account: Account = ODD, **more: Any):
    _, make, _, _ = BRANDS[name]
    with simulated(device(make, photos, account, **more)) as cameras:
        yield cameras, base_of(cameras)


@pytest.mark.promise("feat A1", "feat A2", "feat A3", "feat A5")
@pytest.mark.parametrize("name", BRANDS)
def test_a_brand_gives_its_pictures_whatever_stands_in_name_and_password(
    photos: Path, name: str
) -> None:
    kind, _, more, login = BRANDS[name]
    for account in (ODD, COLON) if login != "Basic" else (ODD,):
        with brand(name, photos, account) as (_, url):
            adapter = made(kind, url, account, **more)
            assert [take(adapter) for _ in range(4)] == [*PHOTOS, PHOTOS[0]]
            with Deadline(5) as deadline, adapter.open(deadline) as still:
                assert still.login == login
                assert still.clock and abs(still.clock - now()) < timedelta(seconds=5)
            adapter.close()


@pytest.mark.promise("fault C2")
@pytest.mark.parametrize("name", BRANDS)
def test_a_brand_refuses_a_wrong_password_in_its_own_words_and_is_understood(
    photos: Path, name: str
) -> None:
    kind, _, more, _ = BRANDS[name]
    with brand(name, photos) as (_, url):
        adapter = made(kind, url, Account(ODD.username, "wrong"), **more)
        with pytest.raises(CredentialsRefused) as refused:
            take(adapter)
    assert "wrong" not in str(refused.value).replace("user or password is wrong", "")


@pytest.mark.parametrize("name", NO_LOGIN)
def test_a_camera_without_login_is_asked_for_its_picture(photos: Path, name: str) -> None:
    with simulated(device(NO_LOGIN[name], photos)) as cameras:
        assert take(made(name, base_of(cameras))) == PHOTOS[0]


@pytest.mark.promise("fault C3")
@pytest.mark.parametrize("name", BRANDS)
@pytest.mark.parametrize(
    ("mood", "error"),
    [("half", Unreachable), ("busy", WrongAnswer), ("closed", Unreachable), ("silent", TooSlow)],
)
def test_a_brand_in_a_mood_is_an_error_that_may_pass(
    photos: Path, name: str, mood: str, error: type[CameraError]
) -> None:
    kind, _, more, _ = BRANDS[name]
    with brand(name, photos, mood=mood) as (_, url):
        adapter = made(kind, url, ODD, **more)
        with pytest.raises(error) as caught:
            take(adapter, 0.3 if mood == "silent" else 5.0)
        assert caught.value.retryable
        adapter.close()


@pytest.mark.parametrize("name", BRANDS)
def test_an_address_without_this_brand_is_misdirected(photos: Path, name: str) -> None:
    kind, _, more, _ = BRANDS[name]
    with simulated() as cameras, pytest.raises(Misdirected):
        take(made(kind, base_of(cameras), ODD, **more))


# Reolink


@pytest.mark.promise("feat A21", "feat A22")
def test_a_reolink_is_logged_in_to_once_and_its_session_is_given_back(photos: Path) -> None:
    camera = device(reolink.Reolink, photos)
    with simulated(camera) as cameras:
        adapters = [made("reolink", base_of(cameras), ODD) for _ in range(reolink.SESSIONS)]
        for adapter in adapters:
            take(adapter), take(adapter)
        assert (camera.logins, len(camera.sessions)) == (reolink.SESSIONS, reolink.SESSIONS)
        one_more = made("reolink", base_of(cameras), ODD)
        with pytest.raises(WrongAnswer, match="too many sessions"):
            take(one_more)
        adapters[0].close()
        assert take(one_more) in PHOTOS
        assert len(camera.sessions) == reolink.SESSIONS


@pytest.mark.promise("feat A21")
def test_a_reolink_whose_session_has_ended_is_logged_in_to_again(photos: Path) -> None:
    camera = device(reolink.Reolink, photos)
    with simulated(camera) as cameras:
        adapter = made("reolink", base_of(cameras), ODD)
        take(adapter)
        camera.sessions.clear()  # as after a restart of the camera
        assert take(adapter) in PHOTOS
        assert camera.logins == 2


@pytest.mark.promise("feat A21")
def test_a_reolinks_token_is_renewed_before_its_lease_ends(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = device(reolink.Reolink, photos, lease_s=100)
    with simulated(camera) as cameras:
        adapter = made("reolink", base_of(cameras), ODD)
        take(adapter)
        later = time.monotonic() + 60
        monkeypatch.setattr("services.camera.brands.reolink.time.monotonic", lambda: later)
        take(adapter)
        assert camera.logins == 2


def test_a_reolink_that_knows_only_the_second_path_and_other_channels(photos: Path) -> None:
    camera = device(reolink.Reolink, photos, paths=("/api.cgi",), channels=2)
    with simulated(camera) as cameras:
        second = made(
            "reolink", base_of(cameras), ODD, channel=2, stream="sub", resolution="640x480"
        )
        assert take(second) == PHOTOS[0]
        with pytest.raises(WrongAnswer, match="is the channel right"):
            take(made("reolink", base_of(cameras), ODD, channel=3))


@pytest.mark.promise("feat A4")
@pytest.mark.promise("fault C5")
def test_a_reolink_with_a_certificate_of_its_own_is_trusted_by_its_fingerprint(
    photos: Path,
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    camera = device(reolink.Reolink, photos)
    with simulated(camera, tls=context) as cameras:
        url = base_of(cameras, "https")
        with pytest.raises(Untrusted, match="is not trusted"):
            take(made("reolink", url, ODD))
        with Deadline(5) as deadline:
            shown = fingerprint("127.0.0.1", cameras.port, deadline)
        assert take(made("reolink", url, ODD, fingerprint=shown)) == PHOTOS[0]
        assert take(made("reolink", url, ODD, verify_tls=False)) == PHOTOS[1]
        logins = camera.logins
        other = ("00" if not shown.startswith("00") else "11") + shown[2:]
        with pytest.raises(Untrusted, match="not the one of 'fingerprint'"):
            take(made("reolink", url, ODD, fingerprint=other))
        assert camera.logins == logins, "nothing was sent"


# Hikvision and others of which there are several


@pytest.mark.parametrize("model", ["camera", "recorder", "old"])
def test_a_hikvision_is_asked_at_the_path_that_its_model_has(photos: Path, model: str) -> None:
    camera = device(hikvision.Hikvision, photos, model=model, channels=4)
    with simulated(camera) as cameras:
        adapter = made("hikvision", base_of(cameras), ODD, channel=3, stream="sub")
        assert [take(adapter) for _ in range(2)] == PHOTOS[:2]
        with pytest.raises(CameraError):
            take(made("hikvision", base_of(cameras), ODD, channel=5))


@pytest.mark.promise("fault C2")
def test_a_hikvision_is_not_locked_by_one_wrong_try_and_a_lock_is_told(photos: Path) -> None:
    camera = device(hikvision.Hikvision, photos)
    with simulated(camera) as cameras:
        wrong = made("hikvision", base_of(cameras), Account(ODD.username, "wrong"))
        with pytest.raises(CredentialsRefused, match="refuses user and password"):
            take(wrong)
        assert camera.wrong == 1
        for _ in range(hikvision.TRIES):
            with pytest.raises(CredentialsRefused):
                take(wrong)
        with pytest.raises(CredentialsRefused, match="has locked this user"):
            take(made("hikvision", base_of(cameras), ODD))


def test_an_old_dahua_wants_basic_and_knows_no_channels(photos: Path) -> None:
    camera = device(dahua.Dahua, photos, basic=True, channels=0)
    with simulated(camera) as cameras:
        assert take(made("dahua", base_of(cameras), ODD)) == PHOTOS[0]


def test_lenses_and_channels_are_told_apart(photos: Path) -> None:
    with simulated(device(plain.Axis, photos, lenses=2)) as cameras:
        wanted = {"channel": 2, "resolution": "1280x720"}
        assert take(made("axis", base_of(cameras), ODD, **wanted)) == PHOTOS[0]
        with pytest.raises(CameraError):
            take(made("axis", base_of(cameras), ODD, channel=3))
    with simulated(device(plain.Vigi, photos, channels=2)) as cameras:
        assert take(made("vigi", base_of(cameras), ODD, channel=2)) == PHOTOS[0]
        with pytest.raises(Misdirected):
            take(made("vigi", base_of(cameras), ODD))


def test_an_esp32_and_a_tasmota_are_asked_at_the_paths_of_their_sketches(photos: Path) -> None:
    with simulated(device(plain.Esp32, photos, path="/jpg")) as cameras:
        assert take(made("esp32", base_of(cameras))) == PHOTOS[0]
    with simulated(device(plain.Tasmota, photos, path="/snapshot.jpg")) as cameras:
        assert take(made("tasmota", base_of(cameras), ODD)) == PHOTOS[0]


# ONVIF


@pytest.mark.promise("feat A33")
@pytest.mark.parametrize("wrong", [timedelta(days=-400), timedelta(hours=7)])
def test_a_clock_that_is_wrong_is_told_and_does_not_hinder_the_login(
    photos: Path, wrong: timedelta
) -> None:
    camera = device(onvif.Onvif, photos, clock=lambda: now() + wrong)
    with simulated(camera) as cameras:
        adapter = made("onvif", base_of(cameras), ODD)
        with Deadline(5) as deadline, adapter.open(deadline) as still:
            assert still.clock and abs(still.clock - now() - wrong) < timedelta(seconds=3)


@pytest.mark.promise("feat A33")
@pytest.mark.promise("fault C2")
def test_addresses_that_the_camera_names_are_asked_at_the_configured_host(photos: Path) -> None:
    """The simulated one names 192.0.2.77, which would never answer."""
    with simulated(device(onvif.Onvif, photos, lenses=2)) as cameras:
        assert take(made("onvif", base_of(cameras), ODD, channel=2, stream="sub")) == PHOTOS[0]
        with pytest.raises(Misdirected, match="2 channels, not 3"):
            take(made("onvif", base_of(cameras), ODD, channel=3))
