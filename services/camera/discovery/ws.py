"""WS-Discovery: ONVIF cameras answer a probe that is sent to everybody in the network."""

from __future__ import annotations

import ipaddress
import re
import socket
import time
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from services.camera.discovery import Found

EVERYBODY = "239.255.255.250:3702"
MAX_DATAGRAM = 65_535
MOST = 1000
_HOPS = 1
_XADDRS = re.compile(r"<(?:\w+:)?XAddrs[^>]*>([^<]*)<")
_SCOPES = re.compile(r"<(?:\w+:)?Scopes[^>]*>([^<]*)<")
_NAME = "onvif://www.onvif.org/name/"
_PROBE = """<?xml version="1.0" encoding="UTF-8"?>
<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"
 xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"
 xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header>
<w:MessageID>uuid:{id}</w:MessageID>
<w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>
<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header>
<e:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>"""


def probe(to: tuple[str, int], seconds: float) -> Iterator[Found]:
    """The cameras that answer within ``seconds``. Raises OSError."""
    message_id = str(uuid4())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, _HOPS)
        wire.sendto(_PROBE.format(id=message_id).encode(), to)
        end = time.monotonic() + seconds
        for _ in range(MOST):
            left = end - time.monotonic()
            if left <= 0:
                return
            wire.settimeout(left)
            try:
                data, (sender, _port) = wire.recvfrom(MAX_DATAGRAM)
            except TimeoutError:
                return
            text = data.decode("utf-8", "replace")
            if message_id in text and (found := match(text, sender)):
                yield found


def match(text: str, sender: str) -> Found | None:
    """The camera of one answer. It is at the address that answered, whatever it says itself: only
    the port is its word."""
    addresses = _XADDRS.search(text)
    if not addresses:
        return None
    host, port = _own(addresses[1].split(), sender)
    scopes = _SCOPES.search(text)
    names = [each for each in (scopes[1].split() if scopes else []) if each.startswith(_NAME)]
    name = unquote(names[0].removeprefix(_NAME)) if names else ""
    place = host if port in (None, 80) else f"{host}:{port}"
    return Found(place, "ONVIF", "onvif", f'host: "{place}"', name)


def _own(addresses: list[str], sender: str) -> tuple[str, int | None]:
    """The sender's host, and the port of the first address that is its own, or of the first."""
    ports: list[int | None] = []
    for each in addresses:
        try:
            parts = urlsplit(each)
            ports.append(parts.port)
            if ipaddress.ip_address(parts.hostname or "") == ipaddress.ip_address(sender):
                return sender, parts.port
        except ValueError:
            continue
    return sender, ports[0] if ports else None
