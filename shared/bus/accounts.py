"""The accounts on RabbitMQ where each service has its own, and what each may say and hear.

Standard library only: `task configure` reads this before any package of ours is installed.
"""

from __future__ import annotations

from dataclasses import dataclass

REQUESTED = "snapshot.requested"
NOBODY = "?"
"""The sender of what does not say who published it."""
HOME = "home"
"""The account of home automation: it asks for pictures."""
LEGACY = "legacy"
GUEST = "guest"
"""The account that programs of an existing system have always used."""
HEARD_AT_HOME = ("snapshot", "camera")
"""How topics begin that it may hear: who logged in is nothing to it."""


@dataclass(frozen=True, slots=True)
class Account:
    """What its service says and listens to. ``finishes``: it also says and delivers anew whatever
    another service committed."""

    says: tuple[str, ...] = ()
    listens: tuple[str, ...] = ()
    finishes: bool = False


SERVICES = {
    "api": Account(says=(REQUESTED, "snapshot.taken", "access.noted")),
    "camera": Account(
        says=("snapshot.taken", "snapshot.shared", "camera.failed", REQUESTED),
        listens=(REQUESTED, "snapshot.rejected"),
    ),
    "detector": Account(
        says=("snapshot.analyzed", "snapshot.rejected"), listens=("snapshot.taken",)
    ),
    "drive": Account(
        says=("snapshot.archived", "snapshot.skipped", "snapshot.refiled", "snapshot.kept"),
        listens=("snapshot.analyzed", "snapshot.kept"),
    ),
    "folder": Account(says=("snapshot.taken",), listens=("snapshot.analyzed", "snapshot.rejected")),
    "ftp": Account(says=("snapshot.taken", "camera.tested", "camera.guessed")),
    LEGACY: Account(
        says=(REQUESTED, "snapshot.notified"), listens=("snapshot.analyzed", "snapshot.shared")
    ),
    "mail": Account(says=("snapshot.taken", "camera.tested", "camera.guessed")),
    "rekognition": Account(says=("snapshot.analyzed",), listens=("snapshot.analyzed",)),
    "scheduler": Account(says=(REQUESTED,), finishes=True),
    "simulator": Account(),
}


def may_say(sender: str, topic: str) -> bool:
    """Whether an event of this topic is believed of this account; of one that is no service's, only
    requests are."""
    service = SERVICES.get(sender)
    if service is None:
        return topic == REQUESTED
    return service.finishes or topic in service.says
