"""`task configure` with a 1Password Connect server: what it takes over, and what goes wrong."""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.older import files
from shared.older.sources import read_env
from tests.support.house import Checkout
from tests.support.onepassword import TOKEN, VAULT, Answer, Connect
from tests.support.ports import free_port

FTP, DSN = "ftp-canary-2 $x#", "https://canary3@sentry.example/1"
ITEMS = {
    "ENV.snapshot-processor": {
        ("", "DEVICE_NAME"): "hall pi",
        ("", "RABBITMQ_EXCHANGE"): "home_automation",
        ("inputs", "INPUT_1_LOCATION"): "Front Door",
        ("", "FTP_PASS"): "older-canary-4",
        ("", "OP_CONNECT_TOKEN"): "canary-5",
        ("", "PATH"): "/evil",
        ("", "EMPTY"): "",
    },
    "FTP": {("", "username"): "cameras", ("", "password"): FTP},
    "Sentry": {("snapshot-processor", "dsn"): DSN, ("other", "dsn"): "wrong"},
    "flags": {("local-object-detection", "value"): "true"},
}


@pytest.fixture
def connect() -> Iterator[Connect]:
    with Connect(ITEMS) as connect:
        yield connect


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def configure(
    checkout: Checkout, host: str, vault: str = VAULT, token: str = TOKEN
) -> subprocess.CompletedProcess[str]:
    done = checkout.run(OP_CONNECT_HOST=host, OP_CONNECT_TOKEN=token, OP_VAULT=vault)
    assert "canary" not in done.stdout + done.stderr
    return done


@pytest.mark.promise("feat K8", "inv I16")
@pytest.mark.parametrize("vault", [VAULT, "House"])
def test_variables_go_into_env_and_secrets_into_their_files(
    checkout: Checkout, connect: Connect, vault: str
) -> None:
    done = configure(checkout, connect.host, vault)

    assert done.returncode == 0, done.stderr
    env = read_env((checkout.folder / ".env").read_text())
    assert {name: env.get(name) for name in (
        "DEVICE_NAME", "RABBITMQ_EXCHANGE", "INPUT_1_LOCATION", "FTP_USER",
        "FEATURE_FLAG_LOCAL_OBJECT_DETECTION", "COMPOSE_PROFILES", "SNAPBUS_PORT",
    )} == {
        "DEVICE_NAME": "hall pi",
        "RABBITMQ_EXCHANGE": "home_automation",
        "INPUT_1_LOCATION": "Front Door",
        "FTP_USER": "cameras",
        "FEATURE_FLAG_LOCAL_OBJECT_DETECTION": "true",
        "COMPOSE_PROFILES": "legacy",
        "SNAPBUS_PORT": "8080",
    }  # fmt: skip
    assert checkout.secret("cameras/ftp_cameras_password") == FTP
    assert checkout.secret("sentry_dsn") == DSN
    assert "canary" not in (checkout.folder / ".env").read_text()
    assert {"PATH", "EMPTY"}.isdisjoint(env)
    assert "has a field PATH, not understood" in done.stdout


@pytest.mark.promise("feat K8")
def test_what_is_in_env_already_stays(checkout: Checkout, connect: Connect) -> None:
    (checkout.folder / ".env").write_text("DEVICE_NAME=mine\nCOMPOSE_PROFILES=\n")
    configure(checkout, connect.host)

    env = read_env((checkout.folder / ".env").read_text())
    assert (env["DEVICE_NAME"], env["COMPOSE_PROFILES"]) == ("mine", "")
    assert env["INPUT_1_LOCATION"] == "Front Door"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((401, b""), "it does not accept OP_CONNECT_TOKEN"),
        ((403, b""), "may not read the vault of OP_VAULT"),
        ((200, b"[]"), "there is no such vault"),
        ((500, b"canary"), "it answers with status 500"),
        ((302, b""), "it answers with status 302"),
        ((200, b"<html>canary</html>"), "is not of 1Password Connect"),
        ((200, b'[{"id": "vault7"}, 7]'), "is not of 1Password Connect"),
    ],
)
def test_what_goes_wrong_is_said_and_what_is_there_is_used(
    checkout: Checkout, connect: Connect, answer: Answer, why: str
) -> None:
    connect.instead = lambda url: answer
    (checkout.folder / ".env").write_text("KEPT=1\n")
    done = configure(checkout, connect.host)

    assert (done.returncode, done.stderr) == (0, "")
    assert why in done.stdout
    assert "what is there already is used" in done.stdout
    assert (checkout.folder / "secrets/rabbitmq_definitions.json").is_file()


@pytest.mark.parametrize(
    ("host", "why"),
    [("", "can't be reached: Connection refused"), ("file:///etc/passwd", "must begin with http")],
)
def test_without_it_a_first_env_is_not_made(checkout: Checkout, host: str, why: str) -> None:
    done = configure(checkout, host or f"http://127.0.0.1:{free_port()}")

    assert done.returncode == 1
    assert why in done.stdout
    assert not (checkout.folder / ".env").exists()


@pytest.mark.parametrize(
    "code", ["import os; os.kill(os.getpid(), 9)", "raise SystemExit(1)", "1 +"], ids=len
)
def test_only_an_env_that_was_made_just_now_goes_when_it_fails(
    checkout: Checkout, code: str
) -> None:
    (checkout.folder / "tasks/onepassword.py").write_text(code)
    file = checkout.folder / ".env"

    assert checkout.run().returncode == 1
    assert not file.exists()
    file.write_text("MINE=1\n")
    assert checkout.run().returncode == 1
    assert file.read_text() == "MINE=1\n"


def test_an_env_that_is_no_utf8_is_told_and_stays(checkout: Checkout, connect: Connect) -> None:
    file = checkout.folder / ".env"
    file.write_bytes(b"A=1\nB=canary-\xe9\n")
    done = configure(checkout, connect.host)

    assert (done.returncode, file.read_bytes()) == (1, b"A=1\nB=canary-\xe9\n")
    assert done.stderr == "snapbus: .env, line 2: is no UTF-8; save the file as UTF-8\n"


def test_nothing_interrupts_the_writing(
    checkout: Checkout, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[float] = []

    def written(*_: object) -> list[str]:
        left.append(signal.getitimer(signal.ITIMER_REAL)[0])
        return []

    (checkout.folder / "secrets/cameras").mkdir(parents=True)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name, value in (("HOST", connect.host), ("TOKEN", TOKEN)):
        monkeypatch.setenv(f"OP_CONNECT_{name}", value)
    monkeypatch.setenv("OP_VAULT", VAULT)
    monkeypatch.setattr(files, "add_to_env", written)
    monkeypatch.setattr(sys, "argv", ["onepassword.py"])
    before = signal.getsignal(signal.SIGALRM)
    spec = importlib.util.spec_from_file_location(
        "onepassword", checkout.folder / "tasks/onepassword.py"
    )
    assert spec and spec.loader
    task = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(task)
    try:
        task.main()
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)

    assert left == [0.0]
