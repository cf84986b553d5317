"""Ten secrets of a running system, faults that could tell them, and nobody who is told."""

from __future__ import annotations

import base64
import ftplib
import json
import smtplib
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pika
import pytest
from sqlalchemy import MetaData, create_engine, make_url, select, text

from tests.support.amqp import Witness
from tests.support.cameras import FaultyCamera, answer, says
from tests.support.fakes import eventually
from tests.support.postgres import PostgresServer
from tests.support.rabbit import RabbitServer
from tests.support.sentry import sentry
from tests.support.system import System

NAMES = ("ftp", "mail", "foscam", "basic", "placeholder", "broker", "database", "person", "oidc")
CANARIES = {name: f"c@nary-{number} & {name}#" for number, name in enumerate(NAMES)}
SENTRY_KEY = "canary8sentry0key"
SERVICES = ("ftp", "mail", "camera", "detector", "api")


@dataclass
class Stage:
    """A system with canaries for secrets."""

    system: System
    rabbit: RabbitServer
    url: str
    database: str
    witness: Witness
    told_sentry: list[dict[str, Any]]

    def call(self, path: str, body: Any = None, **headers: str) -> tuple[int, str, Any]:
        """Status, text and headers of the API's answer."""
        data = None if body is None else json.dumps(body).encode()
        url = f"http://127.0.0.1:{self.system.api_port}{path}"
        headers = {"Content-Type": "application/json", **headers}
        try:
            with urllib.request.urlopen(
                urllib.request.Request(url, data, headers), timeout=20
            ) as a:
                return a.status, a.read().decode(), a.headers
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(), error.headers


@pytest.fixture
def stage(
    tmp_path: Path, rabbit: RabbitServer, postgres: PostgresServer, camera: FaultyCamera
) -> Iterator[Stage]:
    with ExitStack() as stack:
        _add_role(stack, postgres)
        vhost, database = rabbit.add_vhost(), postgres.add_database()
        stack.callback(rabbit.remove_vhost, vhost)
        stack.callback(postgres.remove_database, database)
        rabbit.ctl("add_user", "canary", CANARIES["broker"])
        stack.callback(rabbit.ctl, "delete_user", "canary")
        rabbit.ctl("set_permissions", "-p", vhost, "canary", ".*", ".*", ".*")
        told_sentry, events = stack.enter_context(sentry(SENTRY_KEY))
        system = System(tmp_path, _tree(rabbit, postgres, vhost, database, camera, told_sentry))
        stack.enter_context(closing(system))
        system.start(*SERVICES)
        witness = Witness(rabbit.url(vhost))
        stack.callback(witness.close)
        yield Stage(system, rabbit, rabbit.url(vhost), postgres.url(database), witness, events)


def _add_role(stack: ExitStack, postgres: PostgresServer) -> None:
    """A role of the database; gone at the end, when its database is."""
    url = make_url(postgres.url("postgres")).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    stack.callback(engine.dispose)

    def execute(statement: str) -> None:
        with engine.connect() as connection:
            connection.execute(text(statement))

    execute(f"CREATE ROLE canary SUPERUSER LOGIN PASSWORD '{CANARIES['database']}'")
    stack.callback(execute, "DROP ROLE canary")


def _tree(
    rabbit: RabbitServer,
    postgres: PostgresServer,
    vhost: str,
    database: str,
    camera: FaultyCamera,
    dsn: str,
) -> dict[str, Any]:
    """Three cameras that tell everybody what they were asked, and one that pushes."""

    def echo(camera: FaultyCamera, wire: Any, request: str) -> None:
        title = "".join(each for each in request if each.isprintable())
        page = f"<html><title>{title}</title>{request}".encode()
        says(answer(page, kind="text/html"))(camera, wire, request)

    for path in ("/echo", "/echo/.well-known/openid-configuration", "/cgi-bin/CGIProxy.fcgi"):
        camera.faults[path] = echo
    login = {"username": "admin", "attempts": 1, "timeout_s": 2}
    user, word = "canary", quote(CANARIES["broker"], safe="")
    key = quote(CANARIES["database"], safe="")
    fetch = {
        "foscam": {"kind": "foscam", "url": camera.url()},
        "basic": {"url": camera.url("/echo"), "auth": "basic"},
        "placeholder": {"url": camera.url("/echo") + "?u={username}&p={password}"},
    }
    cameras: dict[str, Any] = {
        name: {"fetch": {**login, **section, "password": CANARIES[name]}}
        for name, section in fetch.items()
    }
    return {
        "api": {
            "open": False,
            "oidc": {
                "issuer": camera.url("/echo"),
                "client_id": "snapbus",
                "client_secret": CANARIES["oidc"],
            },
        },
        "broker": {"url": f"amqp://{user}:{word}@127.0.0.1:{rabbit.port}/{vhost}"},
        "journal": {"url": f"postgresql://canary:{key}@127.0.0.1:{postgres.port}/{database}"},
        "cameras": {
            **cameras,
            "porch": {door: {"password": CANARIES[door]} for door in ("ftp", "mail")},
        },
        "log": {"level": "debug", "format": "json", "sentry_dsn": dsn},
    }


