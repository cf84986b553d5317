"""Caddy and nginx before the API, configured as docs/guide/access.md says."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shared.access import Access, Actor
from tests.support.api import Answer, Api, Frames, running_api
from tests.support.fakes import eventually
from tests.support.ports import free_port

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "access.md").read_text()
NAME = "cams.example.org"
CLIENT = "127.0.0.9"
WORD = "correct horse"


def block(kind: str) -> str:
    """The lines of the guide for a proxy."""
    (found,) = re.findall(rf"```{kind}\n(.*?)```", GUIDE, re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}",
            "-keyout", folder / "cams.key", "-out", folder / "cams.pem",
        ],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return folder


def nginx(folder: Path, text: str, certificate: Path) -> list[str]:
    text = text.replace("/etc/ssl", str(certificate))
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/log; user root;\n"
        f"events {{}} http {{ access_log off; client_body_temp_path {folder}/a;\n"
        f"proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d;\n"
        f"scgi_temp_path {folder}/e;\n{text} }}"
    )
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def caddy(folder: Path, text: str, certificate: Path) -> list[str]:
    files = f"tls {certificate}/cams.pem {certificate}/cams.key"
    (folder / "Caddyfile").write_text(
        "{\nadmin off\nauto_https disable_redirects\nhttp_port 0\n}\n"
        + text.replace("{\n", f"{{\n    {files}\n", 1)
    )
    return ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


@dataclass
class Behind:
    """An API behind a proxy, and a client of that."""

    api: Api
    port: int

    def link(self) -> http.client.HTTPSConnection:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return Named(
            "127.0.0.1", self.port, timeout=20, context=context, source_address=(CLIENT, 0)
        )

    def ask(self, path: str, method: str = "GET", body: Any = None, **headers: str) -> Answer:
        sent = {"Host": f"{NAME}:{self.port}", "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(self.link()) as link:
            link.request(method, path, json.dumps(body) if body else None, sent)
            answer = link.getresponse()
            cookies = answer.headers.get_all("Set-Cookie", [])
            return Answer(answer.status, dict(answer.getheaders()), answer.read(), cookies)


class Named(http.client.HTTPSConnection):
    """Asks an address for the server that the certificate names."""

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        context: ssl.SSLContext = self._context  # type: ignore[attr-defined]
        self.sock = context.wrap_socket(self.sock, server_hostname=NAME)


@contextmanager
def proxied(make: Any, folder: Path, certificate: Path, api: Api) -> Iterator[Behind]:
    port = free_port()
    text = block(make.__name__).replace("127.0.0.1:8080", f"127.0.0.1:{api.port}")
    text = text.replace("listen 443", f"listen 127.0.0.1:{port}")
    text = text.replace(f"{NAME} {{", f"https://{NAME}:{port} {{")
    with (folder / "proxy.log").open("wb") as output:
        process = subprocess.Popen(
            make(folder, text, certificate), stdout=output, stderr=output, cwd=folder,
            env={"HOME": str(folder), "PATH": "/usr/bin:/usr/sbin:/bin:/sbin"},
        )  # fmt: skip
    try:
        behind = Behind(api, port)

        def answers() -> bool:
            assert process.poll() is None, (folder / "proxy.log").read_text()
            try:
                return behind.ask("/v1/health/live").status == 200
            except OSError:
                return False

        eventually(answers, timeout=20, message="the proxy answers")
        yield behind
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(params=[nginx, caddy], ids=lambda make: make.__name__)
def behind(request: Any, tmp_path: Path, certificate: Path) -> Iterator[Behind]:
    told = {"hosts": [NAME], "proxies": ["127.0.0.1"], "open": False, "local_role": "administrator"}
    folder = tmp_path / "proxy"
    folder.mkdir()
    with (
        running_api(tmp_path, {"api": told}) as api,
        proxied(request.param, folder, certificate, api) as behind,
    ):
        yield behind


@pytest.mark.promise("feat L6")
@pytest.mark.promise("sec B8")
def test_behind_a_proxy_people_log_in_by_tls_and_streams_flow(behind: Behind):
    access = Access(behind.api.context.journal)
    assert behind.ask("/v1/session").json["code"] is True, "nobody is local behind a proxy"
    access.people.add("anna", "administrator", Actor("t"), password=WORD)
    assert behind.ask("/v1/cameras").status == 401
    assert behind.ask("/metrics").status == 401
    forged = {"X_Forwarded_For": "127.0.0.1", "X_Real_IP": "127.0.0.1"}
    assert behind.ask("/v1/cameras", **forged).status == 401

    given = {"name": "anna", "password": WORD}
    origin = f"https://{NAME}:{behind.port}"
    came = behind.ask("/v1/session", "POST", given, Origin=origin, Sec_Fetch_Site="same-origin")

    assert came.status == 200, came.body
    assert len(came.cookies) == 2 and all("Secure" in each for each in came.cookies)
    assert "strict-transport-security" in {name.lower() for name in came.headers}
    cookie = "; ".join(each.partition(";")[0] for each in came.cookies)
    (noted, *_) = behind.ask("/v1/audit", Cookie=cookie).json["noted"]
    assert (noted["action"], noted["address"]) == ("login", CLIENT)
    with closing(behind.link()) as link:
        link.request(
            "GET", "/v1/events", headers={"Host": f"{NAME}:{behind.port}", "Cookie": cookie}
        )
        frames = Frames(link.getresponse())
        taken = behind.api.take()
        while frames.next_event()["id"] != taken.id:
            pass  # what was noted of the login
        access.sessions.end_all("anna", Actor("t"))
        with pytest.raises((EOFError, OSError, http.client.HTTPException)):
            while True:
                frames.next()
    foreign = behind.ask("/v1/session", "POST", given, Origin="https://evil.example")
    assert foreign.status == 403
