"""The store that the configuration describes."""

from __future__ import annotations

from shared.settings import Settings
from shared.store.store import Store

PROBE_S = 5.0
"""How long is waited for a bucket that may be back."""


def open_store(settings: Settings) -> Store:
    """It, not made yet. Raises ConfigError."""
    root, limit = settings.store_root, settings.intake
    section = settings.store.s3
    if section is None:
        return Store(
            root, reserve_fraction=limit.reserve_fraction, reserve_bytes=limit.reserve_bytes
        )
    # Read here: who has no bucket does not wait for it.
    from shared.aws.bucket import Bucket
    from shared.aws.client import Client
    from shared.store.s3 import S3Store

    account = section.account or settings.aws
    hasty = account.model_copy(update={"request_s": min(PROBE_S, account.request_s)})
    return S3Store(
        root,
        Bucket(Client("s3", account), section.bucket),
        section,
        probe=Bucket(Client("s3", hasty), section.bucket),
        max_bytes=limit.max_bytes,
        reserve_fraction=limit.reserve_fraction,
        reserve_bytes=limit.reserve_bytes,
    )
