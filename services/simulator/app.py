"""Wires the simulated cameras: porch pushes by FTP, gate is a Foscam, yard wants a Digest login."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.simulator.demo import DIGEST, FOSCAM, PUSHES, fetch_account, ftp_account
from services.simulator.http import HttpCameras
from services.simulator.pictures import Pictures
from services.simulator.push import FtpPusher
from shared.service import Context, Service


def build(context: Context) -> Service:
    """The simulated cameras of this configuration, with the passwords it has for them."""
    settings = context.settings
    section = settings.simulator
    served = HttpCameras(
        section.host,
        section.http_port,
        foscam=(fetch_account(settings, FOSCAM), Pictures(FOSCAM, section.pictures)),
        generic=(fetch_account(settings, DIGEST), Pictures(DIGEST, section.pictures)),
    )
    ftp_port = settings.ftp.port if section.ftp_port is None else section.ftp_port
    pusher = FtpPusher(
        (section.ftp_host, ftp_port),
        ftp_account(settings, PUSHES),
        Pictures(PUSHES, section.pictures),
        section.ftp_every_s,
    )

    def about() -> Mapping[str, Any]:
        return {
            "ok": not pusher.failures_in_a_row,
            "summary": f"simulated cameras: {pusher.pushed} pushed, {served.served} fetched",
            "last_error": pusher.last_error if pusher.failures_in_a_row else "",
        }

    return Service(name="simulator", sources=(served, pusher), about=about)
