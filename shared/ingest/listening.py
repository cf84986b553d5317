"""The port of a door's server."""

from __future__ import annotations

import os
import socket

from shared.errors import ConfigError


def listening(setting: str, host: str, port: int, backlog: int) -> socket.socket:
    """A socket that listens there. Raises ConfigError, which names the setting."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(backlog)
    except OSError as error:
        listener.close()
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise ConfigError(
            f"{setting}: can't listen on {host}:{port}: {reason}. "
            "Choose a free port; ports under 1024 need special rights."
        ) from error
    return listener
