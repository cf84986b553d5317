"""Simulated cameras behave like cameras: our adapters fetch them, they push to an FTP server."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
import yaml

from services.camera.failures import CredentialsRefused, Misdirected, Unreachable, WrongAnswer
from services.simulator import demo
from services.simulator.demo import Account, demo_cameras
from services.simulator.devices import demo_devices, in_moods
from services.simulator.devices.generic import Generic
from services.simulator.http import HttpCameras
from services.simulator.pictures import Pictures
from shared.errors import ConfigError
from shared.picture.format import check_complete
from shared.picture.header import read_header
from shared.settings import Settings, load
from tests.support.asking import fetch, take
from tests.support.camera_pictures import PHOTOS
from tests.support.simulated import base_of, simulated

ROOT = Path(__file__).parents[2]


@contextmanager
def serving(folder: Path | None) -> Iterator[str]:
    pictures = {"gate": Pictures("gate", folder), "yard": Pictures("yard", folder)}
    foscam, generic = Account("demo", "p&ss w@rd"), Account("demo", 'p"ss')
    devices = demo_devices(pictures, foscam=foscam, generic=generic, brands=generic)
    with simulated(*devices) as cameras:
        yield base_of(cameras)


@pytest.fixture
def base(photos: Path) -> Iterator[str]:
    """The address of simulated cameras that show the photographs."""
    with serving(photos) as base:
        yield base


@pytest.mark.promise("feat A1", "feat A5")
def test_the_foscam_gives_pictures_to_who_knows_the_password(base: str) -> None:
    foscam = {"kind": "foscam", "username": "demo"}
    adapter = fetch(base, password="p&ss w@rd", **foscam)
    assert [take(adapter) for _ in range(4)] == [*PHOTOS, PHOTOS[0]]
    with pytest.raises(CredentialsRefused, match="result -2"):
        take(fetch(base, password="wrong", **foscam))
    with pytest.raises(WrongAnswer, match="result -1"):
        take(fetch(base, password="p&ss w@rd", command="doDance", **foscam))
    with pytest.raises(WrongAnswer, match="web page"):
        take(fetch(base, password="p&ss w@rd", command="snapPicture", **foscam))


@pytest.mark.promise("feat A2", "feat A5")
@pytest.mark.parametrize("kind", ["digest", "basic"])
@pytest.mark.parametrize("auth", ["auto", "same"])
def test_the_generic_camera_wants_its_login(base: str, kind: str, auth: str) -> None:
    url = f"{base}/{kind}/snapshot.jpg?channel=1"
    auth = kind if auth == "same" else auth
    adapter = fetch(url, username="demo", password='p"ss', auth=auth)
    assert [take(adapter) for _ in range(3)] == PHOTOS
    with pytest.raises(CredentialsRefused):
        take(fetch(url, username="demo", password="wrong", auth=auth))
    with pytest.raises(CredentialsRefused):
        take(fetch(url))


def test_digest_is_challenged_once_and_again_only_when_the_nonce_is_old(
    base: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "services.simulator.http")
    adapter = fetch(f"{base}/digest/x.jpg", username="demo", password='p"ss')
    for _ in range(60):
        take(adapter)
    assert len(caplog.records) == 62


def test_the_simulated_digest_is_the_one_others_speak(base: str) -> None:
    """Negative control: client and server here are both ours; requests is not."""
    auth = requests.auth.HTTPDigestAuth("demo", 'p"ss')
    answer = requests.get(f"{base}/digest/x.jpg", auth=auth, timeout=5)
    assert answer.content == PHOTOS[0]
    wrong = requests.auth.HTTPDigestAuth("demo", "wrong")
    assert requests.get(f"{base}/digest/x.jpg", auth=wrong, timeout=5).status_code == 401
    header = answer.request.headers["Authorization"]
    again = requests.get(f"{base}/digest/x.jpg", headers={"Authorization": header}, timeout=5)
    assert again.status_code == 401, "a replayed answer is refused"


def test_plain_and_stream_want_no_login(base: str) -> None:
    assert take(fetch(f"{base}/plain/x.jpg")) == PHOTOS[0]
    assert take(fetch(f"{base}/mjpeg")) == PHOTOS[1]
    with pytest.raises(Misdirected):
        take(fetch(f"{base}/nothing"))


def test_plain_http_where_tls_is_expected_is_told_as_such(base: str) -> None:
    with pytest.raises(Unreachable, match="no secure connection"):
        take(fetch(base.replace("http:", "https:")))


def test_without_a_folder_scenes_are_drawn() -> None:
    with serving(None) as base:
        picture = take(fetch(f"{base}/plain/x.jpg"))
    assert check_complete(picture) == "image/jpeg"
    assert read_header(picture).width >= 640


def test_a_port_in_use_and_an_empty_folder_are_told_with_a_remedy(tmp_path: Path) -> None:
    with serving(tmp_path) as base:
        port = int(base.rpartition(":")[2])
        pictures = Pictures("gate", tmp_path)
        again = HttpCameras("127.0.0.1", port, [Generic(Account("demo", "x"), pictures)])
        with pytest.raises(ConfigError, match=r"simulator\.http_port"):
            again.run(threading.Event())
        with pytest.raises(ConfigError, match="Put some there"):
            pictures.next()


def test_a_mood_of_no_brand_is_told() -> None:
    devices = [Generic(Account("demo", "x"), Pictures("yard", None))]
    in_moods(devices, {"generic": "half"})
    assert devices[0].mood == "half"
    with pytest.raises(ConfigError, match="no brand is called reolnk; there are: generic"):
        in_moods(devices, {"reolnk": "half"})


def test_the_demo_configuration_is_what_the_simulator_offers() -> None:
    settings = load(ROOT / "config" / "demo.yml", {}, ROOT / "none")
    expected = Settings.model_validate({"cameras": demo_cameras("http://127.0.0.1:8090")})
    assert settings.cameras == expected.cameras
    assert settings.simulator.http_port == 8090
    assert demo.at_its_port(settings) == settings
    assert demo.fetch_account(settings, "gate") == Account("demo", "demo-gate")
    assert demo.ftp_account(settings, "porch") == Account("porch", "demo-porch")
    assert "throw-away" in (ROOT / "config" / "demo.yml").read_text()


def test_the_demo_cameras_can_be_written_as_a_configuration(tmp_path: Path) -> None:
    file = tmp_path / "snapbus.yml"
    file.write_text(yaml.safe_dump({"cameras": demo_cameras("http://simulator:8090/", "other")}))
    settings = load(file, {}, tmp_path)
    assert demo.ftp_account(settings, "porch").password == "other"
    assert settings.cameras["yard"].fetch is not None
    assert settings.cameras["yard"].fetch.url == "http://simulator:8090/digest/snapshot.jpg"
