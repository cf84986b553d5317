"""Foscam MJPEG (FI89xx) and its many clones: user and password in the query, or by Basic."""

from __future__ import annotations

from services.camera.brands.adapter import Adapter
from services.camera.brands.url import IN_ADDRESS, UrlAdapter, address, client, quoted
from shared.settings.fetch import FetchSection


def adapter(fetch: FetchSection) -> Adapter:
    username, password = quoted(fetch.username), quoted(fetch.password.get_secret_value())
    url = f"{address(fetch)}/snapshot.cgi?user={username}&pwd={password}"
    return UrlAdapter(client(fetch), url, login=IN_ADDRESS)
