"""Any URL of a still picture, with Basic, Digest or no login; and what other brands share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlsplit

from services.camera import explain
from services.camera.brands.adapter import Adapter, Still, picture_name
from services.camera.failures import CameraError, Misdirected, as_camera_error
from shared.http.client import Answer, Client
from shared.http.deadline import Deadline
from shared.http.login import Login
from shared.settings.fetch import FetchSection

MAX_BYTES = 1 << 30
"""The intake takes far less; this ends an answer that never becomes a picture."""


class UrlAdapter:
    """A picture at the first of several URLs that the camera knows; that one is asked first from
    then on. ``login`` is how we are let in, where the HTTP login does not say it."""

    def __init__(
        self,
        client: Client,
        *urls: str,
        headers: Mapping[str, str] | None = None,
        login: str = "",
    ) -> None:
        self._client = client
        self._urls = list(urls)
        self._headers = headers or {}
        self._login = login

    @contextmanager
    def open(self, deadline: Deadline) -> Iterator[Still]:
        with as_camera_error(), ExitStack() as held:
            answer = self._answer(held, deadline)
            yield still(answer, self._client.login.used or self._login)

    def close(self) -> None:
        """Nothing is kept."""

    def _answer(self, held: ExitStack, deadline: Deadline) -> Answer:
        first: CameraError | None = None
        for url in list(self._urls):
            with ExitStack() as attempt:
                answer = attempt.enter_context(self._client.get(url, deadline, self._headers))
                if answer.status == 200:
                    held.push(attempt.pop_all())
                    self._urls.remove(url)
                    self._urls.insert(0, url)
                    return answer
                problem = explain.refusal(answer.status, answer.chunks)
            first = first or problem
            if not isinstance(problem, Misdirected):
                raise problem
        assert first is not None  # there is a URL
        raise first


def adapter(fetch: FetchSection) -> Adapter:
    """``{username}`` and ``{password}`` in the URL stand for those of the section."""
    url = fetch.url.replace("{username}", quoted(fetch.username))
    url = url.replace("{password}", quoted(fetch.password.get_secret_value()))
    return UrlAdapter(client(fetch), url, login="" if url == fetch.url else IN_ADDRESS)


IN_ADDRESS = "user and password in the address"


def quoted(text: str) -> str:
    """A text as a value in the query of a URL."""
    return quote(text, safe="")


def address(fetch: FetchSection, scheme: str = "http", port: int = 0) -> str:
    """The address of a camera: its ``url``, or its ``host`` by this scheme, on this port unless
    ``host`` names one."""
    if fetch.url:
        return fetch.url.rstrip("/")
    named = urlsplit(f"//{fetch.host}").port
    return f"{scheme}://{fetch.host}" + (f":{port}" if port and not named else "")


def client(fetch: FetchSection, login: Login | None = None) -> Client:
    """The HTTP client for a camera; ``login`` defaults to that of the section."""
    if login is None:
        login = Login(fetch.username, fetch.password.get_secret_value(), fetch.auth)
    return Client(
        "the camera",
        max_bytes=MAX_BYTES,
        login=login,
        verify_tls=fetch.verify_tls,
        fingerprint=fetch.fingerprint,
    )


def still(answer: Answer, login: str) -> Still:
    """The picture of an answer."""
    return Still(
        picture_name(answer.url), answer.chunks, login, clock(answer.headers.get("Date", ""))
    )


def clock(date: str) -> datetime | None:
    """The time of a ``Date`` header."""
    try:
        told = parsedate_to_datetime(date)
    except ValueError:
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)
