"""Wires the simulated cameras: porch pushes by FTP, gate is a Foscam, yard wants a Digest login.

Beside them there is one of each brand, to be tried, and a Google account if it has a port.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from services.simulator.amazon.labels import seen_by
from services.simulator.amazon.server import SimulatedRekognition
from services.simulator.demo import BRANDS, DIGEST, FOSCAM, PUSHES, fetch_account, ftp_account
from services.simulator.devices import demo_devices, in_moods
from services.simulator.google.account import SimulatedGoogle
from services.simulator.google.token import log_in
from services.simulator.http import HttpCameras
from services.simulator.pictures import Pictures
from services.simulator.push import FtpPusher
from services.simulator.rtsp import RtspCamera
from services.simulator.shown import Shown
from shared.service import Context, Service, Source
from shared.settings import Settings
from shared.settings.simulator import SimulatorSection

log = logging.getLogger(__name__)


def build(context: Context) -> Service:
    """The simulated cameras of this configuration, with the passwords it has for them."""
    settings = context.settings
    section = settings.simulator
    brands = fetch_account(settings, BRANDS)
    shown = Shown()
    devices = demo_devices(
        {each: Pictures(each, section.pictures, shown) for each in (FOSCAM, DIGEST)},
        foscam=fetch_account(settings, FOSCAM),
        generic=fetch_account(settings, DIGEST),
        brands=brands,
    )
    in_moods(devices, section.moods)
    served = HttpCameras(section.host, section.http_port, devices)
    streams = []
    if section.rtsp_port is not None:
        streams.append(RtspCamera(section.host, section.rtsp_port, brands))
    accounts = _accounts(settings)
    clouds: list[Source] = [*_regions(section, shown), *accounts]
    drive = "".join(f"; Google Drive at {each.url}" for each in accounts)
    ftp_port = settings.ftp.port if section.ftp_port is None else section.ftp_port
    pusher = FtpPusher(
        (section.ftp_host, ftp_port),
        ftp_account(settings, PUSHES),
        Pictures(PUSHES, section.pictures, shown),
        section.ftp_every_s,
    )

    def about() -> Mapping[str, Any]:
        return {
            "ok": not pusher.failures_in_a_row,
            "summary": f"simulated cameras: {pusher.pushed} pushed, {served.served} fetched{drive}",
            "last_error": pusher.last_error if pusher.failures_in_a_row else "",
        }

    return Service(name="simulator", sources=(served, *streams, *clouds, pusher), about=about)


def _regions(section: SimulatorSection, shown: Shown) -> Sequence[SimulatedRekognition]:
    """The simulated Amazon, if there is one."""
    if (port := section.rekognition_port) is None:
        return ()
    faults = section.rekognition_faults
    return (SimulatedRekognition(section.host, port, seen_by(shown), faults),)


def _accounts(settings: Settings) -> Sequence[SimulatedGoogle]:
    """The simulated Google account, if there is one; the archives that file there are logged in."""
    section = settings.simulator
    if section.google_port is None:
        return ()
    path = settings.data / "google" / "account.sqlite"
    account = SimulatedGoogle(section.host, section.google_port, path)
    account.storm(section.google_faults)
    log_in(settings, section.google_port)
    log.info("the simulated Google Drive is at %s", account.url, extra={"action": "welcome"})
    return (account,)
