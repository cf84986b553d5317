"""Real FTP clients and the habits of cameras, over sockets, into a real store and journal."""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from ftplib import error_perm, error_temp
from pathlib import Path

import pytest

from services.ftp import session
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


@pytest.fixture
def door(tmp_path):
    with ftp_door(tmp_path) as running:
        yield running


def run(*command: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, input=given, capture_output=True, text=True, timeout=60, check=False
    )


def client(name: str) -> str:
    path = shutil.which(name)
    assert path, f"{name} is not installed; tests/requirements of the system name it"
    return path


def stored(door, name: str) -> bytes:
    (row,) = [row for row in door.core.journal.read.snapshots(limit=500) if row.name.endswith(name)]
    return door.core.store.read(row.sha256)


@pytest.fixture
def photo(tmp_path) -> Path:
    path = tmp_path / "MDAlarm_20260301-101112.jpg"
    path.write_bytes(picture(7) + bytes(50_000))
    return path


@pytest.mark.promise("feat B1")
@pytest.mark.promise("feat B2")
@pytest.mark.promise("inv I1")
def test_curl_puts_a_picture(door, photo):
    url = f"ftp://127.0.0.1:{door.port}/snap/{photo.name}"
    done = run(
        client("curl"), "-sS", "--ftp-create-dirs", "-T", str(photo), "-u", f"porch:{PASSWORD}", url
    )
    assert done.returncode == 0, done.stderr
    assert stored(door, photo.name) == photo.read_bytes()
    (row,) = door.core.journal.read.snapshots()
    assert (row.camera, row.door, row.name) == ("porch", "ftp", f"snap/{photo.name}")
    assert row.sha256 == hashlib.sha256(photo.read_bytes()).hexdigest()
    assert [event.topic for event in door.core.told] == ["snapshot.taken"]


@pytest.mark.promise("feat B1")
def test_lftp_makes_folders_puts_renames_and_lists(door, photo):
    script = f"""
set ftp:ssl-allow no; set net:max-retries 1; set cmd:fail-exit yes
mkdir -p a/b/c
cd a/b/c
put {photo} -o x.tmp
mv x.tmp x.jpg
cls -1
"""
    done = run(client("lftp"), "-u", f"porch,{PASSWORD}", f"127.0.0.1:{door.port}", given=script)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["x.jpg"]
    assert door.names() == ["a/b/c/x.tmp"]
    assert stored(door, "x.tmp") == photo.read_bytes()


@pytest.mark.promise("feat B1")
@pytest.mark.parametrize("mode", ["binary", "ascii"])
def test_tnftp_puts_a_picture_whatever_it_says_of_its_type(door, photo, mode):
    done = run(
        client("tnftp"),
        "-n",
        "127.0.0.1",
        str(door.port),
        given=f'user porch "{PASSWORD}"\n{mode}\nput {photo} x.jpg\nbye\n',
    )
    assert done.returncode == 0, done.stderr
    # In ASCII mode the client itself adds \r to each \n; the server changes nothing.
    changed = photo.read_bytes().replace(b"\n", b"\r\n")
    assert stored(door, "x.jpg") in (photo.read_bytes(), changed)


@pytest.mark.promise("feat B18")
def test_the_time_in_the_name_is_the_time_of_the_picture(tmp_path):
    cameras = {"porch": {"ftp": {"password": PASSWORD, "timezone": "Europe/Berlin"}}}
    with ftp_door(tmp_path, cameras=cameras) as door, door.client() as ftp:
        ftp.storbinary("STOR MDAlarm_20260301-101112.jpg", io.BytesIO(picture(1)))
        ftp.storbinary("STOR snapshot.jpg", io.BytesIO(picture(2)))
        later, first = door.core.journal.read.snapshots()
    assert first.captured_at == datetime(2026, 3, 1, 9, 11, 12, tzinfo=UTC)
    assert (first.captured_by, later.captured_by) == ("name", "arrival")


def test_dahua_reserves_space_and_is_told_200(door):
    with door.raw() as raw:
        assert raw.ask("ALLO 123456").startswith("200")
        assert raw.ask("CLNT camera").startswith("200")


def test_a_foscam_walks_down_its_folders_each_time(door):
    for number in range(2):
        with door.client() as ftp:
            for folder in ("FI9821W_C4D6553CA13C", "snap"):
                ftp.mkd(folder)
                ftp.mkd(folder)
                ftp.cwd(folder)
            ftp.storbinary(f"STOR MDAlarm_20260301-10111{number}.jpg", io.BytesIO(picture(number)))
    assert len(door.names()) == 2


def test_a_folder_of_yesterday_is_there_today(door):
    with door.client() as ftp:
        ftp.cwd("snap/2026")
        assert ftp.pwd() == "/snap/2026"


def test_a_busybox_asks_in_lower_case(door):
    with door.raw("") as raw:
        assert raw.ask("user porch").startswith("331")
        assert raw.ask(f"pass {PASSWORD}").startswith("230")
        assert raw.ask("epsv").startswith("229")
        assert raw.ask("type i").startswith("200")
        assert raw.ask("noop").startswith("200")


def test_lines_may_end_without_carriage_return(door):
    with door.raw("") as raw:
        raw.socket.sendall(b"USER porch\n")
        assert raw.read().startswith("331")


