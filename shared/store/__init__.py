"""The store: picture files, content-addressed by SHA-256, on a volume that is known by its id."""

from shared.store.open import open_store
from shared.store.part import Part
from shared.store.store import Blob, Store

__all__ = ["Blob", "Part", "Store", "open_store"]
