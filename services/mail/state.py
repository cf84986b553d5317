"""What all sessions of the mail server share: accounts, counts, quotas, and the threads that store.

The server's own thread never waits for a disk or a database.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from services.mail.delivery import Delivery
from services.mail.reply import BUSY, Reply, refusal
from shared.errors import StoreError
from shared.ingest import protection
from shared.ingest.accounts import Account, Accounts
from shared.ingest.alarm import Alarm, told
from shared.ingest.known import KnownPairs
from shared.ingest.quota import Quota
from shared.service import Context
from shared.settings.ingest import MailSection

log = logging.getLogger(__name__)

WRITERS = 2
LONGEST_WAIT_S = 8.0
"""A mail that waited longer for a thread is not stored any more: its sender gives up soon."""


class ServerState:
    """Belongs to the thread of the server, but for what says otherwise."""

    def __init__(
        self,
        section: MailSection,
        accounts: Callable[[], Mapping[str, Account]],
        context: Context,
    ) -> None:
        self.section = section
        self.accounts = Accounts(accounts)
        self.accounts.guesses.alarm = Alarm("mail", context.record)
        self._known = KnownPairs("mail", context.settings.data)
        self.accounts.logged_in = self._known.note
        self._accounts = accounts
        self.outcomes = Counter(taken=0, repeated=0, tests=0, refused=0)
        self.last_refusal = ""
        self.quota = Quota("mail", context.journal.read.taken_since)
        self._context = context
        self._protection: protection.Protection | None = None
        self._writers = self._storers = ThreadPoolExecutor(1)

    @property
    def protection(self) -> protection.Protection:
        """The TLS of the server, once it is open."""
        assert self._protection is not None
        return self._protection

    def open(self) -> None:
        """Get ready for TLS and for storing. Blocks. Raises ConfigError."""
        self._protection = protection.load("mail", self.section, self._context.settings.data)
        for pair in self._known.load():
            self.accounts.remember(*pair)
        self.quota.load()
        self._writers = ThreadPoolExecutor(WRITERS, "mail-write")
        self._storers = ThreadPoolExecutor(self.section.store_threads, "mail-store")

    def close(self) -> None:
        """Finish what was received, and keep who was here. Blocks."""
        self._writers.shutdown()
        self._storers.shutdown()
        self._known.close()

    @property
    def present(self) -> Mapping[str, Account]:
        """The accounts by user name, as they are now."""
        return self._accounts()

    async def room(self) -> Reply | None:
        """What to say to any mail now; None: there is room for it."""
        check = self._context.store.volume.check_space
        try:
            await asyncio.get_running_loop().run_in_executor(self._writers, check)
        except StoreError as error:
            return refusal(error)
        return None

    def over_quota(self, account: Account, more: int = 1) -> Reply | None:
        """What to say to so many more pictures of this camera; None: take them."""
        text = self.quota.refusal(account.camera, account.quota, more=more)
        return Reply(552, "5.2.2", text) if text else None

    def begin(self, account: Account, session: str) -> Delivery:
        """A mail is coming."""
        delivery = Delivery(self._context, account, session, self.section.max_pictures)
        self.quota.begin(delivery)
        return delivery

    async def write(self, delivery: Delivery, data: bytes) -> None:
        """Have more bytes of a mail taken."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._writers, delivery.write, data)

    async def finish(self, delivery: Delivery) -> Reply:
        """Have a mail stored; what to answer."""
        latest = time.monotonic() + LONGEST_WAIT_S
        loop = asyncio.get_running_loop()

        def store() -> Reply:
            if time.monotonic() > latest:
                delivery.refuse(BUSY)
            reply = delivery.finish()
            with suppress(RuntimeError):  # the server has stopped
                # From here, so that it counts even if its sender has gone.
                loop.call_soon_threadsafe(self._note, delivery, reply)
            return reply

        return await loop.run_in_executor(self._storers, store)

    def forget(self, delivery: Delivery) -> None:
        """A mail that did not come to its end."""
        delivery.closed = True
        self._writers.submit(delivery.close)

    def _note(self, delivery: Delivery, reply: Reply) -> None:
        """Count and log what became of a mail."""
        self.outcomes[reply.outcome] += 1
        for size in delivery.taken:
            self.quota.note(delivery.camera, size)
        if reply.accepted:
            return  # the intake has logged it
        self.refused(delivery.camera, reply.text, reply.code)

    def refused(self, camera: str, text: str, code: int) -> None:
        """Log that something of this camera was not taken."""
        self.last_refusal = f"{camera}: {text}"
        log.warning(
            "refused a mail of %s: %s",
            camera,
            text,
            extra={"action": "mail_refused", "camera": camera, "code": code},
        )

    def about(self, connections: int) -> dict[str, Any]:
        """The state for the page. Any thread."""
        return {
            "accounts": len(self.accounts),
            "connections": connections,
            "over_quota": self.quota.over,
            "guessed": told(self.accounts.guesses),
            "mails": dict(self.outcomes),
            "last_refusal": self.last_refusal,
            "certificate_sha256": self._protection.fingerprint if self._protection else "",
        }
