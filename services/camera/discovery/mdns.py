"""mDNS: cameras that announce themselves; the only file that uses ``zeroconf``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from zeroconf import Error as ZeroconfError
from zeroconf import InterfaceChoice, ServiceBrowser, ServiceStateChange, Zeroconf

from services.camera.discovery import Found

KINDS = {
    "_axis-video._tcp.local.": "axis",
    "_rtsp._tcp.local.": "rtsp",
    "_amcrest._tcp.local.": "dahua",
    "_dahua._tcp.local.": "dahua",
    "_reolink._tcp.local.": "reolink",
}
"""The services that only cameras announce, and the kind that fits each."""
RESOLVE_MS = 1000


@dataclass(frozen=True, slots=True)
class _Seen:
    service: str
    name: str


@contextmanager
def browse(interface: str = "") -> Iterator[Callable[[], list[Found]]]:
    """Listen while this is entered; the function yielded gives those seen so far. ``interface`` is
    an address of this machine. Raises OSError."""
    seen: set[_Seen] = set()
    lock = threading.Lock()

    def changed(
        zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        if state_change is ServiceStateChange.Added:
            with lock:
                seen.add(_Seen(service_type, name))

    try:
        network = Zeroconf(interfaces=[interface] if interface else InterfaceChoice.Default)
    except ZeroconfError as error:
        raise OSError(str(error)) from None

    def found() -> list[Found]:
        with lock:
            known = sorted(seen, key=lambda each: each.name)
        return [each for one in known if (each := _resolved(network, one))]

    try:
        browser = ServiceBrowser(network, list(KINDS), handlers=[changed])
        yield found
        browser.cancel()
    finally:
        network.close()


def _resolved(network: Zeroconf, seen: _Seen) -> Found | None:
    info = network.get_service_info(seen.service, seen.name, timeout=RESOLVE_MS)
    addresses = info.parsed_addresses() if info else []
    if info is None or not addresses:
        return None
    kind = KINDS[seen.service]
    host = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
    name = seen.name.removesuffix(f".{seen.service}")
    if kind == "rtsp":
        where = f'url: "rtsp://{host}:{info.port}/"'
        return Found(f"{host}:{info.port}", "mDNS", kind, where, name)
    place = host if info.port in (None, 80) else f"{host}:{info.port}"
    return Found(place, "mDNS", kind, f'host: "{place}"', name)
