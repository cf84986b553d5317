"""The content of one mail: received, stored, answered."""

from __future__ import annotations

import asyncio

from services.mail.content import Content
from services.mail.delivery import Delivery
from services.mail.reply import Reply
from services.mail.state import ServerState

CHUNK = 1 << 18
GIVE_UP = 2
"""A mail of so many times the size that is taken is not heard to its end."""


async def receive(reader: asyncio.StreamReader, delivery: Delivery, state: ServerState) -> Reply:
    """What to answer to a mail. Raises TimeoutError when it does not come in time, and
    ConnectionResetError."""
    async with asyncio.timeout(state.section.mail_s):
        await _read(reader, delivery, state)
    return await state.finish(delivery)


async def _read(reader: asyncio.StreamReader, delivery: Delivery, state: ServerState) -> None:
    content, size, most = Content(), 0, state.section.max_bytes
    while not content.over:
        async with asyncio.timeout(state.section.stall_s):
            chunk = await reader.read(CHUNK)
        if not chunk:
            raise ConnectionResetError
        data = content.take(chunk)
        size += len(data)
        if size > most:
            delivery.refuse(Reply(552, "5.3.4", f"Refused: more than {most} bytes."))
        if size > GIVE_UP * most:
            raise ConnectionResetError
        await state.write(delivery, data)
        if refused := state.over_quota(delivery.account, more=delivery.pictures - 1):
            delivery.refuse(refused)
    if content.rest:
        reader.feed_data(content.rest)  # in front of it there is nothing: all was read
