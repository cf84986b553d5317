"""What can go wrong between a camera and us, in words a person can act on.

The text of each error is made here or in explain.py, never taken from an HTTP library: theirs
contain the URL, and the URL may contain the password.
"""

from __future__ import annotations

from shared.errors import SnapbusError


class CameraError(SnapbusError):
    """The camera gave no picture. ``again`` says whether asking once more may help."""

    again = True


class Unreachable(CameraError):
    """No connection, or it broke before the picture was there."""


class TooSlow(CameraError):
    """The picture was not there in the time one attempt may take."""


class WrongAnswer(CameraError):
    """The camera answered, but not with a picture."""


class CredentialsRefused(CameraError):
    """The camera does not accept user and password. Asking again may lock the account."""

    again = False


class Misdirected(CameraError):
    """The address can't be right: nothing there, another host, another protocol, a wrong
    certificate."""

    again = False
