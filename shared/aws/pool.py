"""Connections that are kept between exchanges, for a library that brings its own requests.

Each exchange is under a deadline of its own, as those of shared/http are; proxies of the machine
are not used, nothing is redirected and nothing is sent twice.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from typing import Any, BinaryIO

import certifi
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, SSLError

from shared.errors import ConfigError
from shared.http.deadline import Deadline
from shared.http.errors import ConnectionFailed, TooLarge, Untrusted

FAILURES = HTTPError, OSError
"""What a connection raises; ``exchange`` translates it."""


class Pool:
    """Connections to one ``server``, as error texts call it. Any thread."""

    def __init__(self, server: str, connections: int, authority: Path | None = None) -> None:
        """``authority`` signed the server's certificate; None: a public one did. Raises
        ConfigError."""
        self._server = server
        self._exchange = threading.local()
        try:
            trusted = str(authority or certifi.where())
            context = ssl.create_default_context(cafile=trusted)
        except OSError as error:
            raise ConfigError(f"authority {authority}: {error.strerror or error}") from None
        self._manager = urllib3.PoolManager(
            maxsize=connections, block=False, ssl_context=context, retries=False
        )
        self._manager.pool_classes_by_scheme = _pool_classes(self._exchange)

    @contextmanager
    def exchange(self, seconds: float) -> Iterator[Deadline]:
        """One request and its answer, by this thread. Raises HttpError for an error of the
        library."""
        with Deadline(seconds) as deadline:
            self._exchange.deadline = deadline
            self._exchange.sent = False
            try:
                yield deadline
                deadline.spare()
            except FAILURES as error:
                if deadline.over:
                    raise deadline.too_slow() from None
                if isinstance(error, SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
                    raise Untrusted(f"the certificate of {self._server} is not trusted") from None
                raise ConnectionFailed(f"{self._server} closed the connection") from None
            finally:
                self._exchange.deadline = None

    @property
    def sent(self) -> bool:
        """Whether this thread's last exchange came so far that the server may have the request."""
        return bool(getattr(self._exchange, "sent", False))

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | BinaryIO | None
    ) -> urllib3.BaseHTTPResponse:
        """The answer, of which the body is not read yet. Only within an exchange. Raises
        ConnectionFailed for one whose end nobody could know: its head may have been cut."""
        deadline: Deadline = self._exchange.deadline
        answer = self._manager.urlopen(
            method,
            url,
            body=body,
            headers=headers,
            redirect=False,
            retries=False,
            timeout=deadline.remaining_s,
            preload_content=False,
            decode_content=False,
        )
        bounded = {"content-length", "transfer-encoding"} & {
            name.lower() for name in answer.headers
        }
        if not bounded and answer.status not in (204, 304):
            answer.close()
            raise ConnectionFailed(f"{self._server} sent half an answer")
        return answer

    def close(self) -> None:
        """Close what no exchange uses."""
        self._manager.clear()


class Limited:
    """The body of an answer, which may have ``max_bytes``."""

    def __init__(self, response: urllib3.BaseHTTPResponse, max_bytes: int, server: str) -> None:
        self._response = response
        self._left = max_bytes
        self._too_large = TooLarge(f"{server} sent more than {max_bytes} bytes")

    def read(self, amount: int | None = None) -> bytes:
        """At most so many bytes, None: all; none at the end. Raises TooLarge."""
        if amount is None:
            return b"".join(self.stream())
        found = self._response.read(amount, decode_content=False)
        self._left -= len(found)
        if self._left < 0:
            self.close()
            raise self._too_large
        return found

    def stream(self, amount: int = 65_536, **_options: Any) -> Iterator[bytes]:
        """All bytes, piece by piece. Raises TooLarge."""
        while found := self.read(amount):
            yield found

    def close(self) -> None:
        """Close the connection, unless the body was read to its end."""
        self._response.close()


def _pool_classes(exchange: threading.local) -> dict[str, Any]:
    """Connections that the deadline of the thread's exchange shuts."""

    class Watched:
        _plain: socket | None = None
        """A duplicate from before TLS: shutting one shuts both."""

        def _new_conn(self) -> socket:
            host, port = self.host, self.port  # type: ignore[attr-defined]
            connection: socket = exchange.deadline.connect(host, port)
            self._plain = connection.dup()
            exchange.sent = True
            return connection

        def request(self, *args: Any, **kwargs: Any) -> None:
            deadline: Deadline = exchange.deadline
            if self._plain is not None:
                exchange.sent = True
                deadline.watch(self._plain.dup())
            super().request(*args, **kwargs)  # type: ignore[misc]

        def close(self) -> None:
            plain, self._plain = self._plain, None
            if plain is not None:
                plain.close()
            super().close()  # type: ignore[misc]

    class Plain(Watched, HTTPConnection):
        pass

    class Tls(Watched, HTTPSConnection):
        pass

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = Tls

    return {"http": PlainPool, "https": TlsPool}
