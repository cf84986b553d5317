"""Any URL of a still picture, with Basic, Digest or no login."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from services.camera import explain
from services.camera.brands.adapter import Adapter, Still, picture_name
from services.camera.failures import as_camera_error
from shared.http.client import Client
from shared.http.deadline import Deadline
from shared.http.login import Login
from shared.settings.cameras import FetchSection

MAX_BYTES = 1 << 30
"""The intake takes far less; this ends an answer that never becomes a picture."""


class UrlAdapter:
    """A picture at a URL."""

    def __init__(self, client: Client, url: str) -> None:
        self._client = client
        self._url = url

    @contextmanager
    def open(self, deadline: Deadline) -> Iterator[Still]:
        with as_camera_error(), self._client.get(self._url, deadline) as answer:
            if answer.status != 200:
                raise explain.status(answer.status, answer.reason)
            yield Still(picture_name(answer.url), answer.chunks)


def adapter(fetch: FetchSection) -> Adapter:
    """``{username}`` and ``{password}`` in the URL stand for those of the section."""
    username, password = fetch.username, fetch.password.get_secret_value()
    url = fetch.url.replace("{username}", quote(username, safe=""))
    url = url.replace("{password}", quote(password, safe=""))
    return UrlAdapter(client(fetch, Login(username, password, fetch.auth)), url)


def client(fetch: FetchSection, login: Login | None = None) -> Client:
    """The HTTP client for a camera."""
    return Client("the camera", max_bytes=MAX_BYTES, login=login, verify_tls=fetch.verify_tls)
