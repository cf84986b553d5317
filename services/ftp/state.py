"""What all sessions of the FTP server share: accounts, counts, passive ports, outer address."""

from __future__ import annotations

import ipaddress
import logging
import random
import socket
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from services.ftp.accounts import Logins
from services.ftp.probes import is_test_name
from services.ftp.shared import Newcomers
from services.ftp.upload import BUSY, NO_CAMERA, Refused, Reply, Sender, Upload, broken, finish
from shared.failpoint import reach
from shared.ingest import protection
from shared.ingest.accounts import Account, Accounts
from shared.ingest.alarm import Alarm, told
from shared.ingest.gathering import Gathering
from shared.ingest.known import KnownPairs
from shared.ingest.quota import Quota
from shared.service import Context
from shared.settings.ftp import FtpSection

log = logging.getLogger(__name__)

RESOLVE_S = 60.0


class ServerState:
    """Belongs to the thread of the server, but for what says otherwise."""

    def __init__(
        self,
        section: FtpSection,
        logins: Callable[[], Logins],
        context: Context,
    ) -> None:
        self.section = section
        self.logins = logins
        self.accounts = Accounts(lambda: logins().accounts)
        self.accounts.guesses.alarm = Alarm("ftp", context.record)
        self._known = KnownPairs("ftp", context.settings.data)
        self.accounts.logged_in = self._known.note
        self._newcomers = Newcomers()
        self.folders = (*section.folders, *filter(None, [section.upload_folder]))
        """Folders that each session finds."""
        self.outcomes = Counter(taken=0, repeated=0, tests=0, refused=0, cut=0)
        self.received_bytes = 0
        self.last_refusal = ""
        self.quota = Quota("ftp", context.journal.read.taken_since)
        self.outer_address = ""
        """What PASV answers in place of the server's own address; set by another thread."""
        self._context = context
        self._ports = _ports(section.passive_ports)
        self._uploads: Gathering[Upload, Reply] | None = None
        self._protection: protection.Protection | None = None

    @property
    def protection(self) -> protection.Protection:
        """The TLS of the server, once it is open."""
        assert self._protection is not None
        return self._protection

    def open(self) -> None:
        """Get ready for TLS and start the threads that store uploads. Raises ConfigError."""
        self._protection = protection.load("ftp", self.section, self._context.settings.data)
        for pair in self._known.load():
            self.accounts.remember(*pair)
        self.quota.load()
        self._newcomers.load(self._context.journal, self.logins().shared.values())
        self._uploads = Gathering(
            "ftp",
            self.section.store_threads,
            partial(finish, self._context.intake),
            late=_late,
            failed=broken,
        )

    def close(self, timeout_s: float) -> None:
        """Finish what was received, and keep who was here."""
        if self._uploads:
            self._uploads.close(timeout_s)
        self._known.close()

    def begin(self, account: Account, session: str, path: str) -> Upload:
        """A new upload. Raises Refused."""
        try:
            camera = self._camera(account, path)
            whose = camera or account
            sender = Sender(whose.camera, session, whose.zone, nameless=camera is None)
            over = partial(self._over_quota, whose)
            upload = Upload(self._context, sender, path.lstrip("/"), over)
        except Refused as refused:
            self.note(account.camera, path, 0, refused.reply)
            raise
        self.quota.begin(upload)
        return upload

    def _camera(self, account: Account, path: str) -> Account | None:
        """The camera that an upload by this account is of; None: it is no camera's, and can only be
        a test. Raises Refused."""
        shared = self.logins().shared.get(account.username)
        if shared is None:
            return account
        if member := shared.member(path):
            return member
        new = shared.newcomer(path)
        if new and self._newcomers.allows(shared, new.camera):
            return new
        if is_test_name(path):
            return None
        raise Refused(NO_CAMERA)

    def finish(self, upload: Upload, answer: Callable[[Reply], None]) -> None:
        """Have an upload stored; ``answer`` is called in another thread."""
        assert self._uploads is not None

        def finished(reply: Reply) -> None:
            reach("ftp.finished")
            answer(reply)

        self._uploads.submit(upload, finished)

    def note(self, camera: str, name: str, size: int, reply: Reply) -> None:
        """Count and log what became of an upload."""
        self.outcomes[reply.outcome] += 1
        if reply.outcome == "taken":
            self.quota.note(camera, size)
        if reply.accepted:
            return  # the intake has logged it
        self.last_refusal = f"{camera}: {reply.text}"
        log.warning(
            "refused %r of %s: %s",
            name,
            camera,
            reply.text,
            extra={"action": "upload_refused", "camera": camera, "size": size, "code": reply.code},
        )

    def _over_quota(self, account: Account, size: int) -> Reply | None:
        text = self.quota.refusal(account.camera, account.quota, size)
        return Reply(552, text) if text else None

    def passive_socket(self, family: int, address: str) -> socket.socket | None:
        """A listening socket on a free port of the passive range; None when all are in use now."""
        for port in random.sample(self._ports, len(self._ports)):
            listener = socket.socket(family, socket.SOCK_STREAM)
            try:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((address, port))
                listener.listen(1)
            except OSError:
                listener.close()
                continue
            listener.setblocking(False)
            return listener
        return None

    def resolve(self, stop: threading.Event) -> None:
        """Keep the outer address up to date until stopped; for a thread of its own."""
        wanted = self.section.masquerade_address
        while True:
            try:
                found = socket.getaddrinfo(wanted, None, socket.AF_INET)[0][4][0]
                self.outer_address = str(found)
            except OSError as error:
                # What was found last stays: most likely it is still right.
                log.warning(
                    "ftp.masquerade_address %s can't be resolved: %s",
                    wanted,
                    error.strerror,
                    extra={"action": "ftp_address_unknown"},
                )
            if _is_address(wanted) or stop.wait(RESOLVE_S):
                return

    def about(self, connections: int) -> dict[str, Any]:
        """The state for the page. Any thread."""
        return {
            "accounts": len(self.accounts),
            "connections": connections,
            "over_quota": self.quota.over,
            "guessed": told(self.accounts.guesses),
            "uploads": dict(self.outcomes),
            "received_bytes": self.received_bytes,
            "last_refusal": self.last_refusal,
            "certificate_sha256": self._protection.fingerprint if self._protection else "",
        }


def _late(upload: Upload) -> Reply:
    upload.close()
    return BUSY


def _ports(text: str) -> range:
    if not text:
        return range(1)  # port 0: the system chooses
    first, _, last = text.partition("-")
    return range(int(first), int(last) + 1)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