@pytest.mark.parametrize(
    "kind", ["A", "I", "A N", "L 8", "i", "E"], ids=lambda kind: kind.replace(" ", "_")
)
def test_every_type_means_bytes_as_they_come(door, kind):
    content = picture(1) + b"\r\n\n\r" * 100
    with door.raw() as raw:
        assert raw.ask(f"TYPE {kind}").startswith("200")
        assert raw.put("x.jpg", content).startswith("226")
    assert stored(door, "x.jpg") == content


@pytest.mark.parametrize("command", ["STOR", "APPE"])
@pytest.mark.promise("fault F6")
def test_every_upload_is_a_whole_file(door, command):
    with door.raw() as raw:
        assert raw.put("x.jpg", picture(1), command).startswith("226")
        assert raw.put("x.jpg", picture(2), command).startswith("226")
    assert len(door.names()) == 2


@pytest.mark.promise("fault F6")
def test_a_unique_name_is_made_and_told(door):
    with door.raw() as raw, raw.data() as data:
        answer = raw.ask("STOU")
        assert re.fullmatch(r"(150|125) FILE: \S+", answer)
        name = answer.split()[-1]
        data.sendall(picture(1))
        data.close()
        assert raw.read().startswith("226")
    assert door.names() == [name]


@pytest.mark.promise("fault F6")
def test_uploads_are_not_resumed_and_nothing_comes_out_again(door):
    with door.raw() as raw:
        raw.put("x.jpg", picture(1))
        assert raw.ask("REST 0").startswith("350")
        assert raw.ask("REST 100").startswith("502")
        assert raw.ask("RETR x.jpg").startswith("550")
        assert raw.ask("SITE CHMOD 777 x.jpg")[0] == "5"
        assert raw.ask("MFMT 20260101000000 x.jpg")[0] == "5"
        assert raw.ask("SITE EXEC id")[0] == "5"


@pytest.mark.promise("fault F6")
@pytest.mark.promise("sec A7")
def test_names_can_be_renamed_and_deleted_but_the_picture_stays(door):
    with door.client() as ftp:
        ftp.storbinary("STOR x.tmp", io.BytesIO(picture(1)))
        assert ftp.size("x.tmp") == len(picture(1))
        ftp.rename("x.tmp", "x.jpg")
        assert ftp.nlst() == ["x.jpg"]
        lines: list[str] = []
        ftp.retrlines("LIST", lines.append)
        assert lines[0].endswith(" x.jpg") and len(lines) == 1
        assert [name for name, _ in ftp.mlsd()] == ["x.jpg"]
        ftp.delete("x.jpg")
        assert ftp.nlst() == []
        with pytest.raises(error_perm):
            ftp.delete("x.jpg")
    assert door.names() == ["x.tmp"]
    assert stored(door, "x.tmp") == picture(1)


@pytest.mark.promise("sec A1")
def test_a_session_sees_only_its_own_names(door):
    with door.client() as first, door.client() as second:
        first.storbinary("STOR x.jpg", io.BytesIO(picture(1)))
        assert second.nlst() == []
        with pytest.raises(error_perm):
            second.size("x.jpg")


@pytest.mark.promise("fault F5")
def test_the_same_name_again_never_touches_the_first_picture(door):
    with door.raw() as first, door.raw() as second, door.raw("yard") as other:
        slow = first.begin("x.jpg")
        slow.sendall(picture(1)[:50])
        assert second.put("x.jpg", picture(2)).startswith("226")
        assert other.put("x.jpg", picture(2)).startswith("226")
        slow.sendall(picture(1)[50:])
        slow.close()
        assert first.read().startswith("226")
    rows = door.core.journal.read.snapshots()
    contents = sorted((row.camera, door.core.store.read(row.sha256)) for row in rows)
    assert contents == [("porch", picture(1)), ("porch", picture(2)), ("yard", picture(2))]


@pytest.mark.promise("fault F3")
def test_a_repeated_upload_gets_the_same_id_and_makes_no_second_snapshot(door):
    with door.raw() as raw:
        first = raw.put("MDAlarm_20260301-101112.jpg", picture(1))
        again = raw.put("MDAlarm_20260301-101112.jpg", picture(1))
    assert first.rstrip(".").split()[-1] == again.rstrip(".").split()[-1]
    assert len(door.names()) == 1
    assert door.about()["uploads"]["repeated"] == 1


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


@pytest.mark.promise("fault F7")
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


def test_ftplib_raises_what_the_answers_mean(door):
    with door.client() as ftp:
        with pytest.raises(error_temp, match="incomplete"):
            ftp.storbinary("STOR x.jpg", io.BytesIO(picture(1)[:-2]))
        with pytest.raises(error_perm, match="AVI"):
            ftp.storbinary("STOR x.avi", io.BytesIO(b"RIFF\0\0\0\0AVI " + bytes(2000)))


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
    monkeypatch.setattr(session, "PASSIVE_WAIT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with (
            ftp_door(tmp_path, {"passive_ports": f"{port}-{port}"}) as door,
            door.raw() as raw,
        ):
            assert raw.ask("PASV").startswith("425")
            assert raw.ask("NOOP").startswith("200")


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
