"""Tasmota with a camera (tasmota32-webcam): no login, or Basic."""

from __future__ import annotations

from services.camera.brands.adapter import Adapter
from services.camera.brands.url import UrlAdapter, address, client
from shared.settings.fetch import FetchSection


def adapter(fetch: FetchSection) -> Adapter:
    camera = address(fetch)
    return UrlAdapter(client(fetch), f"{camera}/wc.jpg", f"{camera}/snapshot.jpg")
