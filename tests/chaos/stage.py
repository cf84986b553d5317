"""One set-up under fire: its processes, restarted when they die, and the rounds played on it."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from services.scheduler.interval import request
from tests.chaos.account import Account, account, is_drained
from tests.chaos.feeds import (
    PASSWORD,
    AskingFeed,
    BusFeed,
    Feed,
    FolderFeed,
    FtpFeed,
    MailFeed,
    NoFeed,
    Pictures,
)
from tests.chaos.nursery import Forked, Nursery
from tests.support.fakes import eventually
from tests.support.postgres import PostgresServer
from tests.support.rabbit import RabbitServer

PICTURES = 4
DRAIN_S = 120.0
NOT_REACHED_S = 3.0
SEPARATE = ("detector", "drive", "camera", "scheduler", "ftp", "mail", "folder")


@dataclass(frozen=True, slots=True)
class Round:
    """``point`` is killed at its ``hit``-th time in ``process``. ``before``: what happens to which
    process first, so that the point is reached. ``away``: the database is not there meanwhile."""

    point: str
    hit: int
    process: str
    feed: str = "ftp"
    before: tuple[tuple[str, str], ...] = ()
    beside: str = ""
    away: bool = False

    def plans(self) -> dict[str, list[str]]:
        """What FAILPOINT says at each start of each process."""
        plans: dict[str, list[str]] = {}
        for process, failpoint in self.before:
            plans.setdefault(process, []).append(failpoint)
        armed = ",".join(filter(None, [self.beside, f"{self.point}:{self.hit}:kill"]))
        plans.setdefault(self.process, []).append(armed)
        return plans


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a round."""

    round: Round
    reached: bool
    account: Account
    recovery_s: float
    seconds: float


