"""Accounts that several cameras share: which camera an upload is of, by its folders and name.

What is no camera's is refused before its first byte, so that its sender keeps it and people hear
of it, or its folder becomes a camera by itself where that is allowed (``new_cameras``).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from shared.errors import JournalUnavailable
from shared.ingest.accounts import Account
from shared.ingest.names import NameReader
from shared.ingest.recognise import Recogniser
from shared.journal import Journal
from shared.settings.cameras import CameraSection
from shared.settings.ftp import FtpSharedSection
from shared.settings.section import zone_of

log = logging.getLogger(__name__)

LONGEST_CAMERA = 63
_NOT_OF_A_NAME = re.compile(r"[^a-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Shared:
    """One shared account, with the cameras that log in by it."""

    account: Account
    most_new: int
    members: Mapping[str, Account]
    taken: frozenset[str]
    """Names of all cameras there are."""
    upload_folder: str
    _recogniser: Recogniser
    _names: NameReader

    def member(self, path: str) -> Account | None:
        """The camera of an upload; None: it is none's."""
        return self.members.get(self._recogniser.camera(self.below(path), self._names))

    def newcomer(self, path: str) -> Account | None:
        """The camera that its folder, or else its layout, would make; None: none can be."""
        path = self.below(path)
        folder, slash, _name = path.partition("/")
        text = folder if slash else self._names.camera(path)
        name = _NOT_OF_A_NAME.sub("-", text.lower()).strip("-_")[:LONGEST_CAMERA]
        if not name or name in self.taken:
            return None
        return replace(self.account, camera=name)

    def below(self, path: str) -> str:
        """A path as it is seen from the upload folder, which is no camera's."""
        path = path.strip("/")
        return path.removeprefix(f"{self.upload_folder}/") if self.upload_folder else path


def shared_account(
    name: str,
    section: FtpSharedSection,
    cameras: Mapping[str, CameraSection],
    upload_folder: str,
    names: NameReader,
) -> Shared:
    """The account of this name. Raises ConfigError where two of its cameras are called alike."""
    account = Account(
        name,
        section.username or name,
        section.password.get_secret_value(),
        section.active,
        zone_of(section.timezone),
        section.tls,
        section.quota,
    )
    members, called = {}, {}
    for camera, settings in cameras.items():
        own = settings.ftp
        if own is None or own.account != name:
            continue
        quota = own.quota if "quota" in own.model_fields_set else section.quota
        called[camera] = own.names
        members[camera] = replace(
            account,
            camera=camera,
            zone=zone_of(own.timezone or section.timezone),
            quota=quota,
        )
    return Shared(
        account,
        section.new_cameras,
        members,
        frozenset(cameras),
        upload_folder,
        Recogniser(called),
        names,
    )


class Newcomers:
    """Cameras that appeared by themselves, so many for each account and no more. Belongs to the
    thread of the server."""

    def __init__(self) -> None:
        self._new: dict[str, set[str]] = {}
        self._before: frozenset[str] = frozenset()

    def load(self, journal: Journal, accounts: Iterable[Shared]) -> None:
        """Cameras of which pictures came before this process began go on. Blocks."""
        if any(each.most_new for each in accounts):
            try:
                self._before = frozenset(journal.read.counts())
            except JournalUnavailable as error:
                log.warning("earlier cameras are unknown: %s", error)

    def allows(self, shared: Shared, camera: str) -> bool:
        """Whether this one may be; it is one of them then."""
        new = self._new.setdefault(shared.account.username, set())
        if not shared.most_new or (
            camera not in self._before | new and len(new) >= shared.most_new
        ):
            return False
        new.add(camera)
        return True
