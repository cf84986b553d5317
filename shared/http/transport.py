"""How the HTTP library connects: through our deadline, and to a pinned certificate if any."""

from __future__ import annotations

from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from shared.http.deadline import Deadline


class Transport(HTTPAdapter):
    """Connects through a deadline, so that no phase of a request can outlast it. With
    ``fingerprint`` another certificate ends the connection before anything is sent."""

    def __init__(self, deadline: Deadline, fingerprint: str = "") -> None:
        self._deadline = deadline
        self._fingerprint = fingerprint
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        pinned = {"assert_fingerprint": self._fingerprint} if self._fingerprint else {}
        super().init_poolmanager(*args, **{**kwargs, **pinned})
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
