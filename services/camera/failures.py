"""Why a camera gave no picture, in words a person can act on.

The text of each error is made here, in explain.py or by the HTTP client, never taken from a
library: a library's text contains the URL, and the URL may contain the password.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from shared.errors import SnapbusError
from shared.http import errors as http


class CameraError(SnapbusError):
    """The camera gave no picture. ``retryable`` says whether asking once more may help."""

    retryable = True


class Unreachable(CameraError):
    """No connection, or it broke before the picture was complete."""


class TooSlow(CameraError):
    """The picture was not complete within the time of one attempt."""


class WrongAnswer(CameraError):
    """The camera answered, but not with a picture."""


class CredentialsRefused(CameraError):
    """The camera does not accept user and password. Asking again may lock the account."""

    retryable = False


class Misdirected(CameraError):
    """The address can't be right: nothing there, another host, another protocol."""

    retryable = False


class Untrusted(Misdirected):
    """The certificate is not trusted."""


class TurnsTaken(SnapbusError):
    """So many streams are being read that this camera was not asked; that says nothing of it."""


_KINDS: Mapping[type[http.HttpError], type[CameraError]] = {
    http.ConnectionFailed: Unreachable,
    http.TooSlow: TooSlow,
    http.BadAnswer: WrongAnswer,
    http.TooLarge: WrongAnswer,
    http.Misdirected: Misdirected,
    http.Untrusted: Untrusted,
}


@contextmanager
def as_camera_error() -> Iterator[None]:
    """Turn every HttpError into the CameraError it means."""
    try:
        yield
    except http.HttpError as error:
        text = str(error)
        if isinstance(error, http.TooSlow):
            text = f"no complete picture within {error.seconds:g} s"
        raise _KINDS[type(error)](text) from None
