"""Tells in the log how to get in: with which code the first account is made, or that all is
open."""

from __future__ import annotations

import asyncio
import logging

from services.api.door import Door
from shared.errors import JournalUnavailable

log = logging.getLogger(__name__)

AGAIN_S = 2.0


async def tell(door: Door) -> None:
    """Once the journal answers. The code is of this process, and of no use when there is an
    account."""
    if door.settings.open:
        told = "api.open is true: everybody who reaches this port sees and may do everything"
        log.warning(told, extra={"action": "open"})
        return
    while True:
        try:
            none_yet = await asyncio.to_thread(door.access.people.none_yet)
        except JournalUnavailable:
            await asyncio.sleep(AGAIN_S)
            continue
        if none_yet:
            told = "there is no account yet: open the page and make the first one with the code %s"
            log.warning(told, door.access.login.code, extra={"action": "first_account"})
        return
