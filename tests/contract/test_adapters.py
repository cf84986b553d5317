"""What every camera adapter keeps: one whole picture or one CameraError, within its deadline."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

import pytest

from services.camera.brands import ADAPTERS, adapter_for
from services.camera.brands.adapter import Adapter
from services.camera.failures import (
    CameraError,
    CredentialsRefused,
    Misdirected,
    Unreachable,
    WrongAnswer,
)
from services.simulator.demo import Account
from services.simulator.devices import demo_devices
from services.simulator.pictures import Pictures
from shared.settings.fetch import FetchSection
from shared.settings.told import Told, remember
from tests.support.asking import fetch, take
from tests.support.camera_pictures import PICTURE, jpeg, png
from tests.support.cameras import FaultyCamera, says
from tests.support.ports import free_port
from tests.support.simulated import base_of, simulated

DEADLINE_S = 0.5
KINDS = [*(kind for kind in ADAPTERS if kind not in ("rtsp", "v4l2")), "folder"]
"""Each has a source below; a new one without fails every test. The two that are left out decode, so
that they give no picture byte for byte: see test_camera_streams."""
LOGIN = {"username": "ad min", "password": "p:w"}
CERTIFICATE = Path(__file__).parents[1] / "data" / "self_signed.pem"


@pytest.fixture(scope="module")
def camera() -> Iterator[FaultyCamera]:
    """A camera with every fault; as a Foscam too."""
    with FaultyCamera() as camera:
        camera.faults["/cgi-bin/CGIProxy.fcgi"] = camera.faults["/fine"]
        yield camera


@pytest.fixture(scope="module")
def brands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one simulated camera of each brand; all show the same picture."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "picture.jpg").write_bytes(PICTURE)
    pictures = {each: Pictures(each, folder) for each in ("gate", "yard")}
    account = Account("ad min", "p:w")
    with simulated(
        *demo_devices(pictures, foscam=account, generic=account, brands=account)
    ) as cameras:
        yield base_of(cameras)


@pytest.fixture(params=KINDS)
def adapter(request: pytest.FixtureRequest, brands: str, tmp_path: Path) -> Iterator[Adapter]:
    """Each adapter, before a source with one picture."""
    (tmp_path / "picture.jpg").write_bytes(PICTURE)
    sections: dict[str, dict[str, Any]] = {
        "url": {"url": f"{brands}/plain/x.jpg"},
        "unifi": {"kind": "unifi", "url": brands},
        "file": {"kind": "file", "path": tmp_path / "picture.jpg"},
        "folder": {"kind": "file", "path": tmp_path},
        "told": {"kind": "told", "path": tmp_path / "told.json"},
    }
    where = urlsplit(brands)
    told = Told(str(where.hostname), where.port or 80, LOGIN["username"], LOGIN["password"])
    remember(tmp_path / "told.json", told)
    section = sections.get(request.param, {"kind": request.param, "url": brands, **LOGIN})
    adapter = adapter_for(FetchSection.model_validate(section))
    yield adapter
    adapter.close()


@pytest.fixture(params=KINDS)
def broken(request: pytest.FixtureRequest, tmp_path: Path) -> Adapter:
    """Each adapter, before a source that isn't there."""
    address = f"http://127.0.0.1:{free_port()}"
    (tmp_path / "empty").mkdir()
    sections: dict[str, dict[str, Any]] = {
        "url": {"url": address},
        "unifi": {"kind": "unifi", "url": address},
        "file": {"kind": "file", "path": tmp_path / "none.jpg"},
        "folder": {"kind": "file", "path": tmp_path / "empty"},
        "told": {"kind": "told", "path": tmp_path / "nothing.json"},
    }
    section = sections.get(request.param, {"kind": request.param, "url": address, **LOGIN})
    return adapter_for(FetchSection.model_validate(section))


def test_every_kind_of_the_settings_has_an_adapter_in_a_file_of_its_own() -> None:
    assert set(ADAPTERS) == set(get_args(FetchSection.model_fields["kind"].annotation))
    modules = {make.__module__ for make in ADAPTERS.values()}
    assert modules == {f"services.camera.brands.{kind}" for kind in ADAPTERS}


@pytest.mark.promise("feat A1", "feat A2", "feat A8")
def test_an_adapter_gives_the_picture_byte_for_byte_and_again(adapter: Adapter) -> None:
    assert take(adapter) == PICTURE
    assert take(adapter) == PICTURE


def test_a_source_that_is_not_there_is_a_camera_error(broken: Adapter) -> None:
    with pytest.raises(CameraError) as caught:
        take(broken)
    assert str(caught.value)


def test_no_thread_and_no_descriptor_is_left(adapter: Adapter, broken: Adapter) -> None:
    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    take(adapter)
    threads = {thread for thread in threading.enumerate() if thread.name.startswith("http-")}
    before = open_files()
    for _ in range(20):
        take(adapter)
        with pytest.raises(CameraError):
            take(broken)
    assert {t for t in threading.enumerate() if t.name.startswith("http-")} == threads
    # The faulty camera is in this process too; a connection or two of its may still close.
    assert open_files() <= before + 3


