"""The kinds of camera we can ask: any URL of a still picture, a Foscam, a file.

A new brand is usually no new adapter: ``url`` with ``{username}`` and ``{password}`` in it, or with
a login by Basic or Digest, fits nearly all.

The operator chooses the hosts in the configuration, never a sender, so private and loopback
addresses are allowed: most cameras live there. What a camera answers may not choose another host.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urljoin, urlsplit

from services.camera import explain
from services.camera.auth import Login
from services.camera.deadline import Deadline
from services.camera.failures import CameraError, Misdirected, Unreachable, WrongAnswer
from services.camera.http import CHUNK, Answer, Client
from shared.settings.cameras import FetchSection

MAX_REDIRECTS = 3
REDIRECTS = frozenset({301, 302, 303, 307, 308})
PICTURES = frozenset({".jpg", ".jpeg", ".png"})


@dataclass(frozen=True, slots=True)
class Still:
    """What a camera sends: ``name`` by which it calls the picture, and the bytes as they come."""

    name: str
    chunks: Iterator[bytes]


class Adapter(Protocol):
    """Asks one camera. One thread at a time."""

    def open(self, deadline: Deadline) -> AbstractContextManager[Still]:
        """Begin to receive a picture. Raises CameraError, also from ``chunks``."""


def adapter_for(fetch: FetchSection) -> Adapter:
    """The adapter that a camera's ``fetch`` section asks for."""
    if fetch.kind == "file" and fetch.path is not None:
        return FileAdapter(fetch.path)
    username, password = fetch.username, fetch.password.get_secret_value()
    client = Client(verify_tls=fetch.verify_tls)
    if fetch.kind == "foscam":
        return UrlAdapter(
            client, foscam_url(fetch.url, fetch.command, username, password), Login("", "", "none")
        )
    url = fetch.url.replace("{username}", quote(username, safe=""))
    url = url.replace("{password}", quote(password, safe=""))
    return UrlAdapter(client, url, Login(username, password, fetch.auth))


def foscam_url(address: str, command: str, username: str, password: str) -> str:
    """Where a Foscam HD gives a picture; it wants its password in the query."""
    login = f"usr={quote(username, safe='')}&pwd={quote(password, safe='')}"
    return f"{address.rstrip('/')}/cgi-bin/CGIProxy.fcgi?cmd={command}&{login}"


class UrlAdapter:
    """A picture at an address, with any login, following redirects on the same host."""

    def __init__(self, client: Client, url: str, login: Login) -> None:
        self._client = client
        self._url = url
        self._login = login

    @contextmanager
    def open(self, deadline: Deadline) -> Iterator[Still]:
        url = self._url
        for _ in range(MAX_REDIRECTS + 1):
            with self._ask(url, deadline) as answer:
                if answer.status == 200:
                    yield Still(_name(url), answer.chunks)
                    return
                if answer.status not in REDIRECTS:
                    raise explain.status(answer.status, answer.reason)
                url = _same_host(url, answer.headers.get("Location", ""))
        raise Misdirected("the camera redirects in a circle")

    @contextmanager
    def _ask(self, url: str, deadline: Deadline) -> Iterator[Answer]:
        """The answer to a request that is authorised if need be: at most two requests."""
        with self._client.get(url, self._headers(url), deadline) as answer:
            if answer.status != 401:
                yield answer
                return
            offers = answer.headers.get("WWW-Authenticate", "")
            error = explain.status(answer.status, answer.reason)
        if not self._login.challenged(offers):
            self._login.forget()
            raise error
        with self._client.get(url, self._headers(url), deadline) as answer:
            if answer.status == 401:
                self._login.forget()
            yield answer

    def _headers(self, url: str) -> dict[str, str]:
        parts = urlsplit(url)
        uri = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        header = self._login.header("GET", uri)
        return {"Authorization": header} if header else {}


def _name(url: str) -> str:
    """What the camera calls the picture; a script's name would say nothing."""
    name = urlsplit(url).path.rpartition("/")[2]
    return name if Path(name).suffix.lower() in PICTURES else ""


def _same_host(url: str, location: str) -> str:
    """Where a redirect leads. Raises Misdirected unless it stays on the camera itself: what the
    camera says must not choose whom we ask, and the login is for it alone."""
    if not location:
        raise WrongAnswer("the camera redirects without saying where to")
    try:
        target = urljoin(url, location)
        here, there = urlsplit(url), urlsplit(target)
        secured = here.scheme == "http" and there.scheme == "https"
        same = here.hostname == there.hostname and (
            secured or (here.scheme, here.port) == (there.scheme, there.port)
        )
        place = f"{there.scheme}://{there.hostname}:{there.port or ''}".rstrip(":")
    except ValueError:
        raise WrongAnswer("the camera redirects to an impossible address") from None
    if not same:
        raise Misdirected(f"the camera redirects to another place, {place}: not followed")
    return target


class FileAdapter:
    """A picture file as camera, or a folder whose pictures come in turn; for tests and trials."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = 0

    @contextmanager
    def open(self, deadline: Deadline) -> Iterator[Still]:
        path = self._next()
        try:
            with path.open("rb") as file:
                yield Still(path.name, iter(lambda: file.read(CHUNK), b""))
        except CameraError:
            raise
        except OSError as error:
            raise Unreachable(f"{path} can't be read: {error.strerror}") from None

    def _next(self) -> Path:
        if not self._path.is_dir():
            return self._path
        found = sorted(path for path in self._path.iterdir() if path.suffix.lower() in PICTURES)
        if not found:
            raise Misdirected(f"no picture (.jpg, .png) in {self._path}")
        path = found[self._turn % len(found)]
        self._turn += 1
        return path
