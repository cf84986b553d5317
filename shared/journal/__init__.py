"""The SQL database: every event, what each service did with it, and the tables read from them."""

from shared.journal.journal import Journal
from shared.journal.marks import Attempt

__all__ = ["Attempt", "Journal"]
