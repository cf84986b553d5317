"""Encryption for recipients of age (age-encryption.org), whose programs open it without us."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyrage

from shared.errors import ConfigError, Reject, Retry

SUFFIX = ".age"


class Recipients:
    """Those who can open what is encrypted; no key of theirs is needed for that."""

    def __init__(self, names: Sequence[str]) -> None:
        """Raises ConfigError for a text that is no public key of age or SSH."""
        self._recipients = [_recipient(name) for name in names]

    def __bool__(self) -> bool:
        return bool(self._recipients)

    def encrypt(self, source: Path, target: Path) -> None:
        """Write the encrypted bytes of a file. Raises OSError or Retry."""
        with _translated(source):
            pyrage.encrypt_file(str(source), str(target), self._recipients)


class Identities:
    """Secret keys, which open what was encrypted for them."""

    def __init__(self, text: str) -> None:
        """``text`` is that of a key file. Raises ConfigError if it holds none."""
        lines = (line.strip() for line in text.splitlines())
        try:
            self._keys = [
                pyrage.x25519.Identity.from_str(each) for each in lines if each[:1] not in "#"
            ]
        except pyrage.IdentityError as error:
            raise ConfigError(f"the file of the identity is no key file of age: {error}") from error
        if not self._keys:
            raise ConfigError("the file of the identity holds none: age-keygen makes one")

    def decrypt(self, source: Path, target: Path) -> None:
        """Write the decrypted bytes of a file. Raises Reject if none of the keys opens it."""
        try:
            pyrage.decrypt_file(str(source), str(target), self._keys)
        except pyrage.DecryptError as error:
            raise Reject(f"this identity does not open it: {error}") from error


def _recipient(name: str) -> object:
    try:
        if name.startswith("ssh-"):
            return pyrage.ssh.Recipient.from_str(name)
        return pyrage.x25519.Recipient.from_str(name)
    except pyrage.RecipientError as error:
        raise ConfigError(
            f"encrypt_to: {name[:80]!r} is no public key of age (age1…) or SSH: {error}. "
            "age-keygen prints one; never write the secret one (AGE-SECRET-KEY-…) here"
        ) from error


@contextmanager
def _translated(source: Path) -> Iterator[None]:
    try:
        yield
    except pyrage.EncryptError as error:
        raise Retry(f"{source.name} can't be encrypted: {error}") from error
