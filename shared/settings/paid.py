"""What may be spent on engines that take money for each call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from shared.settings.section import CameraName, Section

Money = Annotated[float, Field(ge=0, le=1_000_000)]


class BudgetSection(Section):
    """``null``: no limit of its own; 0: nothing."""

    daily: Money | None = None
    monthly: Money | None = None


class PaidSection(Section):
    """Every call that costs money is reserved here before it is made; days and months are those of
    UTC, as on the bills."""

    currency: str = Field("USD", pattern=r"^[A-Z]{3}$", description="of all prices and budgets")
    engine: BudgetSection = Field(
        BudgetSection(daily=1.0, monthly=10.0), description="for each engine"
    )
    camera: BudgetSection = Field(BudgetSection(), description="for each camera")
    organisation: BudgetSection = Field(BudgetSection(), description="for each organisation")
    engines: dict[str, BudgetSection] = Field({}, description="other budgets, by engine")
    cameras: dict[CameraName, BudgetSection] = Field({}, description="other budgets, by camera")
    organisations: dict[str, BudgetSection] = Field({}, description="the same by organisation")

    def budgets(
        self, engine: str, camera: str, organisation: str
    ) -> Iterator[tuple[str, str, BudgetSection]]:
        """Those that a call has to fit into: scope, name, budget."""
        yield "engine", engine, self.engines.get(engine, self.engine)
        yield "camera", camera, self.cameras.get(camera, self.camera)
        whose = self.organisations.get(organisation, self.organisation)
        yield "organisation", organisation, whose


class ThriftSection(Section):
    """How one engine is spared calls."""

    price: Money = Field(description="of one call, in `paid.currency`")
    cooldown_s: float = Field(
        5.0, ge=0, description="after a call for a camera; pictures meanwhile are not sent; 0: none"
    )
    alike: float = Field(
        9.0,
        ge=0,
        le=100,
        description="pictures of a camera that differ by no more get the answer of the first: "
        "noise makes 1 to 4, a person far away more than 12; 0: only equal ones",
    )
    edge: float = Field(
        0.06,
        ge=0,
        le=0.45,
        description="how much of the height does not count for that, at the top and at the bottom, "
        "where cameras write the time",
    )
    scenes: int = Field(8, ge=0, le=50, description="answers remembered for each camera; 0: none")
    remember_s: float = Field(86_400.0, gt=0, description="how long an answer holds")
