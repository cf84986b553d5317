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
import services.legacy.app
import services.mail.app
import services.rekognition.app
import services.scheduler.app
from shared.service import Context, Service
from shared.settings import Settings
from shared.settings.directory import CameraDirectory

log = logging.getLogger(__name__)

# In the order of starting: who looks at pictures and files them, with the engine loaded and the
# archives prepared; who asks cameras; the page; then the doors that open by themselves, FTP last.
# One that is switched off has no thread but what answers those who wait for it.
BUILDS: Sequence[Callable[[Context], Service | Sequence[Service]]] = (
    services.detector.app.build,
    services.drive.app.build,
    services.rekognition.app.build,
    services.camera.app.build,
    services.scheduler.app.build,
    services.api.app.build,
    services.folder.app.build,
    services.legacy.app.build,
    services.mail.app.build,
    services.ftp.app.build,
)


def build(context: Context) -> Sequence[Service]:
    """Runs every service in one process."""
    built = [service for each in BUILDS for service in _built(each(context))]
    _welcome(context.settings)
    return built


def build_demo(context: Context) -> Sequence[Service]:
    """Runs every service and the simulated cameras in one process."""
    # Here, because all but the demo do without what draws.
    import services.simulator.app
    from services.simulator.demo import at_its_port

    settings = at_its_port(context.settings)
    context = replace(context, settings=settings, cameras=CameraDirectory(settings.cameras))
    simulator = services.simulator.app.build(context)  # its Google logs in the archives of the demo
    return [*build(context), simulator]


def _built(what: Service | Sequence[Service]) -> Sequence[Service]:
    return [what] if isinstance(what, Service) else what


def _welcome(settings: Settings) -> None:
    if page := settings.api.page:
        log.info("the page is at %s, and Ctrl-C ends Snapbus", page, extra={"action": "welcome"})
