"""Wires all services that are enabled into one process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import services.api.app
import services.camera.app
import services.detector.app
import services.drive.app
import services.ftp.app
import services.scheduler.app
import services.simulator.app
from services.simulator.demo import at_its_port
from shared.service import Parts, Service
from shared.settings import Settings


def build(parts: Parts) -> Sequence[Service]:
    """Runs every service in one process."""
    return _built(parts, _wanted(parts))


def build_demo(parts: Parts) -> Sequence[Service]:
    """Runs every service and the simulated cameras in one process."""
    parts = replace(parts, settings=at_its_port(parts.settings))
    return _built(parts, [*_wanted(parts), services.simulator.app.build])


def check(settings: Settings) -> None:
    """Raises ConfigError for what ``build`` would refuse."""
    services.ftp.app.check(settings)


def _wanted(parts: Parts) -> list[Callable[[Parts], Service]]:
    settings = parts.settings
    chosen = {
        services.detector.app.build: True,  # without it, snapshots are marked "not analysed"
        services.drive.app.build: settings.drive.enabled,
        services.camera.app.build: True,
        services.scheduler.app.build: True,
        services.api.app.build: settings.api.enabled,
        services.ftp.app.build: True,  # with the FTP server off, folders are still watched
    }
    return [build for build, wanted in chosen.items() if wanted]


def _built(parts: Parts, builds: Sequence[Callable[[Parts], Service]]) -> list[Service]:
    return [build(parts) for build in builds]
