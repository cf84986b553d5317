"""The kinds of camera we can ask for a picture, each in a file of its own.

A new brand is usually no new file: ``url`` with ``{username}`` and ``{password}`` in it, or with a
login by Basic or Digest, fits nearly all.

The operator chooses the hosts in the configuration, never a sender, so private and loopback
addresses are allowed: most cameras live there. What a camera answers may not choose another host.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from services.camera.brands import file, foscam, url
from services.camera.brands.adapter import Adapter
from shared.settings.cameras import FetchSection

ADAPTERS: Mapping[str, Callable[[FetchSection], Adapter]] = {
    "url": url.adapter,
    "foscam": foscam.adapter,
    "file": file.adapter,
}
"""What makes the adapter for each ``fetch.kind``."""


def adapter_for(fetch: FetchSection) -> Adapter:
    """The adapter that a camera's ``fetch`` section asks for."""
    return ADAPTERS[fetch.kind](fetch)
