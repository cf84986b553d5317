"""Axis: VAPIX, with Digest, or Basic over HTTPS; what it wants it says when it is asked without."""

from __future__ import annotations

from urllib.parse import urlencode

from services.camera.brands.adapter import Adapter
from services.camera.brands.url import UrlAdapter, address, client
from shared.settings.fetch import FetchSection


def adapter(fetch: FetchSection) -> Adapter:
    wanted = {}
    if fetch.resolution:
        wanted["resolution"] = fetch.resolution
    if fetch.channel > 1:
        wanted["camera"] = str(fetch.channel)
    query = f"?{urlencode(wanted)}" if wanted else ""
    camera = address(fetch)
    urls = [f"{camera}/axis-cgi/jpg/image.cgi{query}"]
    if not wanted:
        urls.append(f"{camera}/jpg/image.jpg")
    return UrlAdapter(client(fetch), *urls)
