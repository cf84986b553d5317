"""What the server tells of uploads: to the camera, in the log, on the page; and where data goes."""

from __future__ import annotations

import io
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.ftp import data
from tests.support.fakes import eventually
from tests.support.ftpdoor import PASSWORD, ftp_door
from tests.support.ftpdoor import session as connect
from tests.support.making import picture
from tests.support.ports import free_port


def address_of_this_machine() -> str:
    """One by which it is no neighbour of itself; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but that of itself")
        return str(probe.getsockname()[0])


@pytest.mark.promise("fault F7")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.jpg", b""),
        ("test.txt", b"test"),
        ("DVRWorkDirectory", b"x" * 20),
        ("Test.jpg", b"hello"),
        ("connection-check", b"1"),
    ],
)
def test_a_cameras_test_button_is_answered_and_told(door, name, content):
    with door.raw() as raw:
        assert raw.put(name, content).startswith("226")
        assert raw.put(name, content).startswith("226")
        assert raw.ask(f"DELE {name}").startswith("250")
    assert door.names() == []
    (told,) = [event for event in door.core.told if event.topic == "camera.tested"]
    assert (told.subject, told.data["name"], told.data["door"]) == ("porch", name, "ftp")


@pytest.mark.promise("feat L3", "fault F7")
@pytest.mark.parametrize(
    ("name", "content", "code", "says"),
    [
        ("record.mp4", b"\0\0\0\x18ftypmp42" + bytes(90_000), "553", "MP4"),
        ("alarm.avi", b"RIFF\0\0\0\0AVI " + bytes(2000), "553", "AVI"),
        ("x.jpg", b"<html><body>error</body></html>", "553", "HTML"),
        ("x.jpg", b'{"error": 1}', "553", "JSON"),
        ("x.jpg", b"\xff\xd8", "553", "JPEG"),
        ("x", b"\xff", "553", "JPEG"),
        ("x.jpg", picture(1)[:-2], "451", "cut off"),
        ("x.jpg", picture(1)[: len(picture(1)) // 2], "451", "incomplete"),
        ("x.jpg", picture(1) * 1000, "552", "limit"),
    ],
)
def test_what_is_no_whole_picture_is_refused_with_its_reason(door, name, content, code, says):
    with door.raw() as raw:
        answer = raw.put(name, content)
        assert answer.startswith(code) and says in answer
        assert raw.put("good.jpg", picture(9)).startswith("226")
    assert door.names() == ["good.jpg"]
    assert [event.topic for event in door.core.told] == ["snapshot.taken"]
    assert not list(door.core.store.incoming.iterdir())


@pytest.mark.promise("feat L3", "fault F7")
def test_a_film_is_refused_by_its_first_bytes_and_not_read_to_its_end(door):
    with door.raw() as raw, raw.begin("record.mp4") as film:
        film.sendall(b"\0\0\0\x18ftypmp42" + bytes(2000))
        answer = raw.read()
    assert answer.startswith("553") and "MP4" in answer


def test_the_state_tells_accounts_connections_and_uploads(door):
    with door.raw() as raw:
        raw.put("x.jpg", picture(1))
        raw.put("y.jpg", b"no picture" * 200)
        about = door.about()
    assert about["ok"] and about["accounts"] == 2 and about["connections"] == 1
    assert about["uploads"]["taken"] == 1 and about["uploads"]["refused"] == 1
    assert "porch" in about["last_refusal"]
    eventually(lambda: door.about()["connections"] == 0)


@pytest.mark.promise("feat B5")
def test_logins_and_uploads_are_logged_with_who_and_where_from(door, caplog):
    caplog.set_level("INFO")
    with door.raw() as raw:
        raw.put("x.jpg", picture(1))
        raw.put("y.mp4", b"\0\0\0\x18ftypmp42" + bytes(3000))
    with door.raw("") as stranger:
        stranger.ask("USER porch")
        assert stranger.ask("PASS not-the-password").startswith("530")
    told = {getattr(each, "action", ""): each for each in caplog.records}
    assert {"ftp_login", "ftp_login_failed", "snapshot_taken", "upload_refused"} <= told.keys()
    assert vars(told["ftp_login"])["camera"] == vars(told["upload_refused"])["camera"] == "porch"
    for action in ("ftp_login", "ftp_login_failed"):
        assert vars(told[action])["address"] == "127.0.0.1"
    assert "'porch'" in told["ftp_login_failed"].getMessage()
    assert "not-the-password" not in caplog.text


@pytest.mark.promise("feat B8")
def test_behind_nat_the_outer_address_is_told_in_passive_mode(tmp_path):
    settings = {"host": "0.0.0.0", "masquerade_address": "203.0.113.9"}
    with ftp_door(tmp_path, settings) as door:
        eventually(lambda: door.server._state.outer_address == "203.0.113.9")
        with connect(door.port, host=address_of_this_machine()) as outside:
            assert "(203,0,113,9," in outside.ask("PASV")
        with door.raw() as inside:  # it is told the real address
            assert "(127,0,0,1," in inside.ask("PASV")


@pytest.mark.promise("feat B8")
@pytest.mark.promise("fault F13")
def test_one_passive_port_serves_many_cameras_in_turn(tmp_path):
    unused_port = free_port()
    with ftp_door(tmp_path, {"passive_ports": f"{unused_port}-{unused_port}"}) as door:

        def camera(number: int) -> str:
            with door.raw() as raw:
                return raw.put(f"{number}.jpg", picture(number))

        with ThreadPoolExecutor(8) as cameras:
            answers = list(cameras.map(camera, range(24)))
    assert [answer[:3] for answer in answers] == ["226"] * 24


@pytest.mark.promise("fault F13")
def test_a_passive_range_that_stays_busy_is_said_so(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "PASSIVE_WAIT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with (
            ftp_door(tmp_path, {"passive_ports": f"{port}-{port}"}) as door,
            door.raw() as raw,
        ):
            assert raw.ask("PASV").startswith("425")
            assert raw.ask("NOOP").startswith("200")


@pytest.mark.promise("fault F13")
def test_active_mode_is_off_unless_the_camera_needs_it(door):
    with door.raw() as raw, socket.create_server(("127.0.0.1", 0)) as waiting:
        high, low = divmod(waiting.getsockname()[1], 256)
        assert "passive mode" in raw.ask(f"PORT 127,0,0,1,{high},{low}")
        assert "cameras.porch.ftp.active" in raw.ask("EPRT |1|127.0.0.1|51210|")
        assert raw.ask("STOR x.jpg").startswith("425")


@pytest.mark.promise("sec A3")
@pytest.mark.promise("fault F13")
def test_active_mode_goes_to_the_cameras_own_address_only(tmp_path):
    cameras = {"porch": {"ftp": {"password": PASSWORD, "active": True}}}
    with ftp_door(tmp_path, cameras=cameras) as door:
        with door.client() as ftp:
            ftp.set_pasv(False)
            ftp.storbinary("STOR x.jpg", io.BytesIO(picture(1)))
        with door.raw() as raw:
            assert raw.ask("PORT 10,0,0,1,200,10").startswith("501")
            assert raw.ask("EPRT |1|10.0.0.1|51210|").startswith("501")
            assert raw.ask("PORT 127,0,0,1,0,22").startswith("501")
            assert raw.ask("PORT 1,2,3").startswith("501")
            assert raw.ask("EPRT nonsense").startswith("501")
