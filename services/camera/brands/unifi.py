"""UniFi: the camera itself with "anonymous snapshot" switched on, or Protect with an API key."""

from __future__ import annotations

from services.camera.brands.adapter import Adapter
from services.camera.brands.url import UrlAdapter, address, client
from shared.http.login import Login
from shared.settings.fetch import FetchSection


def adapter(fetch: FetchSection) -> Adapter:
    """With ``id`` the address is that of the console, and the password the key."""
    nobody = client(fetch, Login("", "", "none"))
    if not fetch.id:
        return UrlAdapter(nobody, f"{address(fetch)}/snap.jpeg")
    console = address(fetch, "https")
    url = f"{console}/proxy/protect/integration/v1/cameras/{fetch.id}/snapshot"
    key = {"X-API-KEY": fetch.password.get_secret_value()}
    return UrlAdapter(nobody, url, headers=key, login="API key")
