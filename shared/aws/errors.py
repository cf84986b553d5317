"""How a request to AWS fails.

The texts are made here: those of the library contain addresses, those of the server anything.

AwsError
├── AwsAway         the endpoint can't be reached, or fails itself
│   └── AwsBusy         it asks for fewer requests
├── AwsForbidden    keys, rights, clock, region or bucket: somebody must change something
├── AwsMissing      there is no such object
├── AwsExists       there is one already
├── AwsDamaged      bytes were changed on their way
└── AwsInvalid      this request can never succeed
"""

from __future__ import annotations

from shared.errors import HandlerError, Reject, Retry, SnapbusError, Unreachable


class AwsError(SnapbusError):
    """The request failed. ``code`` is the server's word for it; ``after_s``, how long it asks to
    wait, if it does."""

    def __init__(self, message: str, *, code: str = "", after_s: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.after_s = after_s


class AwsAway(AwsError):
    """The endpoint can't be reached, or fails itself. ``sent``: it may have got the request."""

    sent = False


class AwsBusy(AwsAway):
    """The endpoint asks for fewer requests."""


class AwsForbidden(AwsError):
    """Keys, rights, clock, region or bucket: somebody must change something."""


class AwsMissing(AwsError):
    """There is no such object."""


class AwsExists(AwsError):
    """There is such an object already."""


class AwsDamaged(AwsError):
    """Bytes were changed on their way."""


class AwsInvalid(AwsError):
    """This request can never succeed."""


def for_handler(error: AwsError, peer: str) -> HandlerError:
    """What a handler raises for it: Unreachable(``peer``) while nothing could be done there, Retry
    for what failed with these bytes, Reject for what can never be done."""
    if isinstance(error, AwsAway | AwsForbidden):
        return Unreachable(peer, str(error), after_s=error.after_s)
    if isinstance(error, AwsInvalid):
        return Reject(str(error))
    return Retry(str(error), after_s=error.after_s)
