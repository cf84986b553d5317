"""Secrets that we make ourselves: of sessions, devices, keys and the first account.

They have 256 random bits (the code, which people type, 60), so a plain hash keeps them.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that is taken for another
PREFIX = "snapbus"


def fresh() -> str:
    """A new secret."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def same(hash_: str, secret: str) -> bool:
    """Whether this is the secret of that hash, in a time that tells nothing."""
    return hmac.compare_digest(hash_, hash_of(secret))


def code() -> str:
    """Twelve letters for people to type, in groups."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(12))
    return "-".join(letters[i : i + 4] for i in (0, 4, 8))


def code_of(typed: str) -> str:
    """What somebody typed, as ``code`` writes it."""
    letters = "".join(each for each in typed.upper() if each in _LETTERS)
    return "-".join(letters[i : i + 4] for i in range(0, len(letters), 4))


def signature(hash_: str, path: str, until: str) -> bytes:
    """How a program signs the address of one picture: with the hash of its secret, which it can
    make as well as we."""
    signed = f"{path}\n{until}".encode("utf-8", "surrogateescape")
    return hmac.new(hash_.encode(), signed, hashlib.sha256).hexdigest().encode()


def key_text(key_id: str, secret: str) -> str:
    """A key as its program sends it."""
    return f"{PREFIX}_{key_id}_{secret}"


def key_parts(text: str) -> tuple[str, str] | None:
    """The id and the secret of a key; None for what is no key of ours."""
    prefix, _, rest = text.partition("_")
    key_id, _, secret = rest.partition("_")
    return (key_id, secret) if prefix == PREFIX and key_id and secret else None
