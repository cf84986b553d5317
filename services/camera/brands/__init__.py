"""The kinds of camera we can ask for a picture, each in a file of its own.

A new brand is usually no new file: ``url`` with ``{username}`` and ``{password}`` in it, or with a
login by Basic or Digest, fits nearly all.

The operator chooses the hosts in the configuration, never a sender (but for kind ``told``, whose
networks the operator chooses), so private and loopback addresses are allowed: most cameras live
there. What a camera answers may not choose another host.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from services.camera.brands import (
    axis,
    dahua,
    esp32,
    file,
    foscam,
    foscam_mjpeg,
    hikvision,
    onvif,
    reolink,
    rtsp,
    tasmota,
    told,
    unifi,
    url,
    v4l2,
    vigi,
)
from services.camera.brands.adapter import Adapter
from shared.settings.fetch import FetchSection

ADAPTERS: Mapping[str, Callable[[FetchSection], Adapter]] = {
    "url": url.adapter,
    "foscam": foscam.adapter,
    "foscam_mjpeg": foscam_mjpeg.adapter,
    "reolink": reolink.adapter,
    "hikvision": hikvision.adapter,
    "dahua": dahua.adapter,
    "axis": axis.adapter,
    "onvif": onvif.adapter,
    "vigi": vigi.adapter,
    "unifi": unifi.adapter,
    "esp32": esp32.adapter,
    "tasmota": tasmota.adapter,
    "rtsp": rtsp.adapter,
    "v4l2": v4l2.adapter,
    "file": file.adapter,
    "told": told.adapter,
}
"""What makes the adapter for each ``fetch.kind``."""


def adapter_for(fetch: FetchSection) -> Adapter:
    """The adapter that a camera's ``fetch`` section asks for."""
    return ADAPTERS[fetch.kind](fetch)
