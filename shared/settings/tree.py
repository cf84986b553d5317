"""The whole configuration as one tree of sections."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

from pydantic import Field, PrivateAttr, model_validator

from shared.settings.api import ApiSection
from shared.settings.archive import ArchiveName, DriveSection, RetentionSection
from shared.settings.aws import AwsSection
from shared.settings.cameras import CameraSection
from shared.settings.detector import DetectorSection
from shared.settings.ftp import FtpSection
from shared.settings.ingest import FoldersSection, IntakeSection, MailSection
from shared.settings.layouts import LayoutSection
from shared.settings.legacy import LegacySection
from shared.settings.paid import PaidSection
from shared.settings.rekognition import CloudwatchSection, RekognitionSection
from shared.settings.runtime import (
    BrokerSection,
    HealthSection,
    JournalSection,
    LogSection,
    WorkSection,
)
from shared.settings.s3 import StoreSection
from shared.settings.scheduler import SchedulerSection
from shared.settings.section import CameraName, Section
from shared.settings.simulator import SimulatorSection


class Settings(Section):
    """The whole configuration."""

    data: Path = Field(Path("data"), description="pictures, SQLite file and folder archive")
    cameras: dict[CameraName, CameraSection] = Field(default_factory=dict)
    journal: JournalSection = JournalSection()
    broker: BrokerSection = BrokerSection()
    intake: IntakeSection = IntakeSection()
    store: StoreSection = StoreSection()
    ftp: FtpSection = FtpSection()
    mail: MailSection = MailSection()
    folders: FoldersSection = FoldersSection()
    layouts: tuple[LayoutSection, ...] = Field(
        (), max_length=20, description="how cameras of yours name their files"
    )
    detector: DetectorSection = DetectorSection()
    drive: DriveSection = DriveSection()
    archives: dict[ArchiveName, DriveSection] = Field(
        default_factory=dict, description="more archives, each with a name and a policy of its own"
    )
    aws: AwsSection = Field(
        AwsSection(), description="the account at Amazon, or at a server that speaks like it"
    )
    rekognition: RekognitionSection = RekognitionSection()
    paid: PaidSection = Field(PaidSection(), description="what may be spent on paid engines")
    cloudwatch: CloudwatchSection = CloudwatchSection()
    retention: RetentionSection = RetentionSection()
    scheduler: SchedulerSection = SchedulerSection()
    api: ApiSection = ApiSection()
    health: HealthSection = HealthSection()
    log: LogSection = LogSection()
    work: WorkSection = WorkSection()
    simulator: SimulatorSection = SimulatorSection()
    legacy: LegacySection = LegacySection()
    _overrides: tuple[str, ...] = PrivateAttr(())
    _doubts: tuple[str, ...] = PrivateAttr(())

    @property
    def journal_url(self) -> str:
        url = self.journal.url.get_secret_value()
        return url or f"sqlite:///{(self.data / 'snapbus.db').absolute()}"

    @property
    def analyzers(self) -> tuple[str, ...]:
        """The names of those whose results count; the first answers every picture, and is who is
        believed where one answer is wanted."""
        if not self.rekognition.enabled:
            return ("detector",)
        alone = not self.detector.enabled and self.rekognition.answers_all
        return ("rekognition", "detector") if alone else ("detector", "rekognition")

    @property
    def all_archives(self) -> dict[str, DriveSection]:
        """Every archive by its name in events; that of ``drive`` is called by its kind."""
        found = {self.drive.archive: self.drive, **self.archives}
        return {name: section.asking(self.aws) for name, section in found.items()}

    @property
    def newest_first(self) -> frozenset[str]:
        """The services that file what waited longest last."""
        named = {f"drive-{name}": section for name, section in self.archives.items()}
        named["drive"] = self.drive
        return frozenset(name for name, section in named.items() if section.order == "newest")

    @property
    def folder_archives(self) -> dict[str, Path]:
        """The folders of those archives that are one."""
        return {
            name: self.data / section.folder  # an absolute folder stays as it is
            for name, section in self.all_archives.items()
            if section.archive == "folder"
        }

    @model_validator(mode="after")
    def _archives_differ(self) -> Settings:
        name = self.drive.archive
        if name in self.archives:
            raise ValueError(f"archives.{name}: that of 'drive' has this name; choose another")
        for each in self.retention.archives:
            if each not in self.all_archives:
                raise ValueError(f"retention.archives: there is no archive {each}")
        for (one, first), (other, second) in combinations(self.folder_archives.items(), 2):
            if first.is_relative_to(second) or second.is_relative_to(first):
                raise ValueError(
                    f"the archives {one} and {other} share the folder {first}; give each its own"
                )
        places: dict[tuple[str, ...], str] = {}
        for other, section in self.all_archives.items():
            if place := section.place:
                one = places.setdefault(place, other)
                if one != other:
                    raise ValueError(
                        f"the archives {one} and {other} file in the same place of "
                        f"{section.archive}; give each its own"
                    )
        return self

    @property
    def store_root(self) -> Path:
        """The folder of the store; of one on S3, that of its copies."""
        return self.data / ("store-s3" if self.store.s3 else "store")

    def note(self, overrides: Iterable[str], doubts: Iterable[str]) -> None:
        """Keep the texts about overridden settings and names of older programs, and those about
        variables that are probably misspelt."""
        self._overrides, self._doubts = tuple(overrides), tuple(doubts)

    @property
    def overrides(self) -> tuple[str, ...]:
        return self._overrides

    @property
    def doubts(self) -> tuple[str, ...]:
        return self._doubts
