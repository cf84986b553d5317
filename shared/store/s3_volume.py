"""The volume of a store in a bucket: a folder of copies, and whether the bucket takes pictures."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shared.aws.errors import AwsDamaged, AwsError, AwsMissing
from shared.errors import StoreError, StoreFull, StoreMissing
from shared.store.volume import Volume

log = logging.getLogger(__name__)

_FULL = frozenset({"507", "QuotaExceeded", "InsufficientStorage", "XMinioStorageFull"})


class S3Volume(Volume):
    """The folder of copies, and whether the bucket took what was sent last. Any thread."""

    def __init__(self, root: Path, probe: Callable[[], None], **reserve: Any) -> None:
        """``probe`` writes a small object; raises AwsError."""
        super().__init__(root, **reserve)
        self._probe = probe
        self._trouble: StoreError | None = None

    def refused(self, error: AwsError) -> StoreError:
        """The StoreError for it; nothing more is taken until ``check_writable`` succeeds."""
        told = translated(error)
        if not isinstance(error, AwsMissing | AwsDamaged):
            self._trouble = told
        return told

    def check_bucket(self) -> None:
        """Raise what the bucket said last. Asks nobody."""
        if self._trouble:
            raise type(self._trouble)(str(self._trouble))

    @property
    def has_room(self) -> bool:
        return not self._trouble and super().has_room

    def check_space(self) -> None:
        self.check_bucket()
        super().check_space()

    def check_writable(self) -> None:
        """Raise StoreError if the bucket has refused, and refuses a small object now, too."""
        super().check_writable()
        if self._trouble:
            try:
                self._probe()
            except AwsError as error:
                raise self.refused(error) from error
            self._trouble = None
            log.info("the bucket takes pictures again", extra={"action": "store_back"})


def translated(error: AwsError) -> StoreError:
    kind = StoreFull if error.code in _FULL else StoreMissing
    return kind(f"the bucket of the store: {error}")
