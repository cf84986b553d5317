"""Serving by TLS from files, which may be renewed while the server runs.

Imports no server, so that a configuration is checked in a moment.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence

from shared.settings import Settings, ports
from shared.settings.api import ApiSection
from shared.tls import CertificateFiles


class Certificate:
    """A certificate with its chain and its key. ``context`` serves what the files held last, as
    long as that fits together."""

    def __init__(self, files: CertificateFiles) -> None:
        """Raises ConfigError when the files can't be used."""
        self._files = files
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        files.load(self.context)
        self.context.sni_callback = self._at_handshake

    def _at_handshake(self, *_of_connection: object) -> None:
        """This handshake, or the next, gets the new certificate."""
        self._files.renew(self.context)


def files_of(section: ApiSection) -> CertificateFiles | None:
    """The files of the configured certificate; None: there is none."""
    if not (section.certificate and section.certificate_key):
        return None
    return CertificateFiles("api.certificate", section.certificate, section.certificate_key)


def check(settings: Settings) -> Sequence[str]:
    """Raises ConfigError for what ``build`` would refuse."""
    if settings.api.enabled:
        if files := files_of(settings.api):
            files.check()
        ports.check(settings, "api")
    return ()
