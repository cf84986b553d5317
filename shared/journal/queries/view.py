"""What somebody may see of the journal: the rows of an organisation, and of some of its cameras."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, String, and_, func, true

from shared.events import ORGANISATION


@dataclass(frozen=True, slots=True)
class View:
    """None means all. ``whole``: what concerns the machine itself is shown too; it belongs to the
    default organisation."""

    organisation: str | None = None
    cameras: frozenset[str] | None = None

    @property
    def whole(self) -> bool:
        return self.cameras is None and self.organisation in (None, ORGANISATION)

    def sees(self, organisation: str, camera: str) -> bool:
        """Whether a row of this organisation and camera is among them."""
        mine = self.organisation in (None, organisation)
        return mine and (self.cameras is None or camera in self.cameras)

    def rows(self, organisation: Column[str], camera: Column[str]) -> ColumnElement[bool]:
        """The condition for rows with these columns."""
        conditions: list[ColumnElement[bool]] = [true()]
        if self.organisation is not None:
            # Wrapped, so that no index is chosen for it: nearly all rows have the same value, and
            # SQLite would rather sort them all than read in the order that is asked for.
            plain = func.coalesce(organisation, "", type_=String)
            conditions.append(plain == self.organisation)
        if self.cameras is not None:
            conditions.append(camera.in_(sorted(self.cameras)))
        return and_(*conditions)


EVERYTHING = View()
