"""What of a configuration services would refuse, without loading the services."""

from __future__ import annotations

from collections.abc import Sequence

import services.api.tls
import services.folder.watched
import services.ftp.accounts
import services.legacy.where
import services.mail.accounts
from shared.settings import Settings, ports

EACH = (
    services.ftp.accounts.check,
    services.mail.accounts.check,
    services.api.tls.check,
    services.folder.watched.check,
    services.legacy.where.check,
)


def check(settings: Settings) -> Sequence[str]:
    """What is doubtful. Raises ConfigError for what ``build`` would refuse."""
    doubts = [doubt for check in EACH for doubt in check(settings)]
    ports.check(settings, "api", "ftp", "mail")
    return doubts


def check_demo(settings: Settings) -> Sequence[str]:
    """The same, with the simulated cameras."""
    ports.check(settings, "api", "ftp", "mail", "simulator")
    return check(settings)
