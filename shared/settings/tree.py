"""The whole configuration as one tree of sections."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from shared.settings.api import ApiSection
from shared.settings.archive import DriveSection
from shared.settings.cameras import CameraSection
from shared.settings.detector import DetectorSection
from shared.settings.ingest import FoldersSection, FtpSection, IntakeSection
from shared.settings.runtime import (
    BrokerSection,
    HealthSection,
    JournalSection,
    LogSection,
    WorkSection,
)
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
    ftp: FtpSection = FtpSection()
    folders: FoldersSection = FoldersSection()
    detector: DetectorSection = DetectorSection()
    drive: DriveSection = DriveSection()
    scheduler: SchedulerSection = SchedulerSection()
    api: ApiSection = ApiSection()
    health: HealthSection = HealthSection()
    log: LogSection = LogSection()
    work: WorkSection = WorkSection()
    simulator: SimulatorSection = SimulatorSection()

    @property
    def journal_url(self) -> str:
        url = self.journal.url.get_secret_value()
        return url or f"sqlite:///{(self.data / 'snapbus.db').absolute()}"

    @property
    def store_root(self) -> Path:
        return self.data / "store"
