"""The store: picture files, content-addressed by SHA-256, on a volume that is known by its id."""

from shared.store.store import Blob, Part, Store

__all__ = ["Blob", "Part", "Store"]
