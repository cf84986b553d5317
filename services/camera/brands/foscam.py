"""Foscam HD: a CGI that wants user and password in the query.

Its refusals are XML with status 200, which explain.py reads.
"""

from __future__ import annotations

from urllib.parse import quote

from services.camera.brands.adapter import Adapter
from services.camera.brands.url import UrlAdapter, client
from shared.settings.cameras import FetchSection


def adapter(fetch: FetchSection) -> Adapter:
    """``url`` is the address of the camera, ``command`` the command of its CGI."""
    username = quote(fetch.username, safe="")
    password = quote(fetch.password.get_secret_value(), safe="")
    query = f"cmd={fetch.command}&usr={username}&pwd={password}"
    return UrlAdapter(client(fetch), f"{fetch.url.rstrip('/')}/cgi-bin/CGIProxy.fcgi?{query}")
