"""``find``: lists the cameras that answer in this network, by ONVIF's discovery and by mDNS.

    python -m services.camera find

It asks the network only when a person calls it; the service never does.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence

from services.camera.discovery import Found, ws
from services.camera.discovery.mdns import browse
from shared.text import one_line

SECONDS = 4.0


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status: 1 if there is none."""
    parser = argparse.ArgumentParser(prog="camera:find", description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long to listen")
    parser.add_argument(
        "--onvif", default=ws.EVERYBODY, metavar="HOST:PORT", help="whom ONVIF's probe is sent to"
    )
    parser.add_argument(
        "--interface", default="", metavar="ADDRESS", help="of this machine, for mDNS; default: all"
    )
    options = parser.parse_args(arguments)
    host, _, port = options.onvif.rpartition(":")
    if not port.isdigit() or not host:
        parser.error("--onvif must look like 239.255.255.250:3702")
    sys.stderr.write(f"listening for {options.seconds:g} s ...\n")
    try:
        with browse(options.interface) as named:
            found = [*ws.probe((host, int(port)), options.seconds), *named()]
    except OSError as error:
        sys.stderr.write(f"the network can't be asked: {error.strerror or error}\n")
        return 2
    return _told(found)


def _told(found: Iterable[Found]) -> int:
    """Print the cameras, those at one address together; what they say of themselves is data."""
    cameras = sorted(set(found))
    for each in cameras:
        name = one_line(each.name, 60) or "(no name)"
        sys.stdout.write(f"{each.address:<22} {each.how:<6} {name}\n")
        sys.stdout.write(f"    fetch: {{kind: {each.kind}, {each.where}}}\n")
    if not cameras:
        sys.stdout.write(
            "No camera answered. ONVIF may be switched off in them; and a container hears no "
            "other network than its own: run this on the machine itself.\n"
        )
    return 0 if cameras else 1
