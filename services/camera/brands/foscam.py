"""Foscam HD (FI98xx, R and C series): a CGI that wants user and password in the query.

Its refusals are XML with status 200, which explain.py reads.
"""

from __future__ import annotations

from services.camera.brands.adapter import Adapter
from services.camera.brands.url import IN_ADDRESS, UrlAdapter, address, client, quoted
from shared.http.login import Login
from shared.settings.fetch import FetchSection

PORT = 88


def adapter(fetch: FetchSection) -> Adapter:
    """``command`` is the command of its CGI."""
    username, password = quoted(fetch.username), quoted(fetch.password.get_secret_value())
    query = f"cmd={fetch.command}&usr={username}&pwd={password}"
    url = f"{address(fetch, port=PORT)}/cgi-bin/CGIProxy.fcgi?{query}"
    return UrlAdapter(client(fetch, Login("", "", "none")), url, login=IN_ADDRESS)
