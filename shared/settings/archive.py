"""Settings of an archive."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from shared.settings.aws import AwsSection
from shared.settings.google import GoogleSection
from shared.settings.s3 import S3Section
from shared.settings.section import Seconds, Section, Zone

ArchiveName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,24}$")]
"""Short enough for the name of its service, ``drive-<name>``."""


class DriveSection(Section):
    enabled: bool = Field(
        True, description="false: nothing is filed; pictures end as skipped, and stay in the store"
    )
    archive: Literal["folder", "google", "s3"] = "folder"
    folder: Path = Field(Path("archive"), description="relative paths are below the data folder")
    timezone: Zone = Field(
        "",
        description="whose days and times folders and file names show, such as Europe/Berlin; "
        "empty: the zone of this machine (TZ)",
    )
    policy: Literal["everything", "objects", "people"] = "everything"
    order: Literal["oldest", "newest"] = Field(
        "oldest", description="which come first of those that waited for the archive"
    )
    google: GoogleSection = GoogleSection()
    manifest_s: Seconds = Field(
        3600.0, description="how often what was filed is written into the manifests of the days"
    )
    encrypt_to: tuple[str, ...] = Field(
        (),
        max_length=20,
        description="public keys of age (age1…) or SSH: pictures are encrypted for them before "
        "they are filed, and nothing here can open them again; empty: not encrypted",
    )
    s3: S3Section = S3Section()

    def asking(self, account: AwsSection) -> DriveSection:
        """The same, with the account it uses."""
        return self.model_copy(update={"s3": self.s3.asking(account)})

    @property
    def place(self) -> tuple[str, ...]:
        """Whose place of which kind it is; empty for a folder of this machine."""
        if self.archive == "s3" and self.s3.bucket:
            endpoint = self.s3.account.endpoint if self.s3.account else ""
            return "s3", endpoint, self.s3.bucket, self.s3.prefix
        if self.archive == "google":
            google = self.google
            folder = "/".join(filter(None, google.folder.split("/")))
            service = (google.service or {}).get("client_email", "")
            login = service + google.acts_for if service else str(google.token)
            return "google", google.api, google.shared_drive or login, folder
        return ()

    @model_validator(mode="after")
    def _names_a_bucket(self) -> DriveSection:
        if self.archive == "s3" and self.enabled and not self.s3.bucket:
            raise ValueError("'archive: s3' needs the name of a bucket: s3.bucket")
        return self


class RetentionSection(Section):
    archives: tuple[ArchiveName, ...] = Field(
        (),
        description="those that must hold a picture before its original may be deleted; empty: all",
    )
    copies: tuple[Literal["original", "encrypted"], ...] = Field(
        ("original",),
        min_length=1,
        description="which kinds of copies count; an encrypted one can't be looked into from here",
    )
