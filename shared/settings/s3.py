"""Settings of what is kept in a bucket of S3."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from shared.settings.aws import AwsSection
from shared.settings.section import Section

BucketName = Annotated[str, StringConstraints(pattern=r"^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$")]
StorageClass = Literal[
    "", "STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR"
]
"""Those from which a picture can be read at once; colder ones are a matter of rules."""
ColdClass = Literal[
    "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"
]


class RulesSection(Section):
    """What S3 itself does with pictures that grow old."""

    colder_days: int = Field(
        0, ge=0, description="pictures older than this are moved to colder_class; 0: none"
    )
    colder_class: ColdClass = "GLACIER"
    expire_days: int = Field(0, ge=0, description="pictures older than this are deleted; 0: none")

    @model_validator(mode="after")
    def _fits_together(self) -> RulesSection:
        if self.colder_days and self.expire_days and self.expire_days <= self.colder_days:
            raise ValueError("'expire_days' must be more than 'colder_days'")
        if self.colder_class.endswith("_IA") and 0 < self.colder_days < 30:
            raise ValueError(f"S3 moves nothing to {self.colder_class} before 30 days")
        return self

    @property
    def any(self) -> bool:
        return bool(self.colder_days or self.expire_days)


class PlaceSection(Section):
    """A part of a bucket."""

    bucket: BucketName = Field("", description="the bucket; it is not made for you")
    prefix: str = Field("", description="before the keys, such as cameras/home; empty: none")
    account: AwsSection | None = Field(None, description="of its own; null: that of 'aws'")

    @field_validator("prefix")
    @classmethod
    def _is_a_path(cls, prefix: str) -> str:
        prefix = prefix.strip("/")
        if prefix and {"", ".", ".."} & set(prefix.split("/")):
            raise ValueError("write it like cameras/home")
        if len(prefix.encode()) > 512 or not prefix.isprintable():
            raise ValueError("at most 512 bytes that can be printed")
        return prefix

    @property
    def before(self) -> str:
        """What keys begin with."""
        return f"{self.prefix}/" if self.prefix else ""


class S3Section(PlaceSection):
    """Where an archive files."""

    storage_class: StorageClass = Field("", description="empty: that of the server")
    rules: RulesSection = Field(
        RulesSection(), description="put in force by `task s3:lifecycle`, which shows them first"
    )

    def asking(self, account: AwsSection) -> S3Section:
        """The same, with this account unless it has its own."""
        return self if self.account else self.model_copy(update={"account": account})


class StoreS3Section(PlaceSection):
    """Where the pictures themselves are, for several hosts."""

    cache_bytes: int = Field(
        2_000_000_000, ge=0, description="of the copies kept below the data folder, about"
    )
    uploads: int = Field(8, ge=1, le=64, description="pictures sent at the same time")

    @model_validator(mode="after")
    def _names_a_bucket(self) -> StoreS3Section:
        if not self.bucket:
            raise ValueError("name the bucket: store.s3.bucket")
        return self


class StoreSection(Section):
    s3: StoreS3Section | None = Field(
        None, description="a bucket that several hosts share; null: the data folder"
    )
