"""The certificate that a server shows, to be compared by a person and then trusted by name."""

from __future__ import annotations

import hashlib
import ssl

from shared.http.deadline import Deadline
from shared.http.errors import ConnectionFailed


def fingerprint(host: str, port: int, deadline: Deadline) -> str:
    """SHA-256 of the certificate, as ``AB:CD:…``; nothing is sent to the server. Raises
    HttpError."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with deadline.connect(host, port) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=host) as secured:
                shown = secured.getpeercert(binary_form=True) or b""
        except OSError:
            raise ConnectionFailed("no secure connection") from None
    return hashlib.sha256(shown).digest().hex(":").upper()
