"""Follows the configuration file: cameras are taken over at once, of the rest it is told."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from shared.errors import ConfigError
from shared.settings import Settings
from shared.settings.directory import CameraDirectory

log = logging.getLogger(__name__)


class ConfigFollower:
    """Looks at the file, and loads it anew after it changed. Belongs to one thread.

    ``reload`` returns the settings in force and raises ConfigError; ``accept`` is called with those
    that are taken over, before any service sees them (their secrets must be masked in logs).
    """

    def __init__(
        self,
        file: Path,
        settings: Settings,
        cameras: CameraDirectory,
        reload: Callable[[], Settings],
        accept: Callable[[Settings], None],
    ) -> None:
        self._file = file
        self._settings = settings
        self._cameras = cameras
        self._reload = reload
        self._accept = accept
        self._seen = self._version()
        self.problem = ""
        """Why the file as it is now is not in force; empty: it is."""

    def look(self) -> None:
        """Take over what changed since the last look."""
        version = self._version()
        if version == self._seen:
            return
        self._seen = version
        try:
            settings = self._reload()
        except ConfigError as error:
            self.problem = f"the changed configuration is not in force: {error}"
            log.error(self.problem, extra={"action": "configuration"})
            return
        self.problem = self._rest(settings)
        self._accept(settings)
        changed = self._cameras.replace(settings.cameras)
        if changed:
            log.info("cameras changed: %s", ", ".join(changed), extra={"action": "cameras_changed"})
        if self.problem:
            log.warning(self.problem, extra={"action": "configuration"})

    def _rest(self, settings: Settings) -> str:
        """What else changed, which this process does not take over."""
        names = [
            name
            for name in type(settings).model_fields
            if name != "cameras" and getattr(settings, name) != getattr(self._settings, name)
        ]
        return f"restart to put in force what changed in: {', '.join(names)}" if names else ""

    def _version(self) -> tuple[int, int, int] | None:
        try:
            status = self._file.stat()
        except OSError:  # being replaced just now, or gone: what is in force stays
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size
