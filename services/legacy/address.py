"""The address of a camera in a trigger: ``user:password@ip:port``, and perhaps ``,rtsp_port``.

Passwords may hold any character, ``@`` and ``:`` too, so the text is read from its right end.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from shared.settings.told import Told


def address(params: str, networks: Iterable[str]) -> Told:
    """Raises ValueError for an address that is none, or in none of the networks; the text shows no
    password."""
    login, at, place = params.strip().rpartition("@")
    username, colon, password = login.partition(":")
    if not (at and colon):
        raise ValueError("it must look like user:password@ip:port")
    host, colon, port = place.partition(",")[0].strip().rpartition(":")
    if not (colon and port.isascii() and port.isdecimal() and 0 < int(port) < 65_536):
        raise ValueError("it has no port after its last ':'")
    try:
        ip = ip_address(host.strip("[]"))
    except ValueError:
        raise ValueError("its host is no IP address") from None
    if not any(ip in ip_network(each, strict=False) for each in networks):
        raise ValueError(f"{ip} is in none of the networks that legacy.networks allows")
    return Told(str(ip), int(port), username, password)
