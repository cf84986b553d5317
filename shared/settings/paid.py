"""What may be spent on engines that take money for each call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from shared.settings.section import CameraName, Section

Money = Annotated[float, Field(ge=0, le=1_000_000)]
EngineName = Literal["rekognition"]


class BudgetSection(Section):
    """``null``: no limit of its own; 0: nothing."""

    daily: Money | None = None
    monthly: Money | None = None


class EngineBudgetSection(Section):
    """``null``: no limit of its own; 0: nothing."""

    daily: Money | None = 1.0
    monthly: Money | None = 10.0


def _no_defaults(schema: dict[str, Any]) -> None:
    for setting in schema["properties"].values():
        del setting["default"]


class NamedBudgetSection(BudgetSection):
    """``null``: no limit of its own; 0: nothing. What is left out is as for all others."""

    model_config = ConfigDict(json_schema_extra=_no_defaults)

    def over(self, others: BudgetSection | EngineBudgetSection) -> BudgetSection:
        """What it says, and ``others`` for what it leaves out."""
        return BudgetSection.model_validate({**dict(others), **self.model_dump(exclude_unset=True)})


class PaidSection(Section):
    """Every call that costs money is reserved here before it is made; days and months are those of
    UTC, as on the bills."""

    currency: str = Field("USD", pattern=r"^[A-Z]{3}$", description="of all prices and budgets")
    engine: EngineBudgetSection = Field(EngineBudgetSection(), description="for each engine")
    camera: BudgetSection = Field(BudgetSection(), description="for each camera")
    organisation: BudgetSection = Field(BudgetSection(), description="for each organisation")
    engines: dict[EngineName, NamedBudgetSection] = Field(
        {}, description="other budgets, by engine"
    )
    cameras: dict[CameraName, NamedBudgetSection] = Field(
        {}, description="other budgets, by camera"
    )
    organisations: dict[str, NamedBudgetSection] = Field({}, description="the same by organisation")

    def of_engine(self, engine: str) -> BudgetSection:
        """The budget of an engine."""
        own = {str(name): budget for name, budget in self.engines.items()}
        return own.get(engine, NamedBudgetSection()).over(self.engine)

    def budgets(
        self, engine: str, camera: str, organisation: str
    ) -> Iterator[tuple[str, str, BudgetSection]]:
        """Those that a call has to fit into: scope, name, budget."""
        none = NamedBudgetSection()
        yield "engine", engine, self.of_engine(engine)
        yield "camera", camera, self.cameras.get(camera, none).over(self.camera)
        whose = self.organisations.get(organisation, none).over(self.organisation)
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
