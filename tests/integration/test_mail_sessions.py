"""Who may send mail: logins, TLS, recipients, and what somebody hides in what he sends."""

from __future__ import annotations

import base64
import smtplib
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared import tls
from shared.ingest import accounts
from tests.support.fakes import eventually
from tests.support.maildoor import PASSWORD, Raw, Running, mail, mail_door, trusting
from tests.support.making import picture

DATA = Path(__file__).parents[1] / "data"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


PLAIN = b64(f"\0porch\0{PASSWORD}")
WRONG = b64("\0porch\0wrong")


def account(**settings: Any) -> dict[str, Any]:
    return {"porch": {"mail": {"password": PASSWORD} | settings}}


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Running]:
    with mail_door(tmp_path) as running:
        yield running


@pytest.mark.promise("sec A5")
def test_nothing_is_taken_before_a_login(door: Running):
    with door.raw("") as raw:
        for command in ("MAIL FROM:<x@y>", "RCPT TO:<porch@x>", "DATA"):
            assert raw.ask(command).startswith("530 5.7.0 Log in first")
        assert raw.ask("VRFY porch").startswith("252")
        assert raw.ask("EXPN porch").startswith("502")
    assert door.kept_nothing()


@pytest.mark.promise("feat B19")
@pytest.mark.parametrize("name", ["porch", "porch@snapbus.local", "porch@192.168.1.5"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "plain", "PLAIN later", "LOGIN", "login name"])
def test_cameras_log_in_as_they_can(door: Running, name: str, mechanism: str):
    with door.raw("") as raw:
        match mechanism.split():
            case [way] if way.upper() == "PLAIN":
                answer = raw.ask(f"AUTH {way} {b64(f'{chr(0)}{name}{chr(0)}{PASSWORD}')}")
            case ["PLAIN", "later"]:
                assert raw.ask("AUTH PLAIN") == "334 "
                answer = raw.ask(b64(f"\0{name}\0{PASSWORD}"))
            case ["LOGIN"]:
                assert raw.ask("AUTH LOGIN") == f"334 {b64('Username:')}"
                assert raw.ask(b64(name)) == f"334 {b64('Password:')}"
                answer = raw.ask(b64(PASSWORD))
            case _:
                assert raw.ask(f"AUTH login {b64(name)}") == f"334 {b64('Password:')}"
                answer = raw.ask(b64(PASSWORD))
        assert answer == "235 2.7.0 Logged in."


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("AUTH", "504"),
        ("AUTH CRAM-MD5", "504"),
        ("AUTH PLAIN !!!", "501"),
        (f"AUTH PLAIN {b64('porch')}", "501"),
        ("AUTH LOGIN !!!", "501"),
        ("AUTH LOGIN =", f"334 {b64('Password:')}"),
    ],
)
def test_a_broken_login_is_answered(door: Running, line: str, answer: str):
    with door.raw("") as raw:
        assert raw.ask(line).startswith(answer)


@pytest.mark.parametrize("word", ["pä§@:/% ss", "  spaces  "])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_odd_passwords_work(tmp_path: Path, word: str, encoding: str):
    said = base64.b64encode(f"\0porch\0{word}".encode(encoding)).decode()
    with mail_door(tmp_path, cameras=account(password=word)) as door, door.raw("") as raw:
        assert raw.ask(f"AUTH PLAIN {said}").startswith("235")


@pytest.mark.promise("sec A5", "inv I16")
def test_a_wrong_password_is_answered_late_three_times_and_in_no_log(door: Running, caplog):
    caplog.set_level("DEBUG")
    start = time.monotonic()
    with door.raw("") as raw:
        assert raw.ask(f"AUTH PLAIN {WRONG}") == "535 5.7.8 Wrong user or password."
        assert time.monotonic() - start >= 1
        assert raw.ask(f"AUTH PLAIN {b64(f'{chr(0)}nobody{chr(0)}x')}").startswith("535")
        assert raw.ask(f"AUTH PLAIN {WRONG}").endswith("Goodbye.")
        assert raw.read() == ""
        again = Raw(door.port)
        again.ask("EHLO x")
        again.ask(f"AUTH PLAIN {PLAIN}")
        again.ask("QUIT")
        again.close()
    assert "wrong user or password for 'porch' from 127.0.0.1" in caplog.text
    assert "camera porch logged in from 127.0.0.1" in caplog.text
    eventually(lambda: caplog.text.count("127.0.0.1 left") == 2)
    for secret in (PASSWORD, WRONG, PLAIN):
        assert secret.upper() not in caplog.text.upper()


