"""What RabbitMQ reads at its start: an account for each service, one for home automation, one for
an existing system, each with the least rights, and the exchanges, queues and bindings, which no
account may declare.

`task configure` calls it with the passwords it generated, before any package of ours is installed:
standard library only.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from shared.amqp.declared import Topology
from shared.bus.accounts import GUEST, HEARD_AT_HOME, HOME, LEGACY, REQUESTED, SERVICES
from shared.bus.rabbit.topology import (
    EXCHANGE,
    MAX_LENGTH,
    Consumed,
    again,
    incoming,
    requests,
)

NOTHING = "^$"
LIMITS = {
    HOME: {"max-connections": 20},
    GUEST: {"max-connections": 50, "max-channels": 200},
}
"""Of all that RabbitMQ takes, so that nobody can have the services' share."""
SERVER_NAMED = r"amq\.gen-.*"
"""Queues that RabbitMQ gave a name; each belongs to one connection, and ends with it."""
GUESTS_QUEUES = {
    "max-length-bytes": 64_000_000, "overflow": "drop-head", "message-ttl": 120_000,
}  # fmt: skip
"""What a program of the existing system leaves unread must not fill RabbitMQ."""


def definitions(
    passwords: Mapping[str, str],
    *,
    archives: Sequence[str] = (),
    exchange: str = EXCHANGE,
    max_length: int = MAX_LENGTH,
    vhost: str = "/",
    legacy: bool = False,
    guests: str = "",
    closed: Sequence[str] = (),
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The definitions for accounts with these passwords. ``archives`` are those besides that of
    ``drive``. ``legacy``: that service runs, so that somebody empties its queue. ``guests`` is the
    exchange of the existing system if its programs use this RabbitMQ; they log in as ``guest``.
    Nobody can log in by an account that is ``closed``. A hash of ``before`` stays where its
    password does."""
    hashes = {each["name"]: each["password_hash"] for each in (before or {}).get("users", ())}
    passwords = {**passwords, GUEST: GUEST} if guests else passwords
    closed = [*closed, *({GUEST} & set(hashes) if not guests else ())]
    users = [_user(name, hashed(word, hashes.get(name, ""))) for name, word in passwords.items()]
    queues = {name: _queues(name, archives) for name in SERVICES if legacy or name != LEGACY}
    consumed = [Consumed(q, SERVICES[name].listens, 1) for name in queues for q in queues[name]]
    return {
        "vhosts": [{"name": vhost}],
        "users": users + [_user(name, "") for name in closed],
        "permissions": [
            {"user": user, "vhost": vhost, "configure": configure, "write": write, "read": read}
            for user, configure, write, read in _rights(queues, exchange, guests, closed)
        ],
        "topic_permissions": [
            {"user": user, "vhost": vhost, "exchange": where, "write": write, "read": read}
            for user, where, write, read in _topics([each.queue for each in consumed], exchange)
        ],
        "policies": [_policy(vhost)] if guests else [],
        **_things(incoming(exchange, consumed, max_length), vhost),
    }


def _queues(name: str, archives: Sequence[str]) -> list[str]:
    more = [f"{name}-{each}" for each in archives] if name == "drive" else []
    return [name, *more] if SERVICES[name].listens else []


def _user(name: str, password_hash: str) -> dict[str, Any]:
    return {
        "name": name,
        "password_hash": password_hash,
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": ["management"] if name == HOME else [],  # for RabbitMQ's HTTP API
        "limits": LIMITS.get(name, {}),
    }


def _policy(vhost: str) -> dict[str, Any]:
    return {
        "vhost": vhost,
        "name": "queues of guests",
        "pattern": f"^{SERVER_NAMED}$",
        "apply-to": "queues",
        "priority": 0,
        "definition": GUESTS_QUEUES,
    }


def hashed(password: str, known: str = "") -> str:
    """RabbitMQ's: a salt of four bytes, and the hash of salt and password."""

    def salted(salt: bytes) -> str:
        digest = hashlib.sha256(salt + password.encode()).digest()
        return base64.b64encode(salt + digest).decode()

    if known and salted(base64.b64decode(known)[:4]) == known:
        return known
    return salted(secrets.token_bytes(4))


def _rights(
    queues: Mapping[str, Sequence[str]], exchange: str, guests: str, closed: Iterable[str]
) -> Iterator[tuple[str, str, str, str]]:
    """Who may configure, write and read what."""
    own = rf"{HOME}\..*"
    write, read = re.escape(requests(exchange)), re.escape(exchange)
    yield HOME, f"^{own}$", f"^({own}|{write})$", f"^({own}|{read})$"
    theirs = [re.escape(guests), re.escape(f"{guests}_control"), SERVER_NAMED] if guests else []
    for name, account in SERVICES.items():
        writes = [exchange] if account.says else []
        if account.finishes:
            writes.append(again(exchange))
        also = theirs if name == LEGACY else []
        reads = queues.get(name, ())
        yield name, _one_of((), also), _one_of(writes, also), _one_of(reads, also)
    if guests:
        yield GUEST, *(_one_of((), theirs),) * 3
    for name in closed:
        yield name, NOTHING, NOTHING, NOTHING


def _topics(queues: Iterable[str], exchange: str) -> Iterator[tuple[str, str, str, str]]:
    """Who may write and read which routing keys of an exchange. Without a line for it, RabbitMQ
    allows every key of an exchange that the account may write or read."""
    yield HOME, requests(exchange), _beginning_with([REQUESTED]), NOTHING
    yield HOME, exchange, NOTHING, _beginning_with(HEARD_AT_HOME)
    all_topics = sorted({topic for each in SERVICES.values() for topic in each.says})
    for name, account in SERVICES.items():
        keys = all_topics if account.finishes else account.says
        yield name, exchange, _beginning_with(keys) if keys else NOTHING, NOTHING
        if account.finishes:
            yield name, again(exchange), _one_of(queues), NOTHING


def _one_of(names: Iterable[str], patterns: Iterable[str] = ()) -> str:
    each = [*map(re.escape, names), *patterns]
    return f"^({'|'.join(each)})$" if each else NOTHING


def _beginning_with(topics: Iterable[str]) -> str:
    return rf"^({'|'.join(map(re.escape, topics))})(\.|$)"


def _things(topology: Topology, vhost: str) -> dict[str, list[dict[str, Any]]]:
    durable = {"vhost": vhost, "durable": True, "auto_delete": False}
    return {
        "exchanges": [
            {
                **durable,
                "name": each.name,
                "type": each.kind,
                "internal": False,
                "arguments": dict(each.arguments),
            }
            for each in topology.exchanges
        ],
        "queues": [
            {**durable, "name": each.name, "arguments": dict(each.arguments)}
            for each in topology.queues
        ],
        "bindings": [
            {
                "vhost": vhost,
                "source": each.exchange,
                "destination": each.to,
                "destination_type": "exchange" if each.forwards else "queue",
                "routing_key": each.key,
                "arguments": {},
            }
            for each in topology.bindings
        ],
    }
