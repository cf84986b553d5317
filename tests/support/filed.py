"""Archives with pictures in them, as the drive service files them, and how they are looked into."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from services.drive.archives.archive import Archive
from services.drive.archives.folder import FolderArchive
from services.drive.copies import Encryption
from services.drive.file import FileSnapshots
from services.drive.verified.heal import Heal
from services.drive.verified.keeper import ManifestKeeper
from services.drive.verified.restore import Restore
from services.drive.verified.sources import Scope
from services.drive.verified.verify import Verify
from shared.settings.section import zone_of
from tests.support.making import START, Core, analyzed, events_of, picture

EVERYTHING = Scope()


def folder_archive(root: Path, name: str) -> FolderArchive:
    archive = FolderArchive(root, name)
    archive.prepare(first=True)
    return archive


class Filed:
    """A core and its archives. Pictures are of a year ago, so that none is young."""

    def __init__(
        self, here: Core, archives: Mapping[str, Archive], encrypt_to: Mapping[str, str]
    ) -> None:
        self.here = here
        self.archives = archives
        self.encryption = {
            name: Encryption(
                [encrypt_to[name]] if name in encrypt_to else [],
                here.settings.data / "encrypted" / name,
            )
            for name in archives
        }

    def file(self, number: int, *, day: int = 0, camera: str = "porch") -> str:
        """Take a picture and file it in every archive; returns its path in the first."""
        taken_at = START + timedelta(days=day, seconds=number)
        self.here.arrive(picture(number), camera=camera, captured_at=taken_at)
        return self.refile()

    def refile(self) -> str:
        """File the last picture in every archive, once more perhaps."""
        paths = []
        for archive in self.archives.values():
            handler = FileSnapshots(
                archive,
                self.here.store,
                self.here.journal,
                policy="everything",
                zone=zone_of("UTC"),
                encryption=self.encryption[archive.name],
            )
            events = events_of(handler(analyzed(self.here.told[-1])))
            self.here.journal.append(events)
            paths += [event.data["path"] for event in events]
        return str(paths[0])

    def keep(self, name: str) -> None:
        """What the service does by itself: manifests are brought up to date."""
        ManifestKeeper(self.archives[name], self.here.journal, every_s=1).write()

    def differences(self, name: str, level: str = "sizes") -> list[tuple[str, str]]:
        verify = Verify(self.archives[name], self.here.journal, level=level)
        return [(each.what, each.path) for day in verify.days() for each in verify.day(day)]

    def heal(self, name: str, level: str = "hashes") -> list[tuple[str, str]]:
        """The paths of what differed, and why each stays; empty: healed."""
        archive, said = self.archives[name], list[tuple[str, str]]()
        heal = Heal(
            archive, self.archives, self.here.journal, self.here.store, self.encryption[name],
            zone=zone_of("UTC"),
        )  # fmt: skip
        verify = Verify(archive, self.here.journal, level=level)
        for day in verify.days():
            heal.day(verify, day, EVERYTHING, lambda each, why: said.append((each.path, why)))
        return said

    def restore(self, *names: str, identity: str = "", hashes: bool = False) -> Restore:
        archives = {name: self.archives[name] for name in names or self.archives}
        return Restore(
            archives, self.here.journal, self.here.store, identity=identity, hashes=hashes
        )

    def blob(self, number: int) -> Path:
        """The file of a picture in the store."""
        digest = hashlib.sha256(picture(number)).hexdigest()
        return self.here.store.place(digest)