@pytest.mark.promise("sec K1", "inv I16", "find M2", "find D2")
@pytest.mark.timeout(240)
def test_secrets_are_told_to_nobody(stage: Stage) -> None:
    cookie, key = _log_in(stage)
    _trouble(stage, key)
    secrets = {**CANARIES, "cookie": cookie, "key": key, "sentry": SENTRY_KEY}
    told = _told(stage, key)
    for place in ("log of api", "log of camera", "table events", "metrics of ftp", "bus", "sentry"):
        assert len(told[place]) > 100, place
    for name, secret in secrets.items():
        for place, texts in told.items():
            for form in _forms(secret):
                assert form not in texts, f"{name} in {place}"


def _log_in(stage: Stage) -> tuple[str, str]:
    """The cookie of the first account, and a key."""
    account = {"name": "anna", "password": CANARIES["person"]}
    status, told, headers = stage.call("/v1/session/first", account)
    assert status == 201, told
    cookie = headers["Set-Cookie"].partition(";")[0]
    body = {"name": "house", "scopes": ["read", "request", "administer"]}
    status, told, _ = stage.call("/v1/keys", body, Cookie=cookie)
    assert status == 201, told
    return cookie.partition("=")[2], json.loads(told)["key"]


def _trouble(stage: Stage, key: str) -> None:
    """Everything that goes wrong with a secret near it."""
    bearer = {"Authorization": f"Bearer {key}"}
    wrong = {"name": "anna", "password": CANARIES["person"] + "x"}
    assert stage.call("/v1/session", wrong)[0] == 401
    assert stage.call("/v1/snapshots", Authorization=f"Bearer {key}x")[0] == 401
    assert stage.call("/v1/session/oidc")[0] >= 400
    with ftplib.FTP() as ftp:
        ftp.connect("127.0.0.1", stage.system.ftp_port, timeout=20)
        with pytest.raises(ftplib.error_perm):
            ftp.login("porch", CANARIES["ftp"] + "x")
        ftp.login("porch", CANARIES["ftp"])
    with smtplib.SMTP("127.0.0.1", stage.system.mail_port, timeout=20) as smtp:
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.login("porch", CANARIES["mail"] + "x")
        smtp.docmd(base64.b64encode(CANARIES["mail"].encode()).decode())
        smtp.login("porch", CANARIES["mail"])
    with pika.BlockingConnection(pika.URLParameters(stage.url)) as connection:
        channel = connection.channel()
        channel.basic_publish("snapbus", "snapshot.taken.porch", b'{"of": "no known kind"}')
    for camera in ("foscam", "basic", "placeholder"):
        status, told, _ = stage.call(f"/v1/cameras/{camera}/snapshots", {}, **bearer)
        assert status == 202, told
        url = json.loads(told)["url"]
        eventually(partial(_failed, stage, url, bearer), timeout=30)
    stage.rabbit.ctl("close_all_user_connections", "canary", "a test")
    engine = create_engine(make_url(stage.database).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'canary'"
        connection.execute(text(ended))
    engine.dispose()
    eventually(lambda: "dead_letter" in stage.system.log("detector"), timeout=30)
    eventually(lambda: stage.told_sentry, timeout=30, message="Sentry hears of an error")
    eventually(lambda: not any(map(stage.system.problems, SERVICES)), timeout=60)


def _failed(stage: Stage, url: str, bearer: dict[str, str]) -> bool:
    return bool(json.loads(stage.call(url, **bearer)[1])["state"] == "failed")


def _told(stage: Stage, key: str) -> dict[str, str]:
    """All texts of the system, by where they can be read."""
    bearer = {"Authorization": f"Bearer {key}"}
    told = {f"log of {name}": stage.system.log(name) for name in SERVICES}
    for name in SERVICES:
        with urllib.request.urlopen(stage.system.metrics_url(name), timeout=10) as answer:
            told[f"metrics of {name}"] = answer.read().decode()
    for path in ("/metrics", "/health", "/v1/health", "/v1/cameras", "/v1/snapshots", "/v1/work",
                 "/v1/audit", "/v1/keys", "/v1/people", "/v1/health/ready"):  # fmt: skip
        told[path] = stage.call(path, **bearer)[1]
    engine = create_engine(make_url(stage.database).set(drivername="postgresql+psycopg"))
    tables = MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        for table in tables.sorted_tables:
            told[f"table {table.name}"] = str(connection.execute(select(table)).all())
    engine.dispose()
    told["bus"] = str(stage.witness.heard)
    told["sentry"] = json.dumps(stage.told_sentry, ensure_ascii=False)
    return told


def _forms(secret: str) -> list[str]:
    """A secret as texts may hold it, and halves of it."""
    forms = [secret, quote(secret, safe=""), quote(secret), json.dumps(secret)[1:-1]]
    forms += [base64.b64encode(secret.encode()).decode().rstrip("=")[4:-4]]
    forms += [base64.b64encode(f"admin:{secret}".encode()).decode()[10:-4]]
    return [*forms, secret[: 2 * len(secret) // 3], secret[len(secret) // 3 :]]
