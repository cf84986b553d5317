"""Wires all services into one process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

import services.api.app
import services.camera.app
import services.detector.app
import services.drive.app
import services.folder.app
import services.ftp.app
import services.scheduler.app
import services.simulator.app
from services.simulator.demo import at_its_port
from shared.service import Context, Service
from shared.settings import Settings
from shared.settings.directory import CameraDirectory

log = logging.getLogger(__name__)

# One that is switched off has no thread but what answers those who wait for it.
BUILDS: Sequence[Callable[[Context], Service | Sequence[Service]]] = (
    services.detector.app.build,
    services.drive.app.build,
    services.camera.app.build,
    services.scheduler.app.build,
    services.api.app.build,
    services.ftp.app.build,
    services.folder.app.build,
)


def build(context: Context) -> Sequence[Service]:
    """Runs every service in one process."""
    built = [service for each in BUILDS for service in _built(each(context))]
    _welcome(context.settings)
    return built


def build_demo(context: Context) -> Sequence[Service]:
    """Runs every service and the simulated cameras in one process."""
    settings = at_its_port(context.settings)
    context = replace(context, settings=settings, cameras=CameraDirectory(settings.cameras))
    return [*build(context), services.simulator.app.build(context)]


def _built(what: Service | Sequence[Service]) -> Sequence[Service]:
    return [what] if isinstance(what, Service) else what


def _welcome(settings: Settings) -> None:
    host, port = settings.api.host, settings.api.port
    shown = "localhost" if host in ("0.0.0.0", "::", "127.0.0.1") else host  # noqa: S104
    if port:
        told = {"action": "welcome"}
        log.info("the page is at http://%s:%s, and Ctrl-C ends Snapbus", shown, port, extra=told)


def check(settings: Settings) -> None:
    """Raises ConfigError for what ``build`` would refuse."""
    services.ftp.app.check(settings)
    services.folder.app.check(settings)
