"""TP-Link VIGI: a snapshot by HTTPS with Digest, once it is switched on in the camera.

A camera has it on port 8443, and on 8800 without TLS; a recorder on its own port, by channel.
"""

from __future__ import annotations

from services.camera.brands.adapter import Adapter
from services.camera.brands.url import UrlAdapter, address, client
from shared.settings.fetch import FetchSection

PORT = 8443


def adapter(fetch: FetchSection) -> Adapter:
    # Only a recorder knows channels, so only who names one asks for one.
    query = f"?channel={fetch.channel}" if "channel" in fetch.model_fields_set else ""
    return UrlAdapter(client(fetch), f"{address(fetch, 'https', PORT)}/snapshot{query}")
