"""Facts about the journal itself, such as which store it describes."""

from __future__ import annotations

from sqlalchemy import select

from shared.errors import StoreMissing
from shared.journal.database import Database
from shared.journal.schema import facts
from shared.journal.statements import insert_new


class Facts:
    """Texts by name. Any thread; raises JournalUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def remember(self, name: str, value: str, *, preparing: bool = False) -> str:
        """Note a fact unless it is known; returns what is known of it then."""
        with self._database.writing(preparing=preparing) as connection:
            insert_new(connection, facts, {"name": name, "value": value})
            known = select(facts.c.value).where(facts.c.name == name)
            return str(connection.execute(known).scalar_one())

    def recall(self, name: str) -> str | None:
        """A fact that was noted, or None."""
        with self._database.reading() as connection:
            return connection.execute(select(facts.c.value).where(facts.c.name == name)).scalar()

    def belongs_to(self, store_id: str, *, preparing: bool = False) -> None:
        """Tie this journal to its store. Raises StoreMissing when it knows another one."""
        known = self.remember("store", store_id, preparing=preparing)
        if known != store_id:
            raise StoreMissing(
                f"the journal describes store {known}, but store {store_id} is mounted: "
                "mount the right volume, or use the journal that belongs to this one"
            )
