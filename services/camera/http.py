"""One GET to a camera; the only file that knows the HTTP library.

Its errors are translated here and never shown: their texts contain the URL, and a Foscam's URL
contains the password. Redirects are not followed here, proxies and .netrc of the machine not used.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
import urllib3
from requests import exceptions
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from services.camera.deadline import Deadline
from services.camera.failures import CameraError, Misdirected, Unreachable, WrongAnswer

CHUNK = 16_384
PACKED = frozenset({"gzip", "x-gzip", "deflate", "compress", "br", "zstd"})

_BROKEN = (Unreachable, "the camera closed the connection in the middle")
_NONSENSE = (WrongAnswer, "the camera does not speak proper HTTP")
_CERTIFICATE = (
    Misdirected,
    "the camera's certificate is not trusted; 'verify_tls: false' accepts any certificate",
)
_ADDRESS = (Misdirected, "the camera's address can't be used: check 'url'")

MEANINGS: Mapping[type[BaseException], tuple[type[CameraError], str]] = {
    exceptions.RequestException: (Unreachable, "the request to the camera failed"),
    exceptions.ConnectionError: _BROKEN,
    exceptions.ChunkedEncodingError: _BROKEN,
    exceptions.ConnectTimeout: (Unreachable, "the camera does not answer"),
    exceptions.ReadTimeout: (Unreachable, "the camera stopped sending"),
    exceptions.Timeout: (Unreachable, "the camera does not answer"),
    exceptions.SSLError: (Unreachable, "no secure connection: the camera's TLS does not fit"),
    exceptions.ProxyError: _BROKEN,
    exceptions.RetryError: _BROKEN,
    exceptions.HTTPError: _NONSENSE,
    exceptions.TooManyRedirects: (Misdirected, "the camera redirects in a circle"),
    exceptions.ContentDecodingError: _NONSENSE,
    exceptions.StreamConsumedError: _NONSENSE,
    exceptions.UnrewindableBodyError: _NONSENSE,
    exceptions.InvalidJSONError: _NONSENSE,
    exceptions.JSONDecodeError: _NONSENSE,
    exceptions.InvalidHeader: (Misdirected, "user or password can't be sent: odd characters"),
    exceptions.URLRequired: _ADDRESS,
    exceptions.MissingSchema: _ADDRESS,
    exceptions.InvalidSchema: _ADDRESS,
    exceptions.InvalidURL: _ADDRESS,
    exceptions.InvalidProxyURL: _ADDRESS,
    urllib3.exceptions.HTTPError: _NONSENSE,
    urllib3.exceptions.ProtocolError: _BROKEN,
    urllib3.exceptions.TimeoutError: (Unreachable, "the camera stopped sending"),
    urllib3.exceptions.SSLError: _BROKEN,
    OSError: _BROKEN,
}
"""What each error of the library means; the nearest class above an error counts."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a camera answered: the header, and the body as it comes."""

    status: int
    reason: str
    headers: Mapping[str, str]
    chunks: Iterator[bytes]


class Client:
    """Asks one camera. ``verify_tls`` False accepts any certificate."""

    def __init__(self, *, verify_tls: bool = True) -> None:
        self._verify_tls = verify_tls
        # At debug level the library logs every URL, and with it a Foscam's password.
        logging.getLogger("urllib3").setLevel(logging.INFO)
        if not verify_tls:
            # Said once by the service, for its camera; not by the library for each request.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    @contextmanager
    def get(self, url: str, headers: Mapping[str, str], deadline: Deadline) -> Iterator[Answer]:
        """The answer to a GET, closed when left. Raises CameraError, also from ``chunks``."""
        with requests.Session() as session:
            session.trust_env = False
            adapter = _Adapter(deadline)
            session.mount("http://", adapter)
            session.mount("https://", adapter)
            session.headers.update({"Accept-Encoding": "identity", "Connection": "close"})
            with _translated(deadline):
                response = session.get(
                    url,
                    headers=dict(headers),
                    stream=True,
                    allow_redirects=False,
                    verify=self._verify_tls,
                    timeout=deadline.remaining_s,
                )
            with response:
                yield Answer(
                    response.status_code,
                    response.reason or "",
                    response.headers,
                    _chunks(response, deadline),
                )


def _chunks(response: requests.Response, deadline: Deadline) -> Iterator[bytes]:
    packed = response.headers.get("Content-Encoding", "").lower().replace(",", " ").split()
    if PACKED.intersection(packed):
        # A few kilobytes of it can become gigabytes, and no camera packs a JPEG again.
        raise WrongAnswer("the camera answered with compressed data, which was not asked for")
    with _translated(deadline):
        # read1 gives what is there; iter_content would wait for a full chunk, on a slow stream
        # for the next frame.
        while chunk := response.raw.read1(CHUNK):
            yield chunk


@contextmanager
def _translated(deadline: Deadline) -> Iterator[None]:
    """Turn every error of the library into ours; cut by the watchdog means too slow."""
    try:
        yield
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        if deadline.over:
            raise deadline.too_slow() from None
        kind, text = meaning(error)
        raise kind(text) from None
    if deadline.over:
        raise deadline.too_slow()


def meaning(error: BaseException) -> tuple[type[CameraError], str]:
    """Our error for one of the library's."""
    if isinstance(error, exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return _CERTIFICATE
    for ancestor in type(error).__mro__:
        if ancestor in MEANINGS:
            return MEANINGS[ancestor]
    raise TypeError(f"no meaning for {type(error).__name__}")


class _Adapter(HTTPAdapter):
    """Connects through a deadline, so that no phase of a request can outlast it."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        deadline = self._deadline

        class Plain(HTTPConnection):
            def _new_conn(self) -> Any:
                return deadline.connect(self.host, self.port)

        class Tls(HTTPSConnection):
            def _new_conn(self) -> Any:
                return deadline.connect(self.host, self.port or 443)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class TlsPool(HTTPSConnectionPool):
            ConnectionCls = Tls

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}
