"""Runs the mail server from the moment on at which a camera sends mail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from shared.ingest.accounts import Account
from shared.service import Context
from shared.settings.ingest import MailSection
from shared.stop import Stop

if TYPE_CHECKING:
    from services.mail.server import MailServer

LOOK_S = 1.0
"""How often is looked whether a camera sends mail by now."""


class ServerSource:
    """A source. The library of the server is loaded once it is needed."""

    name = "mail-server"

    def __init__(
        self, section: MailSection, accounts: Callable[[], Mapping[str, Account]], context: Context
    ) -> None:
        self._section = section
        self._accounts = accounts
        self._context = context
        self.server: MailServer | None = None

    def run(self, stop: Stop) -> None:
        """Wait until it is needed, then serve until stopped."""
        while not self._accounts():
            if stop.wait(LOOK_S):
                return
        from services.mail.server import MailServer
        from services.mail.state import ServerState

        state = ServerState(self._section, self._accounts, self._context)
        self.server = MailServer(state)
        self.server.run(stop)

    def about(self) -> dict[str, Any]:
        """The state for the page. Any thread."""
        return self.server.about() if self.server else {}
