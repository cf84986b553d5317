"""``try`` says what it saw and what to change; ``find`` lists who answers, and only when asked."""

from __future__ import annotations

import io
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from zeroconf import ServiceInfo, Zeroconf

from services.camera import find, trial
from services.camera.discovery import ws
from services.simulator.devices import onvif, plain, reolink
from shared.events import now
from tests.support.camera_pictures import PHOTOS
from tests.support.ports import free_port
from tests.support.simulated import ODD, base_of, device, simulated

CERTIFICATE = Path(__file__).parents[1] / "data" / "self_signed.pem"


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes by the standard input."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{ODD.password}\n"))


@pytest.mark.promise("feat A20")
@pytest.mark.usefixtures("password")
def test_a_camera_that_is_in_no_configuration_is_tried(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with simulated(device(reolink.Reolink, photos)) as cameras:
        host = f"127.0.0.1:{cameras.port}"
        words = ["reolink", host, "--username", ODD.username, "--save", str(tmp_path / "a.jpg")]
        assert trial.main(words) == trial.FINE
    said = capsys.readouterr().out
    assert f"reached     127.0.0.1, port {cameras.port}, in " in said
    assert "login       token\n" in said
    assert "picture     JPEG, 64 x 48, 2 kB in " in said
    assert "clock       right\n" in said
    assert said.endswith(f"fine        reolink {host} gives pictures\n")
    assert (tmp_path / "a.jpg").read_bytes() == PHOTOS[0]
    assert ODD.password not in said


@pytest.mark.promise("feat A20")
def test_a_camera_of_the_configuration_is_tried_and_its_session_given_back(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    camera = device(reolink.Reolink, photos)
    with simulated(camera) as cameras:
        section = {"kind": "reolink", "url": base_of(cameras), "username": ODD.username}
        fetch = {**section, "password": ODD.password}
        file = tmp_path / "snapbus.yml"
        file.write_text(
            yaml.safe_dump({"cameras": {"gate": {"fetch": fetch}, "porch": {"ftp": {}}}})
        )
        assert trial.main(["gate", "--config", str(file)]) == trial.FINE
        assert camera.sessions == {}
        for name, words in (("attic", "there are: gate, porch"), ("porch", "it has ftp")):
            assert trial.main([name, "--config", str(file)]) == trial.WRONG_USE
            assert words in capsys.readouterr().err


@pytest.mark.promise("feat A20")
@pytest.mark.usefixtures("password")
def test_a_clock_that_is_wrong_is_told(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    camera = device(onvif.Onvif, photos, clock=lambda: now() - timedelta(hours=7))
    with simulated(camera) as cameras:
        assert trial.main(["onvif", base_of(cameras), "--username", ODD.username]) == trial.FINE
    assert "clock       7 hours behind ours: set a time server" in capsys.readouterr().out


@pytest.mark.promise("feat A20")
def test_what_to_change_is_told(
    photos: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def tried(*words: str) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO("wrong\n"))
        assert trial.main(words) == trial.NO_PICTURE
        return capsys.readouterr().out

    with simulated(device(plain.Axis, photos)) as cameras:
        refused = tried("axis", base_of(cameras), "--username", ODD.username)
        assert "no picture  the camera refuses user and password (401" in refused
        assert "to change   Check 'username' and 'password'" in refused
        assert "Is ONVIF switched on" in tried("onvif", base_of(cameras))
    dead = tried("reolink", f"127.0.0.1:{free_port()}", "--username", "admin")
    assert "Connection refused" in dead and "HTTP or HTTPS switched on" in dead
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    with simulated(device(plain.Esp32, photos), tls=context) as cameras:
        url = base_of(cameras, "https")
        untrusted = tried("esp32", url)
        shown = untrusted.partition("fingerprint ")[2].strip()
        assert len(shown) == 95
        assert trial.main(["esp32", url, "--fingerprint", shown]) == trial.FINE


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["reolnk", "192.0.2.1"], "Input should be 'url'"),
        (["reolink", "192.0.2.1"], "kind 'reolink' needs 'username'"),
        (["rtsp", "192.0.2.1"], "kind 'rtsp' has no use for 'host'"),
        (["axis", "http://u:p@192.0.2.1"], "put the name and password of 'url'"),
    ],
)
def test_a_wrong_command_is_told_and_asks_nobody(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trial.main(words) == trial.WRONG_USE
    assert said in capsys.readouterr().err


@contextmanager
def discoverable(*answers: str) -> Iterator[tuple[str, int]]:
    """A camera that answers a probe: each of the answers, with the id of the question."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind(("127.0.0.1", 0))
        wire.settimeout(10)

        def serve() -> None:
            with suppress(OSError):
                data, sender = wire.recvfrom(65535)
                asked = data.decode().partition("MessageID>uuid:")[2].partition("<")[0]
                for each in answers:
                    wire.sendto(each.replace("ASKED", asked).encode(), sender)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield wire.getsockname()
        thread.join()


MATCH = """<s:Envelope><s:Header><a:RelatesTo>uuid:ASKED</a:RelatesTo></s:Header><s:Body>
<d:ProbeMatches><d:ProbeMatch><d:Scopes>onvif://www.onvif.org/name/IPC%20Front\x1b[31m
 onvif://www.onvif.org/hardware/X1</d:Scopes>
<d:XAddrs>http://192.0.2.77:8899/onvif/device_service</d:XAddrs></d:ProbeMatch></d:ProbeMatches>
</s:Body></s:Envelope>"""


@pytest.mark.promise("feat A33")
def test_onvif_cameras_that_answer_are_listed_at_the_address_that_answered(
    capsys: pytest.CaptureFixture[str],
) -> None:
    unasked = MATCH.replace("ASKED", "another-question").replace("Front", "Alien")
    others = (unasked, "no XML", "<a>uuid:ASKED</a>")
    with discoverable(*others, MATCH, MATCH) as (host, port):
        words = ["--seconds", "0.5", "--onvif", f"{host}:{port}", "--interface", "127.0.0.1"]
        assert find.main(words) == 0
    said = capsys.readouterr().out
    assert said.count("ONVIF") == 1 and "Alien" not in said
    assert "127.0.0.1:8899" in said and 'fetch: {kind: onvif, host: "127.0.0.1:8899"}' in said
    assert "IPC Front" in said and "\x1b" not in said


@pytest.mark.promise("feat A33")
def test_cameras_that_announce_themselves_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    info = ServiceInfo(
        "_axis-video._tcp.local.",
        "AXIS M1065 - ACCC8E._axis-video._tcp.local.",
        addresses=[socket.inet_aton("127.0.0.1")],
        port=80,
        server="axis-accc8e.local.",
    )
    announced = Zeroconf(interfaces=["127.0.0.1"])
    try:
        announced.register_service(info)
        with discoverable() as (host, port):
            words = ["--seconds", "1.5", "--onvif", f"{host}:{port}", "--interface", "127.0.0.1"]
            assert find.main(words) == 0
    finally:
        announced.close()
    said = capsys.readouterr().out
    assert 'fetch: {kind: axis, host: "127.0.0.1"}' in said and "AXIS M1065" in said


def test_nobody_answers_and_that_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with discoverable() as (host, port):
        words = ["--seconds", "0.2", "--onvif", f"{host}:{port}", "--interface", "127.0.0.1"]
        assert find.main(words) == 1
    assert "No camera answered" in capsys.readouterr().out
    assert ws.EVERYBODY.endswith(":3702")