@pytest.mark.promise("fault C2", "fault C3")
@pytest.mark.parametrize(
    ("path", "kind", "words"),
    [
        ("/401", CredentialsRefused, "refuses user and password"),
        ("/403", CredentialsRefused, "denies"),
        ("/404", Misdirected, "no picture at this address"),
        ("/503", WrongAnswer, "too busy"),
        ("/html", WrongAnswer, ": IP Camera & Login"),
        ("/json", CredentialsRefused, "please login first"),
        ("/xml", CredentialsRefused, "user or password is wrong"),
        ("/empty", WrongAnswer, "nothing at all"),
        ("/short", WrongAnswer, "cut off"),
        ("/long-length", Unreachable, "in the middle"),
        ("/chunk-error", Unreachable, "in the middle"),
        ("/elsewhere", Misdirected, "http://192.0.2.1: not followed"),
        ("/file", Misdirected, "not followed"),
        ("/circle", Misdirected, "circle"),
        ("/nowhere", WrongAnswer, "without saying where"),
        ("/bomb", WrongAnswer, "compressed"),
        ("/reset", Unreachable, "in the middle"),
        ("/hang-up", Unreachable, "closed the connection"),
        ("/no-http", Unreachable, "closed the connection"),
    ],
)
def test_a_fault_is_an_error_with_its_meaning(
    camera: FaultyCamera, path: str, kind: type[CameraError], words: str
) -> None:
    with pytest.raises(CameraError) as caught:
        take(fetch(camera.url(path), username="u", password="canary"))
    assert type(caught.value) is kind, caught.value
    assert words in str(caught.value)


@pytest.mark.promise("fault C3")
@pytest.mark.parametrize("path", ["/fine", "/text", "/no-length", "/garbage", "/chunked", "/here"])
def test_what_is_only_odd_still_gives_the_picture(camera: FaultyCamera, path: str) -> None:
    assert take(fetch(camera.url(path))) == PICTURE


def test_a_png_and_the_first_frame_of_a_stream_are_pictures(camera: FaultyCamera) -> None:
    assert take(fetch(camera.url("/png"))) == png()
    assert take(fetch(camera.url("/stream"))) == jpeg(10)


def test_a_name_that_nobody_has_is_told() -> None:
    with pytest.raises(Misdirected, match=r"no computer is called camera\.invalid"):
        take(fetch("http://camera.invalid/"))


@pytest.mark.promise("fault C2")
def test_no_redirect_leads_to_another_place(camera: FaultyCamera) -> None:
    with FaultyCamera() as other:
        for target in (other.url("/fine"), f"//127.0.0.1:{other.port}/fine", "gopher://127.0.0.1/"):
            camera.faults["/away"] = says(
                f"HTTP/1.1 302 Found\r\nLocation: {target}\r\n\r\n".encode()
            )
            with pytest.raises(Misdirected):
                take(fetch(camera.url("/away"), username="u", password="canary"))
        assert other.requests == []


def test_proxies_and_netrc_of_the_machine_are_not_used(
    camera: FaultyCamera, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert take(fetch(camera.url("/fine"))) == PICTURE
    assert "Authorization" not in camera.requests[-1]


@pytest.mark.promise("feat A5")
def test_a_foscam_gets_user_and_password_encoded_in_the_query(camera: FaultyCamera) -> None:
    section = {"kind": "foscam", "url": camera.url() + "/", "username": "ad min", "command": "x2"}
    take(adapter_for(FetchSection.model_validate({**section, "password": "a@b:&#=+%/ü"})))
    assert camera.paths()[-1] == (
        "/cgi-bin/CGIProxy.fcgi?cmd=x2&usr=ad%20min&pwd=a%40b%3A%26%23%3D%2B%25%2F%C3%BC"
    )


@pytest.mark.promise("feat A2", "feat A5")
def test_a_url_may_hold_places_for_user_and_password(camera: FaultyCamera) -> None:
    url = camera.url("/fine?cmd=Snap&user={username}&password={password}")
    take(fetch(url, username="ad min&/ü", password="a&b"))
    assert camera.paths()[-1] == ("/fine?cmd=Snap&user=ad%20min%26%2F%C3%BC&password=a%26b")


@pytest.mark.promise("fault C2")
def test_a_wrong_password_is_sent_once(camera: FaultyCamera) -> None:
    for path, kind in (("/401", "Basic "), ("/401-digest", "Digest ")):
        before = len(camera.requests)
        with pytest.raises(CredentialsRefused):
            take(fetch(camera.url(path), username="u", password="wrong"))
        tries = [each for each in camera.requests[before:] if f"Authorization: {kind}" in each]
        assert len(tries) == 1


@pytest.mark.promise("feat A8")
def test_a_folder_gives_its_pictures_in_turn(tmp_path: Path) -> None:
    pictures = [jpeg(shade) for shade in (10, 40, 70)]
    for number, picture in enumerate(pictures):
        (tmp_path / f"{number}.JPG").write_bytes(picture)
    (tmp_path / "notes.txt").write_text("no picture")
    adapter = adapter_for(FetchSection(kind="file", path=tmp_path))
    assert [take(adapter) for _ in range(4)] == [*pictures, pictures[0]]


@pytest.mark.parametrize("url", ["ftp://camera/x.jpg", "file:///etc/passwd", "http://u:p@camera/"])
def test_an_address_that_is_not_plain_http_is_refused_by_the_settings(url: str) -> None:
    with pytest.raises(ValueError, match=r"http://|username"):
        FetchSection(url=url)


@pytest.mark.promise("fault C5")
def test_an_unknown_certificate_is_refused_unless_the_settings_say_so() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    with FaultyCamera(tls=context) as camera:
        url = camera.url("/fine", "https")
        with pytest.raises(Misdirected, match="not trusted"):
            take(fetch(url))
        assert camera.requests == []
        assert take(fetch(url, verify_tls=False)) == PICTURE
