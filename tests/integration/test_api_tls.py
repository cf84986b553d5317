"""The page by TLS: from files, renewed while it runs, and what it tells browsers then."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shared import tls
from shared.access import Access, Actor
from shared.errors import ConfigError
from tests.support.api import Api, running_api

DATA = Path(__file__).parents[1] / "data"
CLOSED = {"api": {"open": False}}
YEAR = "max-age=31536000"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A certificate with its key in one file, as the server uses it."""
    file = tmp_path / "server.pem"
    shutil.copy(DATA / "certificate_good.pem", file)
    return file


class Link(http.client.HTTPSConnection):
    """As a browser that trusts the authority of the tests."""

    def __init__(self, host: str, port: int, timeout: float) -> None:
        super().__init__(host, port, timeout=timeout, context=trusting())


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=DATA / "authority.pem")
    context.check_hostname = False
    return context


@pytest.fixture
def api(tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setattr(http.client, "HTTPConnection", Link)
    tree: dict[str, Any] = {"certificate": str(file), "certificate_key": str(file), "open": False}
    with running_api(tmp_path, {"api": tree}) as running:
        yield running


@pytest.mark.promise("feat L6")
@pytest.mark.promise("sec B8")
def test_cookies_and_pages_are_for_tls_only(api):
    Access(api.context.journal).people.add("anna", "viewer", Actor("t"), password="correct horse")
    answer = api.post("/v1/session", {"name": "anna", "password": "correct horse"})

    assert answer.status == 200
    assert answer.headers["strict-transport-security"] == YEAR
    assert all("Secure" in each and "HttpOnly" in each for each in answer.cookies)
    cookie = "; ".join(each.partition(";")[0] for each in answer.cookies)
    with api.stream(Cookie=cookie) as frames:
        assert frames.greeting["event"] == "hello"
    assert api.ask("/nowhere").headers["strict-transport-security"] == YEAR


@pytest.mark.promise("feat L6")
def test_nothing_older_than_tls_1_2_is_spoken_and_nothing_plain(api):
    old = trusting()
    with pytest.warns(DeprecationWarning):
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    link = socket.create_connection(("127.0.0.1", api.port), timeout=10)
    with closing(link), pytest.raises((ssl.SSLError, OSError)):
        old.wrap_socket(link, server_hostname="localhost")
    with socket.create_connection(("127.0.0.1", api.port), timeout=10) as link:
        link.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200" not in link.recv(100)


def peer(port: int) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as link,
        context.wrap_socket(link, server_hostname="localhost") as wrapped,
    ):
        return wrapped.getpeercert(binary_form=True) or b""


@pytest.mark.promise("feat L6")
def test_a_renewed_certificate_is_taken_without_a_restart_and_a_broken_one_is_not(
    api, file, monkeypatch
):
    monkeypatch.setattr(tls, "LOOK_S", 0.0)
    first = peer(api.port)
    for number, (text, expected) in enumerate(
        [
            ("half of a file", lambda found: found == first),
            ((DATA / "self_signed.pem").read_text(), lambda found: found != first),
        ]
    ):
        file.write_text(text)
        os.utime(file, ns=(number, number))
        peer(api.port)
        assert expected(peer(api.port))


def test_without_tls_nothing_says_that_there_is(tmp_path):
    with running_api(tmp_path, CLOSED) as plain:
        answer = plain.ask("/", X_Forwarded_Proto="https")
        assert "strict-transport-security" not in answer.headers
    proxied = {"api": {"open": False, "proxies": ["127.0.0.1"]}}
    with running_api(tmp_path, proxied) as behind:
        answer = behind.ask("/", X_Forwarded_Proto="https")
        assert answer.headers["strict-transport-security"] == YEAR


def test_files_that_do_not_fit_are_told_at_the_start(tmp_path, file):
    file.write_text("no certificate")
    tree = {"api": {"certificate": str(file), "certificate_key": str(file)}}
    with pytest.raises(ConfigError, match=r"api\.certificate"), running_api(tmp_path, tree):
        pytest.fail("it started")
