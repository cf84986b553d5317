"""People and keys: who may do what, and what exists for them."""

from shared.access.access import Access
from shared.access.rights import Right
from shared.access.visitor import Actor, Visitor

__all__ = ["Access", "Actor", "Right", "Visitor"]
