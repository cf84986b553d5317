"""Keys of programs: shown once, kept as hashes, with scopes, an end, and a successor."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from shared.access import tokens
from shared.access.ledger import Changed, Ledger
from shared.access.rights import Right, of_scopes
from shared.access.tables import KEYS, Key
from shared.access.visitor import Actor, Visitor, listed, view_of
from shared.errors import AccessError
from shared.events import now

RATE = 600
OVERLAP = timedelta(days=1)
"""So long the secret before a rotation is taken beside the new one."""
NOTED_EVERY = timedelta(minutes=5)
ATTEMPTS = 5
LONGEST_S = 600
"""So long a signed address is good at the most."""
_NO_HASH = tokens.hash_of("")


class Keys:
    """Any thread; raises JournalUnavailable, and AccessError for what can't be."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._rows = ledger.journal.owned(KEYS)

    def all(self, organisation: str | None = None) -> list[Key]:
        """Those of an organisation, or of all; also those that ended."""
        return self._rows.all(**({} if organisation is None else {"organisation": organisation}))

    def get(self, key_id: str) -> Key | None:
        return self._rows.get(key_id)

    def add(
        self,
        name: str,
        scopes: Iterable[str],
        actor: Actor,
        *,
        cameras: Iterable[str] | None = None,
        expires_at: datetime | None = None,
        rate: int = RATE,
    ) -> tuple[Key, str]:
        """A new key in the organisation of the actor, and its text, which nobody can see again."""
        scopes, name = sorted(set(scopes)), name.strip()
        seen = listed(cameras)
        rights = of_scopes(scopes)
        if not name or len(name) > 64 or not name.isprintable():
            raise AccessError("a key needs a name of at most 64 printable characters")
        if Right.INGEST in rights and (seen is None or len(seen.split()) != 1):
            raise AccessError("a key for ingest needs exactly one camera")
        if Right.ADMINISTER in rights and seen is not None:
            raise AccessError("a key that administers sees all cameras")
        if rate < 1:
            raise AccessError("a key needs a rate of at least one request a minute")
        if expires_at is not None and expires_at <= now():
            raise AccessError("a key ends later than now")
        secret = tokens.fresh()
        key = Key(
            id=secrets.token_hex(5), organisation=actor.organisation, name=name,
            hash=tokens.hash_of(secret), previous="", previous_until=None,
            scopes=" ".join(scopes), cameras=seen, rate=rate, created_by=actor.who,
            created_at=now(), expires_at=expires_at, revoked_at=None, used_at=None,
        )  # fmt: skip
        self._ledger.commit([KEYS.add(key)], actor, "key_added", told(key), key.scopes)
        return key, tokens.key_text(key.id, secret)

    def rotate(self, key: Key, actor: Actor, *, overlap: timedelta = OVERLAP) -> str:
        """A new secret for the same key; returns its text. The old one is taken for a while."""
        secret = tokens.fresh()

        def rotated(key: Key) -> Key:
            if key.revoked_at:
                raise AccessError("this key is revoked: make a new one")
            until = now() + overlap
            return replace(
                key, hash=tokens.hash_of(secret), previous=key.hash, previous_until=until
            )

        self._change(key, rotated, actor, "key_rotated")
        return tokens.key_text(key.id, secret)

    def revoke(self, key: Key, actor: Actor) -> None:
        """The key is taken no more, and what it had open ends."""
        self._change(key, lambda key: replace(key, revoked_at=now()), actor, "key_revoked")

    def _change(self, key: Key, changed: Callable[[Key], Key], actor: Actor, action: str) -> None:
        """Change what is there now, also while its program uses it."""
        for attempt in range(ATTEMPTS):
            present = self._rows.get(key.id) or key
            change = KEYS.replace(present, changed(present))
            try:
                self._ledger.commit([change], actor, action, told(key), takes_away=True)
                return
            except Changed:
                if attempt == ATTEMPTS - 1:
                    raise

    def signer(self, token: str, path: str) -> Visitor | None:
        """Who signed the address of one picture with their key: ``<id>.<until>.<signature>``.
        None when the signature is wrong, over, or good for longer than it may be."""
        key_id, until, signature = (*token.split("."), "", "", "")[:3]
        key, present = self._rows.get(key_id), now()
        expected = tokens.signature(key.hash if key else _NO_HASH, path, until)
        fits = hmac.compare_digest(expected, signature.encode("utf-8", "replace"))
        if not key or not fits or not until.isascii() or not until.isdigit():
            return None
        left = int(until[:12]) - present.timestamp()
        return self._of(key, key.expires_at) if 0 < left <= LONGEST_S else None

    def visitor(self, text: str) -> Visitor | None:
        """Who has this key; None when it is unknown, wrong, revoked or over."""
        if (parts := tokens.key_parts(text)) is None:
            return None
        key_id, secret = parts
        key, present = self._rows.get(key_id), now()
        fits = tokens.same(key.hash if key else _NO_HASH, secret)
        until = key.expires_at if key else None
        before = tokens.same(key.previous if key else _NO_HASH, secret)
        if key and before and key.previous_until and present < key.previous_until:
            fits, until = True, min(filter(None, (until, key.previous_until)))
        if not key or not fits:
            return None
        return self._of(key, until, text)

    def _of(self, key: Key, until: datetime | None, text: str = "") -> Visitor | None:
        present = now()
        if key.revoked_at or (until and until <= present):
            return None
        if key.used_at is None or present - key.used_at > NOTED_EVERY:
            self._ledger.touch(KEYS.replace(key, replace(key, used_at=present)))
        return Visitor(
            name=told(key),
            rights=of_scopes(key.scopes.split()),
            view=view_of(key.organisation, key.cameras),
            organisation=key.organisation,
            kind="key",
            credential=text,
            until=until,
            rate=key.rate,
        )


def told(key: Key) -> str:
    """How the audit log names a key."""
    return f"key {key.name} ({key.id})"
