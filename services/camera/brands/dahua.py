"""Dahua and what it makes for others (Amcrest, Lorex, Empire …): a CGI, with Digest or Basic.

It makes about one picture a second, and answers 500 or 503 while it makes another.
"""

from __future__ import annotations

from services.camera.brands.adapter import Adapter
from services.camera.brands.url import UrlAdapter, address, client
from shared.settings.fetch import FetchSection


def adapter(fetch: FetchSection) -> Adapter:
    url = f"{address(fetch)}/cgi-bin/snapshot.cgi"
    # Some cameras of one lens know no channels.
    plain = [url] if fetch.channel == 1 else []
    return UrlAdapter(client(fetch), f"{url}?channel={fetch.channel}", *plain)
