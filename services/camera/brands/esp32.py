"""ESP32-CAM: the paths of the usual sketches. One client at a time, and at times half a picture."""

from __future__ import annotations

from urllib.parse import urlsplit

from services.camera.brands.adapter import Adapter
from services.camera.brands.url import UrlAdapter, address, client
from shared.settings.fetch import FetchSection

PATHS = ("/capture", "/jpg", "/jpg/image.jpg", "/snapshot.jpg")
SECOND_PORT = 81


def adapter(fetch: FetchSection) -> Adapter:
    """Some sketches have the picture on a port of its own."""
    camera = address(fetch)
    urls = [f"{camera}{path}" for path in PATHS]
    if urlsplit(camera).port is None:
        urls.append(f"{camera}:{SECOND_PORT}/capture")
    return UrlAdapter(client(fetch), *urls)