@pytest.mark.promise("inv I16")
def test_a_password_that_is_sent_without_being_asked_for_is_in_no_log(tmp_path: Path, caplog):
    caplog.set_level("DEBUG")
    with mail_door(tmp_path, cameras=account(tls="required")) as door, door.raw("") as raw:
        for line in ("AUTH LOGIN", b64("porch"), b64(PASSWORD), b64(PASSWORD)):
            raw.ask(line)
    assert b64(PASSWORD).upper() not in caplog.text.upper()


@pytest.mark.promise("sec A5", "find M7")
def test_guessing_is_an_alarm(door: Running, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shared.ingest.guesses.MANY", 3)
    with door.raw("") as raw:
        for _ in range(3):
            raw.ask(f"AUTH PLAIN {WRONG}")
    eventually(lambda: door.told("camera.guessed") == ["porch"])
    assert "guesses the password of porch" in door.about()["summary"]


@pytest.mark.promise("feat B19", "sec A6")
@pytest.mark.parametrize("begin", ["STARTTLS", "at once"])
def test_mail_comes_in_tls(door: Running, begin: str):
    if begin == "STARTTLS":
        smtp = smtplib.SMTP("127.0.0.1", door.port, timeout=20)
        smtp.starttls(context=trusting())
    else:
        port = door.server.tls_port
        smtp = smtplib.SMTP_SSL("127.0.0.1", port, timeout=20, context=trusting())
    with smtp:
        smtp.login("porch", PASSWORD)
        smtp.sendmail("cam@x", ["porch@x"], mail(picture(1)))
        assert "starttls" not in smtp.esmtp_features
    assert door.stored() == [picture(1)]


@pytest.mark.promise("sec A6")
def test_a_camera_that_needs_tls_is_refused_before_its_password(tmp_path: Path):
    with mail_door(tmp_path, cameras=account(tls="required")) as door, door.raw("") as raw:
        assert "AUTH" in raw.ask("EHLO x"), "the other camera may"
        assert raw.ask(f"AUTH LOGIN {b64('porch')}").startswith("530 5.7.0 This account is for")
        assert raw.ask(f"AUTH PLAIN {PLAIN}").startswith("530 5.7.0 This account is for TLS")
        assert raw.ask("STARTTLS").startswith("220")
        raw.secure()
        raw.ask("EHLO x")
        assert raw.ask(f"AUTH PLAIN {PLAIN}").startswith("235")
        assert raw.put(mail(picture(1))).startswith("250")


@pytest.mark.promise("sec A6")
def test_where_all_need_tls_no_password_is_asked_for_without(tmp_path: Path):
    both = account(tls="required") | {"yard": {"mail": {"password": "x", "tls": "required"}}}
    with mail_door(tmp_path, cameras=both) as door, door.raw("") as raw:
        assert "AUTH" not in raw.ask("EHLO x")
        assert raw.ask("STARTTLS").startswith("220")
        raw.secure()
        assert "250-AUTH LOGIN PLAIN" in raw.ask("EHLO x")


@pytest.mark.promise("sec A6")
def test_a_camera_for_plain_mail_is_refused_in_tls(tmp_path: Path):
    with mail_door(tmp_path, cameras=account(tls="plain")) as door, door.raw("") as raw:
        raw.ask("STARTTLS")
        raw.secure()
        raw.ask("EHLO x")
        assert raw.ask(f"AUTH PLAIN {PLAIN}").startswith("534")


@pytest.mark.promise("sec A6", "fault M11")
def test_what_was_said_before_tls_counts_for_nothing_in_it(door: Running):
    with door.raw() as raw:
        raw.send(b"STARTTLS\r\nMAIL FROM:<x@y>\r\nRCPT TO:<porch@x>\r\nDATA\r\n")
        assert raw.read().startswith("220")
        raw.secure()
        assert raw.ask("NOOP").startswith("250"), "none of the injected lines is answered"
        assert raw.ask("MAIL FROM:<x@y>").startswith("503"), "EHLO is forgotten"
        raw.ask("EHLO x")
        assert raw.ask("MAIL FROM:<x@y>").startswith("530"), "so is the login"
        assert raw.ask("STARTTLS").startswith("503")


@pytest.mark.promise("feat B19")
@pytest.mark.parametrize("to", ["porch@x", "PORCH@snapbus.local", "porch"])
def test_a_camera_writes_to_its_own_address(door: Running, to: str):
    with door.raw() as raw:
        raw.ask("MAIL FROM:<>")
        assert raw.ask(f"RCPT TO:<{to}>").startswith("250")


@pytest.mark.parametrize("sender", ["<>", "<cam>", "cam@x", "<a b@c>", "< cam@x >", "<ü@x>"])
def test_what_a_sender_is_called_matters_to_nobody(door: Running, sender: str):
    with door.raw() as raw:
        assert raw.ask(f"MAIL FROM:{sender}").startswith("250")


@pytest.mark.promise("feat B19")
@pytest.mark.parametrize("to", ["yard@x", "somebody@example.org", "@x:porch@y", "porch%x@y", ""])
def test_nothing_is_relayed(door: Running, to: str):
    with door.raw() as raw:
        raw.ask("MAIL FROM:<cam@x>")
        answer = raw.ask(f"RCPT TO:<{to}>")
        assert answer == "550 5.7.1 Nothing is relayed: this account writes to porch@ only."
        assert raw.ask("DATA").startswith("503")


HIDDEN = b"MAIL FROM:<a@b>\r\nRCPT TO:<porch@x>\r\nDATA\r\n" + mail(picture(2)) + b"\r\n.\r\n"


@pytest.mark.promise("fault M11")
@pytest.mark.parametrize(
    "end",
    [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\n.\r", b"\0.\r\n"],
)
def test_no_mail_hides_in_a_mail(door: Running, end: bytes):
    with door.raw() as raw:
        raw.begin()
        raw.send(mail(picture(1)) + b"x" + end + HIDDEN)
        assert raw.read().startswith("250 2.0.0 Taken as ")
        raw.socket.settimeout(0.3)
        with pytest.raises(TimeoutError):
            raw.read()
    assert door.stored() == [picture(1)]


def test_lines_of_dots_come_in_as_they_are(door: Running):
    text = b"\r\n.\r\n..\r\n.x\r\n".replace(b"\r\n.", b"\r\n..")
    data = b"Content-Type: image/jpeg\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    with door.raw() as raw:
        assert raw.put(data + picture(1) + text).startswith("250")
    assert door.stored() == [picture(1) + b"\r\n.\r\n..\r\n.x\r\n"]


def test_mails_that_are_sent_without_waiting_are_all_taken(door: Running):
    one = b"MAIL FROM:<a@b>\r\nRCPT TO:<porch@x>\r\nDATA\r\n%b\r\n.\r\n"
    with door.raw() as raw:
        raw.send(b"".join(one % mail(picture(number)) for number in range(3)) + b"QUIT\r\n")
        answers = [raw.read()[:3] for _ in range(13)]
    assert answers == ["250", "250", "354", "250"] * 3 + ["221"]
    assert door.stored() == [picture(number) for number in range(3)]


def test_the_certificate_is_made_once_and_its_fingerprint_is_told(tmp_path: Path):
    prints = set()
    for _ in range(2):
        with mail_door(tmp_path) as door:
            prints.add(door.about()["certificate_sha256"])
            file = door.core.settings.data / "mail-certificate.pem"
            assert file.stat().st_mode & 0o777 == 0o600
    assert len(prints) == 1


def test_a_client_is_told_to_come_again_when_the_server_stops(door: Running):
    with Raw(door.port) as raw:
        raw.ask("EHLO x")
        door.halt()
        assert raw.read().startswith("421")


@pytest.mark.promise("sec A5")
def test_after_a_restart_a_camera_is_known_where_it_was_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with mail_door(tmp_path) as door, door.raw():
        pass
    # For who is not known nothing is checked after the first wrong one.
    monkeypatch.setattr(accounts, "OF_ACCOUNT", accounts.Rate(1, 0.0))
    with mail_door(tmp_path) as door:
        with door.raw("") as raw:
            assert raw.ask("EHLO camera").startswith("250")
            assert raw.ask(f"AUTH PLAIN {WRONG}").startswith("535")
        with door.raw() as raw:
            assert raw.put(mail(picture(1))).startswith("250")


@pytest.mark.promise("sec A6")
def test_a_renewed_certificate_is_taken_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tls, "LOOK_S", 0.0)
    file = tmp_path / "server.pem"
    file.write_bytes((DATA / "self_signed.pem").read_bytes())

    def shown(door: Running) -> bytes | None:
        with door.raw("") as raw:
            assert raw.ask("EHLO camera").startswith("250")
            assert raw.ask("STARTTLS").startswith("220")
            raw.secure()
            assert isinstance(raw.socket, ssl.SSLSocket)
            return raw.socket.getpeercert(binary_form=True)

    with mail_door(tmp_path / "system", {"certificate": str(file)}) as door:
        first = shown(door)
        file.write_bytes((DATA / "certificate_good.pem").read_bytes())
        assert first and shown(door) != first
