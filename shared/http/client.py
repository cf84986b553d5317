"""One HTTP exchange, within a deadline and a limit on bytes.

The library's errors are translated here and never shown: their texts contain the URL, and the URL
may contain a password. Proxies and .netrc of the machine are not used.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

import requests
import urllib3
from requests import exceptions

from shared import trace
from shared.http.deadline import Deadline
from shared.http.errors import (
    BadAnswer,
    ConnectionFailed,
    HttpError,
    Misdirected,
    TooLarge,
    Untrusted,
)
from shared.http.login import Login
from shared.http.redirect import REDIRECTS, redirected
from shared.http.transport import Transport

CHUNK_BYTES = 16_384
COMPRESSED = frozenset({"gzip", "x-gzip", "deflate", "compress", "br", "zstd"})
MAX_REDIRECTS = 3

_BROKEN = (ConnectionFailed, "{server} closed the connection in the middle")
_NOT_HTTP = (BadAnswer, "{server} does not speak proper HTTP")
_UNTRUSTED = (Untrusted, "the certificate of {server} is not trusted")
_ANOTHER = (Untrusted, "the certificate of {server} is not the one of 'fingerprint'")
_BAD_URL = (Misdirected, "the URL of {server} can't be used")

MEANINGS: Mapping[type[BaseException], tuple[type[HttpError], str]] = {
    exceptions.RequestException: (ConnectionFailed, "the request to {server} failed"),
    exceptions.ConnectionError: _BROKEN,
    exceptions.ChunkedEncodingError: _BROKEN,
    exceptions.ConnectTimeout: (ConnectionFailed, "{server} does not answer"),
    exceptions.ReadTimeout: (ConnectionFailed, "{server} stopped sending"),
    exceptions.Timeout: (ConnectionFailed, "{server} does not answer"),
    exceptions.SSLError: (
        ConnectionFailed,
        "no secure connection: the TLS of {server} does not fit",
    ),
    exceptions.ProxyError: _BROKEN,
    exceptions.RetryError: _BROKEN,
    exceptions.HTTPError: _NOT_HTTP,
    exceptions.TooManyRedirects: (Misdirected, "{server} redirects in a circle"),
    exceptions.ContentDecodingError: _NOT_HTTP,
    exceptions.StreamConsumedError: _NOT_HTTP,
    exceptions.UnrewindableBodyError: _NOT_HTTP,
    exceptions.InvalidJSONError: _NOT_HTTP,
    exceptions.JSONDecodeError: _NOT_HTTP,
    exceptions.InvalidHeader: (Misdirected, "user or password can't be sent: odd characters"),
    exceptions.URLRequired: _BAD_URL,
    exceptions.MissingSchema: _BAD_URL,
    exceptions.InvalidSchema: _BAD_URL,
    exceptions.InvalidURL: _BAD_URL,
    exceptions.InvalidProxyURL: _BAD_URL,
    urllib3.exceptions.HTTPError: _NOT_HTTP,
    urllib3.exceptions.ProtocolError: _BROKEN,
    urllib3.exceptions.TimeoutError: (ConnectionFailed, "{server} stopped sending"),
    urllib3.exceptions.SSLError: _BROKEN,
    OSError: _BROKEN,
}
"""What each error of the library means; the nearest class above an error counts."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: its status and header, and its body as it comes. ``url`` is where it came from."""

    url: str
    status: int
    headers: Mapping[str, str]
    chunks: Iterator[bytes]


