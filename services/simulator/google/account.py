"""A simulated Google account: what tests and the demo have in hand."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path

from services.simulator.google.api import Api, operation_of
from services.simulator.google.clock import Clock
from services.simulator.google.faults import Act, Faults
from services.simulator.google.file import FOLDER, File
from services.simulator.google.files import Files
from services.simulator.google.listing import Listing
from services.simulator.google.logins import DRIVE, Grant, Logins
from services.simulator.google.pace import Pace
from services.simulator.google.page import Pages
from services.simulator.google.server import Server
from services.simulator.google.shelf import Shelf
from services.simulator.google.tree import Tree
from services.simulator.google.uploads import Uploads
from services.simulator.google.wire import Answer, Call, Refusal
from shared.errors import ConfigError

OWNER = "demo@example.org"
CLIENT, SECRET = "simulated.apps.example.org", "simulated-secret"
REFRESH_TOKEN = "1//simulated"  # noqa: S105  throw-away, for an account that does not exist


class SimulatedGoogle:
    """Serves until stopped; ``port`` 0 takes a free one, told by ``port``. Any thread.

    Its parts are there to be used while ``lock`` is held: ``tree`` (files, lag, quota), ``faults``,
    ``pace``, ``logins``, ``listing`` and ``uploads`` (how long tokens and sessions are good),
    ``clock``. ``calls`` counts operations, ``most_at_once`` the calls at one time.
    """

    name = "simulated-google"

    def __init__(self, host: str = "127.0.0.1", port: int = 0, path: Path | None = None) -> None:
        self._host = host
        self.port = port
        self.lock = threading.RLock()
        self.stop = threading.Event()
        self.clock = Clock()
        self.shelf = Shelf(path)
        self.tree = Tree(self.shelf, self.clock)
        self.files = Files(self.tree, self.shelf, self.clock)
        self.logins = Logins(self.shelf, self.clock, OWNER, {CLIENT: SECRET})
        self.logins.grant(REFRESH_TOKEN, Grant(OWNER, CLIENT, (DRIVE,)))
        self.listing = Listing(self.files, self.clock)
        self.uploads = Uploads(self.files, self.clock)
        self.faults = Faults()
        self.pace = Pace(self.clock)
        self.calls: Counter[str] = Counter()
        self.most_at_once = 0
        self._api = Api(self.files, self.listing, self.uploads, self.logins)
        self._pages = Pages(self.tree, self.logins, OWNER)
        self._now = 0

    @property
    def url(self) -> str:
        """Its address, with a slash at the end: the root of its API."""
        return f"http://{self._host}:{self.port}/"

    def run(self, stop: threading.Event) -> None:
        """Serve until ``stop`` is set. Raises ConfigError when the port can't be had."""
        self.stop = stop
        try:
            server = Server((self._host, self.port), self)
        except OSError as error:
            raise ConfigError(
                f"simulator: {self._host}:{self.port} can't be used: {error.strerror}."
                " Set another simulator.google_port."
            ) from None
        with server:
            server.timeout = 0.2
            self.port = server.server_port
            while not stop.is_set():
                server.handle_request()

    def answer(self, call: Call) -> tuple[Answer, Act]:
        """The answer to a call, and how it is sent."""
        with self.lock:
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            with self.lock:
                return self._answer(call)
        finally:
            with self.lock:
                self._now -= 1

    def _answer(self, call: Call) -> tuple[Answer, Act]:
        operation, id = operation_of(call)
        if not operation and call.path.startswith(("/drive/v2/", "/upload/")):
            return Refusal(404, "notFound", "Not Found").answer(), "answer"
        if not operation:
            return self._pages.answer(call), "answer"
        self.calls[operation] += 1
        fault = self.faults.next(operation)
        act: Act = fault.act if fault else "answer"
        if fault and act == "half":
            self.uploads.cut(call)
        elif fault and act == "gone":
            self.uploads.forget(call)
        if fault and act in ("answer", "half", "gone"):
            return fault.answer, "answer"
        if act == "damaged":
            call = replace(call, body=bytes(each ^ 1 for each in call.body))
        if act in ("reset", "silent"):
            return Answer(), act
        try:
            self.pace.count(operation)
            return self._api.answer(call, operation, id), act
        except Refusal as refusal:
            return refusal.answer(), act

    def fail(self, *names: str, on: str = "") -> None:
        """Let the next calls fail so, in turn (``faults.FAULTS``); ``on`` an operation such as
        ``upload.put``, or the beginning of its name such as ``files``."""
        with self.lock:
            self.faults.fail(*names, on=on)

    def storm(self, rate: float, seed: int = 0, *names: str, on: str = "") -> None:
        """Let this part of all calls fail at random, until ``calm``."""
        with self.lock:
            if names:
                self.faults.storm(rate, seed, names, on)
            else:
                self.faults.storm(rate, seed, on=on)

    def calm(self) -> None:
        """Let nothing fail any more."""
        with self.lock:
            self.faults.calm()

    def revoke(self) -> None:
        """Take every program's access away: their tokens are refused from now on."""
        with self.lock:
            self.logins.revoke()

    def allow(self, token: str = REFRESH_TOKEN, *scopes: str) -> None:
        """Let a refresh token be valid, for these scopes or all of Drive."""
        with self.lock:
            self.logins.grant(token, Grant(OWNER, CLIENT, scopes or (DRIVE,)))

    def live(self) -> list[tuple[str, File]]:
        """Files that are not in the trash, folders left out, each with its path."""
        with self.lock:
            return [
                (self.path(file), file)
                for file in self.tree.every()
                if not file.is_folder and not self.tree.is_trashed(file)
            ]

    def path(self, file: File) -> str:
        """Where a file is, such as ``/Snapbus/2026/11/22/porch.jpg``."""
        with self.lock:
            above = [each.title for each in self.tree.above(file) if each.parent is not None]
            return "/".join(["", *reversed(above), file.title])

    def star(self, id: str) -> File:
        """Let the owner give a file a star, or take it; returns the file as it is then."""
        with self.lock:
            return self._pages.star(id)

    def damage(self, id: str, content: bytes) -> None:
        """Let a file hold other bytes, with the checksums that belong to them."""
        with self.lock:
            self.files.write(self.tree.get(id), content)

    def close(self) -> None:
        """Close its SQLite file; nothing can be asked after that."""
        with self.lock:
            self.shelf.close()

    def share_drive(self, name: str, roles: dict[str, str]) -> str:
        """A shared drive with these members, told by its id."""
        with self.lock:
            now, id = self.clock.now(), f"0A{self.files.new_id()[:17]}"
            self.tree.put(
                File(id=id, title=name, mime=FOLDER, owner=id, client="", parent=None,
                     created=now, modified=now, drive=id)
            )  # fmt: skip
            self.files.share(id, roles)
            return id

    def add_service_account(self, email: str, key: tuple[int, int]) -> None:
        """Let this service account sign with this key (modulus, exponent)."""
        with self.lock:
            self.logins.services[email] = key
