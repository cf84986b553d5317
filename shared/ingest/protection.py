"""The TLS of a door's server: its certificate, and how many handshakes an address may ask for."""

from __future__ import annotations

import hashlib
import logging
import os
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cachetools import LRUCache

from shared.errors import ConfigError
from shared.settings.ftp import FtpSection
from shared.settings.ingest import MailSection
from shared.tls import CertificateFiles

log = logging.getLogger(__name__)

OWN_FILE = "{door}-certificate.pem"
"""In the data folder: the key and the certificate that were made at the first start."""
OWN_DAYS = 7300
HANDSHAKE_S = 10.0
"""A handshake that takes longer is given up."""
SPACING_S = 0.02
AT_ONCE = 50
"""A handshake costs a millisecond or two of processor. So many of one address are made at once,
and the rest so far apart: a camera takes two for a picture, and many may share an address."""
MOST_ADDRESSES = 10_000


class Protection:
    """The certificate in use, and a guard over the handshakes. Belongs to the thread of the
    server, but for ``fingerprint``."""

    def __init__(
        self, door: str, files: CertificateFiles, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Raises ConfigError when the files can't be used."""
        self._door = door
        self._files = files
        self._context = _context()
        files.load(self._context)
        self.fingerprint = _fingerprint(files.certificate)
        self._clock = clock
        self._next: LRUCache[str, float] = LRUCache(MOST_ADDRESSES)
        self._tell()

    @property
    def context(self) -> ssl.SSLContext:
        """With what the files hold by now; to be asked for at each connection."""
        if self._files.renew(self._context):
            self.fingerprint = _fingerprint(self._files.certificate)
            self._tell()
        return self._context

    def wait_s(self, address: str) -> float:
        """How much later the next handshake of this address is made; it reserves that place."""
        now = self._clock()
        at = max(self._next.get(address, 0.0), now - AT_ONCE * SPACING_S) + SPACING_S
        self._next[address] = at
        return max(at - now, 0.0)

    def _tell(self) -> None:
        log.info(
            "%s in TLS by %s, SHA-256 %s",
            self._door,
            self._files.certificate,
            self.fingerprint,
            extra={"action": f"{self._door}_certificate", "fingerprint": self.fingerprint},
        )


def load(door: str, section: FtpSection | MailSection, data: Path) -> Protection:
    """By the configured certificate, or by our own, which is made if it isn't there. Raises
    ConfigError."""
    files = _configured(door, section)
    if files is None:
        own, setting = data / OWN_FILE.format(door=door), f"{door}.certificate"
        if not own.exists():
            _make(own, setting)
        files = CertificateFiles(setting, own, own)
    return Protection(door, files)


def check(door: str, section: FtpSection | MailSection) -> None:
    """Raises ConfigError when the configured certificate can't be used."""
    if files := _configured(door, section):
        files.check()


def _configured(door: str, section: FtpSection | MailSection) -> CertificateFiles | None:
    if not section.certificate:
        return None
    key = section.certificate_key or section.certificate
    return CertificateFiles(f"{door}.certificate", section.certificate, key)


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    # Python sets it, and an end without close_notify would look like one with it.
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    # A ticket is sent after the handshake. A client that closes its data connection without having
    # read it (lftp) sends a reset, and what it sent last is lost.
    context.num_tickets = 0
    return context


def _fingerprint(certificate: Path) -> str:
    """The SHA-256 of a certificate that is in use; empty when its file says it in another way."""
    try:
        pem = certificate.read_text(encoding="ascii", errors="replace")
        start = max(pem.find(ssl.PEM_HEADER), 0)
        end = pem.find(ssl.PEM_FOOTER) + len(ssl.PEM_FOOTER)
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem[start:end])).hexdigest().upper()
    except (OSError, ValueError):
        return ""
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))


def _certificate() -> bytes:
    """A key and a certificate that nobody has signed, for cameras that check none, and for people
    who compare the fingerprint."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)  # all cameras know RSA
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "snapbus")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("snapbus"), x509.DNSName("localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=OWN_DAYS))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


def _make(path: Path, setting: str) -> None:
    """Write a certificate of our own, readable for its owner only. Raises ConfigError."""
    part = path.with_suffix(".part")
    try:
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(_certificate())
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise ConfigError(
            f"{setting}: none is configured, and {path} can't be written: {error.strerror}."
        ) from error