class Client:
    """Talks to one server; error texts call it ``server``. ``verify_tls`` False accepts any
    certificate; ``fingerprint`` (SHA-256, hexadecimal) the one that has it, and no other. One
    thread at a time."""

    def __init__(
        self,
        server: str,
        *,
        max_bytes: int,
        login: Login | None = None,
        verify_tls: bool = True,
        fingerprint: str = "",
    ) -> None:
        self._server = server
        self._max_bytes = max_bytes
        self.login = login or Login("", "", "none")
        self._verify_tls = verify_tls and not fingerprint
        self._fingerprint = fingerprint
        # At debug level the library logs every URL, and with it any password in one.
        logging.getLogger("urllib3").setLevel(logging.INFO)
        if not verify_tls:
            # The owner of the client says it once; the library would for each request.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    @contextmanager
    def get(
        self, url: str, deadline: Deadline, headers: Mapping[str, str] | None = None
    ) -> Iterator[Answer]:
        """The answer to a GET, authorised if the server asks for it, redirected on its own host
        only. Raises HttpError, also from ``chunks``."""
        for _ in range(MAX_REDIRECTS + 1):
            with self._authorised("GET", url, deadline, headers or {}) as answer:
                if answer.status not in REDIRECTS:
                    yield answer
                    return
                location = answer.headers.get("Location", "")
            url = redirected(url, location, self._server)
        raise Misdirected(f"{self._server} redirects in a circle")

    @contextmanager
    def post(
        self, url: str, body: bytes, deadline: Deadline, headers: Mapping[str, str] | None = None
    ) -> Iterator[Answer]:
        """The answer to a POST, authorised if the server asks for it, redirected nowhere. Raises
        HttpError, also from ``chunks``."""
        with self._authorised("POST", url, deadline, headers or {}, body) as answer:
            yield answer

    @contextmanager
    def _authorised(
        self,
        method: str,
        url: str,
        deadline: Deadline,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> Iterator[Answer]:
        """The answer to a request; a challenge is answered once."""
        parts = urlsplit(url)
        uri = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        for is_last in (False, True):
            header = self.login.header(method, uri)
            more = {"Authorization": header} if header else {}
            with self.send(method, url, deadline, headers={**headers, **more}, body=body) as answer:
                offers = answer.headers.get("WWW-Authenticate", "")
                refused = answer.status == 401
                if not refused or is_last or not self.login.challenged(offers):
                    if refused:
                        self.login.forget()
                    yield answer
                    return

    @contextmanager
    def send(
        self,
        method: str,
        url: str,
        deadline: Deadline,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | BinaryIO | None = None,
    ) -> Iterator[Answer]:
        """The answer to one request as it is, closed when left: no login, no redirect. Raises
        HttpError, also from ``chunks``."""
        with requests.Session() as session:
            session.trust_env = False
            adapter = Transport(deadline, self._fingerprint)
            session.mount("http://", adapter)
            session.mount("https://", adapter)
            session.headers.update({"Accept-Encoding": "identity", "Connection": "close"})
            if parent := trace.current()[0]:  # the baggage is not for whoever is asked
                session.headers["traceparent"] = parent
            with self._translated(deadline):
                response = session.request(
                    method,
                    url,
                    # As bytes: cameras take UTF-8, the library would take Latin-1 only.
                    headers={name: value.encode() for name, value in (headers or {}).items()},
                    data=body,
                    stream=True,
                    allow_redirects=False,
                    verify=self._verify_tls,
                    timeout=deadline.remaining_s,
                )
            with response:
                chunks = self._chunks(response, deadline)
                yield Answer(url, response.status_code, response.headers, chunks)

    def _chunks(self, response: requests.Response, deadline: Deadline) -> Iterator[bytes]:
        coding = response.headers.get("Content-Encoding", "").lower().replace(",", " ").split()
        if COMPRESSED.intersection(coding):
            # A few kilobytes of it can become gigabytes.
            raise BadAnswer(f"{self._server} sent compressed data, which was not asked for")
        size = 0
        with self._translated(deadline):
            # read1 gives what is there; iter_content would wait for a full chunk, on a slow stream
            # for the next frame.
            while chunk := response.raw.read1(CHUNK_BYTES):
                size += len(chunk)
                if size > self._max_bytes:
                    raise TooLarge(f"{self._server} sent more than {self._max_bytes} bytes")
                yield chunk

    @contextmanager
    def _translated(self, deadline: Deadline) -> Iterator[None]:
        """Turn the library's errors into ours; any error after the deadline is TooSlow."""
        try:
            yield
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            if deadline.over:
                raise deadline.too_slow() from None
            kind, text = meaning(error)
            raise kind(text.format(server=self._server)) from None
        if deadline.over:
            raise deadline.too_slow()


def meaning(error: BaseException) -> tuple[type[HttpError], str]:
    """The HttpError for an error of the library, and its text, with a place for the server."""
    if isinstance(error, exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return _UNTRUSTED
    if isinstance(error, exceptions.SSLError) and "Fingerprints did not match" in str(error):
        return _ANOTHER
    for ancestor in type(error).__mro__:
        if ancestor in MEANINGS:
            return MEANINGS[ancestor]
    raise TypeError(f"no meaning for {type(error).__name__}")
