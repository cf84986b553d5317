"""Cron expressions of five fields, such as ``10,40 * * * *``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator


def _checked(expression: str) -> str:
    try:
        if expression:
            CronSim(expression, datetime(2000, 1, 1))  # noqa: DTZ001  only read, never asked
    except CronSimError as error:
        raise ValueError(
            f"{expression!r} is no cron expression ({error}); write it like '10,40 * * * *'"
        ) from None
    return expression


Cron = Annotated[str, AfterValidator(_checked)]


def following(expression: Cron, moment: datetime) -> datetime:
    """The next time after a moment, in its zone. Times that the change to summer time leaves out
    or repeats are treated as Debian's cron does."""
    found: datetime = next(CronSim(expression, moment))
    return found