@dataclass
class Stage:
    """A system, its senders, and the way its database is taken away. Close it."""

    name: str
    system: Forked
    pictures: Pictures
    services: tuple[str, ...]
    amqp_url: str = ""
    postgres: PostgresServer | None = None
    sent: set[str] = field(default_factory=set)

    @property
    def inbox(self) -> Path:
        return self.system.folder / "inbox"

    def close(self) -> None:
        self.system.close()

    def play(self, one: Round) -> Outcome:
        """One round: armed, killed, started again, drained, accounted."""
        began = time.monotonic()
        if one.feed == "interval":
            self._configure(random.SystemRandom().uniform(1e7, 9e7))
        plans = one.plans()
        self.system.kill(*(each for each in plans if each in self.system.running()))
        feed = self._feed(one)
        with ExitStack() as away:
            missing = [each for each in self.services if each not in self.system.running()]
            self._start(*missing, plans=plans, wait=one.away)
            if one.away:
                away.callback(self._take_database_away())
            feed.start()
            reached, died_at = self._supervise(one, plans, feed, away)
        recovered = self._drain(feed)
        feed.halt()
        self.sent |= feed.sent
        return Outcome(
            one,
            reached,
            account(self.system, feed, self.sent),
            recovered - died_at if reached else 0.0,
            time.monotonic() - began,
        )

    def _supervise(
        self, one: Round, plans: dict[str, list[str]], feed: Feed, away: ExitStack
    ) -> tuple[bool, float]:
        """Start what dies again until every plan was carried out, or it is clear that one can't
        be; returns whether they all were, and when the last process died."""
        armed = {name for name in plans}
        quiet_since, died_at = float("inf"), 0.0
        while armed:
            for name in [each for each in armed if each not in self.system.running()]:
                died_at, quiet_since = time.monotonic(), float("inf")
                if name == one.process and not plans[name]:
                    away.close()
                if self.system.wait(name) != -9:
                    raise RuntimeError(f"{name} ended by itself: {self.system.log(name)[-3000:]}")
                if not plans[name]:
                    armed.discard(name)
                self._start(name, plans=plans, wait=False)
            if not feed.is_alive():
                away.close()
                if not is_drained(self.system, feed):
                    quiet_since = float("inf")
                else:
                    quiet_since = min(quiet_since, time.monotonic())
                if time.monotonic() - quiet_since > NOT_REACHED_S:
                    self.system.kill(*armed)
                    self._start(*armed, plans={}, wait=False)
                    return False, 0.0
            time.sleep(0.02 if feed.is_alive() else 0.1)
        return True, died_at

    def _start(self, *names: str, plans: dict[str, list[str]], wait: bool) -> None:
        for name in names:
            todo = plans.get(name)
            self.system.start(name, env={"FAILPOINT": todo.pop(0) if todo else ""}, wait=wait)

    def _drain(self, feed: Feed) -> float:
        deadline = time.monotonic() + DRAIN_S
        while time.monotonic() < deadline:
            if not feed.is_alive() and is_drained(self.system, feed):
                break
            time.sleep(0.05)
        return time.monotonic()

    def _feed(self, one: Round) -> Feed:
        match one.feed:
            case "folder":
                return FolderFeed(PICTURES, self.inbox, self.pictures)
            case "shed":
                return FolderFeed(PICTURES, self.inbox.with_name("shed"), self.pictures)
            case "mail":
                return MailFeed(PICTURES, self.system.mail_port, self.pictures)
            case "asking" if self.amqp_url:
                return BusFeed(2, self.amqp_url, self.pictures)
            case "asking":
                return AskingFeed(2, self.system.api_port)
            case "interval":
                every_s = self._every_s
                event = request("clock", int(time.time() // every_s), every_s)
                return NoFeed({event.id})
        return FtpFeed(PICTURES, self.system.ftp_port, self.pictures)

    def _configure(self, every_s: float) -> None:
        self.system.kill(*self.system.running())
        tree = yaml.safe_load(self.system.config.read_text())
        tree["cameras"]["clock"] = {"fetch": self._still() | {"every_s": every_s}}
        self.system.config.write_text(yaml.safe_dump(tree))
        self._every_s = every_s

    def _still(self) -> dict[str, Any]:
        return {"kind": "file", "path": str(self.system.folder / "still")}

    def _take_database_away(self) -> Callable[[], None]:
        """Returns how it comes back."""
        if self.postgres is None:
            path = self.system.settings.journal_url.partition("///")[2]
            link = sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)
            link.execute("begin immediate")
            return link.close
        postgres = self.postgres
        name = self.system.settings.journal_url.rpartition("/")[2]
        postgres._execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        postgres._execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        )
        return lambda: postgres._execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def stage(
    name: str,
    folder: Path,
    nursery: Nursery,
    pictures: Pictures,
    servers: tuple[RabbitServer, PostgresServer] | None = None,
) -> Stage:
    """A set-up in a fresh folder, with a fresh virtual host and database if it has servers."""
    folder.mkdir(parents=True)
    inbox, still, shed = folder / "inbox", folder / "still", folder / "shed"
    for each in (inbox, still, shed):
        each.mkdir()
    (still / "still.jpg").write_bytes(pictures.next()[1])
    tree: dict[str, Any] = {
        "cameras": {
            "porch": {"ftp": {"password": PASSWORD}},
            "attic": {"mail": {"password": PASSWORD}},
            "yard": {"folder": {"path": str(inbox)}},
            "shed": {"folder": {"path": str(shed), "processed": "../processed", "results": True}},
            "gate": {"fetch": {"kind": "file", "path": str(still)}},
        },
        "drive": {"manifest_s": 1.0},
        "scheduler": {"reconcile_s": 0.3, "grace_s": 2.0},
        "work": {"first_retry_s": 0.3, "stop_grace_s": 2.0},
        "folders": {"rescan_s": 0.5, "settle_s": 0.2},
        "intake": {"reserve_fraction": 0.0},
    }
    if servers is None:
        return Stage(name, Forked(folder, tree, nursery), pictures, ("allinone",))
    rabbit, postgres = servers
    amqp_url = rabbit.url(rabbit.add_vhost())
    tree |= {
        "journal": {"url": postgres.url(postgres.add_database())},
        "broker": {"url": amqp_url},
    }
    system = Forked(folder, tree, nursery)
    built = Stage(name, system, pictures, SEPARATE, amqp_url, postgres)
    system.start(*SEPARATE)
    eventually(lambda: not system.problems("ftp"), timeout=30)
    return built
