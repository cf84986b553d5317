"""How an HTTP exchange fails.

The texts are made here and in the client, never taken from a library: a library's text contains
the URL, and a URL may contain a password.

HttpError
├── ConnectionFailed    no connection, or it broke before the answer was complete
├── TooSlow             the answer was not complete by the deadline
├── BadAnswer           the answer is not proper HTTP, or is compressed though nobody asked for that
├── TooLarge            the answer has more bytes than the client takes
└── Misdirected         the address is unusable, or a redirect leads to another host
    └── Untrusted           the certificate is not trusted
"""

from __future__ import annotations

from shared.errors import SnapbusError


class HttpError(SnapbusError):
    """The exchange failed. ``retryable`` says whether the same request may succeed later."""

    retryable = True


class ConnectionFailed(HttpError):
    """No connection, or it broke before the answer was complete."""


class TooSlow(HttpError):
    """The answer was not complete within ``seconds``."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no complete answer within {seconds:g} s")
        self.seconds = seconds


class BadAnswer(HttpError):
    """The answer is not proper HTTP, or is compressed though nobody asked for that."""


class TooLarge(HttpError):
    """The answer has more bytes than the client takes."""

    retryable = False


class Misdirected(HttpError):
    """The address is unusable, or a redirect leads to another host."""

    retryable = False


class Untrusted(Misdirected):
    """The certificate is not trusted."""
