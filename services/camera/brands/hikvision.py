"""Hikvision and what it makes for others (Annke, HiLook, LTS …): ISAPI, with Digest or Basic.

A camera and an analogue recorder have the picture at the first path, a network recorder the
pictures of its cameras at the second, and very old cameras at the third. What has none says so
by 404, or by 400 or 403 with XML.
"""

from __future__ import annotations

from services.camera.brands.adapter import Adapter
from services.camera.brands.url import UrlAdapter, address, client
from shared.settings.fetch import FetchSection

STREAMS = {"main": "01", "sub": "02"}


def adapter(fetch: FetchSection) -> Adapter:
    camera = address(fetch)
    channel = f"{fetch.channel}{STREAMS[fetch.stream]}"
    size = ""
    if fetch.resolution:
        width, height = fetch.resolution.split("x")
        size = f"?videoResolutionWidth={width}&videoResolutionHeight={height}"
    return UrlAdapter(
        client(fetch),
        f"{camera}/ISAPI/Streaming/channels/{channel}/picture{size}",
        f"{camera}/ISAPI/ContentMgmt/StreamingProxy/channels/{channel}/picture{size}",
        f"{camera}/Streaming/channels/{fetch.channel}/picture",
    )
