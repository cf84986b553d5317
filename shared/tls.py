"""A certificate and its key in files, which may be renewed while they are served."""

from __future__ import annotations

import logging
import os
import ssl
import time
from pathlib import Path

from shared.errors import ConfigError

log = logging.getLogger(__name__)

LOOK_S = 60.0
"""How often is looked whether the files changed."""
_WHY = {
    "KEY_VALUES_MISMATCH": "the key does not belong to the certificate",
    "KEY_TYPE_MISMATCH": "the key does not belong to the certificate",
}


class CertificateFiles:
    """A certificate with its chain, and its key, perhaps in one file; ``setting`` names them in
    errors. Belongs to one thread."""

    def __init__(self, setting: str, certificate: Path, key: Path) -> None:
        self.certificate = certificate
        self._setting = setting
        self._key = key
        self._looked = time.monotonic()
        self._seen = self._version()

    def check(self) -> None:
        """Raises ConfigError when they can't be used."""
        self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))

    def load(self, context: ssl.SSLContext) -> None:
        """Have ``context`` serve them. Raises ConfigError, and then it serves what it did."""
        self.check()  # half of a new pair would end the old one
        self._load(context)

    def renew(self, context: ssl.SSLContext) -> bool:
        """Have ``context`` serve the files if they changed; whether it does. Looks now and then, so
        that it may be called at each handshake."""
        present = time.monotonic()
        if present - self._looked < LOOK_S:
            return False
        self._looked = present
        version = self._version()
        if version == self._seen:
            return False
        try:
            self.load(context)
        except ConfigError as error:  # perhaps it is being written: looked at again
            log.warning(
                "the changed certificate is not in force: %s", error, extra={"action": "tls"}
            )
            return False
        self._seen = version
        log.info("took the new certificate %s", self.certificate, extra={"action": "tls"})
        return True

    def _load(self, context: ssl.SSLContext) -> None:
        for file in (self.certificate, self._key):
            try:
                file.open("rb").close()
            except OSError as error:
                raise ConfigError(
                    f"{self._setting}: {file} can't be read: {error.strerror}. "
                    f"User {os.geteuid()} must be able to read it."
                ) from None
        asked: list[str] = []

        def passphrase() -> str:  # else OpenSSL asks for one at the terminal
            asked.append("the key has a passphrase")
            return ""

        try:
            context.load_cert_chain(self.certificate, self._key, password=passphrase)
        except (OSError, ValueError) as error:  # an SSLError is an OSError
            reason = getattr(error, "reason", None) or "not PEM"
            why = asked[0] if asked else _WHY.get(reason, reason)
            raise ConfigError(
                f"{self._setting}: {self.certificate} with the key {self._key} can't be used: "
                f"{why}. Both must be PEM and belong together, the key without a passphrase."
            ) from None

    def _version(self) -> list[tuple[int, int, int]]:
        try:
            found = [file.stat() for file in (self.certificate, self._key)]
        except OSError:  # being replaced just now
            return []
        return [(each.st_ino, each.st_mtime_ns, each.st_size) for each in found]
