"""What all sessions of the FTP server share: accounts, counts, passive ports, outer address."""

from __future__ import annotations

import ipaddress
import logging
import random
import socket
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from services.ftp.executor import UploadExecutor
from services.ftp.upload import Refused, Reply, Sender, Upload
from shared.ingest.accounts import Account, Accounts
from shared.service import Context
from shared.settings.ingest import FtpSection

log = logging.getLogger(__name__)

RESOLVE_S = 60.0


class ServerState:
    """Belongs to the thread of the server, but for what says otherwise."""

    def __init__(
        self,
        section: FtpSection,
        accounts: Callable[[], Mapping[str, Account]],
        context: Context,
    ) -> None:
        self.section = section
        self.accounts = Accounts(accounts)
        self.outcomes = Counter(taken=0, repeated=0, tests=0, refused=0, cut=0)
        self.received_bytes = 0
        self.last_refusal = ""
        self.outer_address = ""
        """What PASV answers in place of the server's own address; set by another thread."""
        self._context = context
        self._ports = _ports(section.passive_ports)
        self._executor: UploadExecutor | None = None

    def open(self) -> None:
        """Start the threads that store uploads."""
        self._executor = UploadExecutor(self._context.intake, self.section.store_threads)

    def close(self, timeout_s: float) -> None:
        """Finish what was received."""
        if self._executor:
            self._executor.close(timeout_s)

    def begin(self, account: Account, session: str, path: str) -> Upload:
        """A new upload. Raises Refused."""
        sender = Sender(account.camera, session, account.zone)
        try:
            return Upload(self._context, sender, path.lstrip("/"))
        except Refused as refused:
            self.note(account.camera, path, 0, refused.reply)
            raise

    def finish(self, upload: Upload, answer: Callable[[Reply], None]) -> None:
        """Have an upload stored; ``answer`` is called in another thread."""
        assert self._executor is not None
        self._executor.submit(upload, answer)

    def note(self, camera: str, name: str, size: int, reply: Reply) -> None:
        """Count and log what became of an upload."""
        self.outcomes[reply.outcome] += 1
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
            "uploads": dict(self.outcomes),
            "received_bytes": self.received_bytes,
            "last_refusal": self.last_refusal,
        }


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
