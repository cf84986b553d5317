"""What Google refuses or fails at, in our words, and how long to wait then.

GoogleError
├── Busy       Google is slow, away or wants fewer requests; the same request succeeds later
├── Halted     the whole account can do nothing until a person, or the next day, changes that
├── Denied     this file or folder may not be changed by us
├── Missing    there is no file with this id
├── Exists     there is a file with this id already
└── Refused    this request can never succeed
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.errors import SnapbusError
from shared.text import storable

MESSAGE_CHARACTERS = 200
DAY_S, STORAGE_S, PERMISSION_S, LOGIN_S = 1800.0, 600.0, 300.0, 10.0
"""How often is looked whether a day's quota, space, a right or a login is there again. A look at
the login asks Google nothing while the token is the same."""


class GoogleError(SnapbusError):
    """The root of what Google answers, or does not."""


class Busy(GoogleError):
    """``after_s`` is what Google asks for, 0 if nothing."""

    def __init__(self, message: str, after_s: float = 0.0) -> None:
        super().__init__(message)
        self.after_s = after_s


class Halted(GoogleError):
    """``reason`` is one word, ``after_s`` when it is worth another try."""

    def __init__(self, reason: str, message: str, after_s: float) -> None:
        super().__init__(message)
        self.reason = reason
        self.after_s = after_s


class Denied(GoogleError):
    """This file or folder may not be changed by us."""


class Missing(GoogleError):
    """There is no file with this id."""


class Exists(GoogleError):
    """There is a file with this id already."""


class Refused(GoogleError):
    """This request can never succeed."""


@dataclass(frozen=True, slots=True)
class _Halt:
    remedy: str
    after_s: float


_LOGIN = "log in again with `task drive:login`"
_HALTS: Mapping[str, _Halt] = {
    "dailyLimitExceeded": _Halt("the quota of this day is used up; it goes on by itself", DAY_S),
    "dailyLimitExceededUnreg": _Halt("the Google project has no Drive API: switch it on", DAY_S),
    "quotaExceeded": _Halt("the quota of this Google project is used up", DAY_S),
    "storageQuotaExceeded": _Halt("Google Drive is full: make room, or buy more", STORAGE_S),
    "teamDriveFileLimitExceeded": _Halt("the shared drive holds as many files as it may: move "
                                        "some away, or name another one", STORAGE_S),
    "activeItemCreationLimitExceeded": _Halt("this account holds as many files as it may: remove "
                                             "some", STORAGE_S),
    "insufficientPermissions": _Halt(f"the login does not reach far enough: {_LOGIN}", LOGIN_S),
    "accessNotConfigured": _Halt("switch on the Drive API in the Google project", PERMISSION_S),
    "domainPolicy": _Halt("the administrator of this Google domain forbids it", PERMISSION_S),
    "authError": _Halt(f"Google takes the login no more: {_LOGIN}", LOGIN_S),
    "invalid_grant": _Halt(f"Google takes the login no more: {_LOGIN}", LOGIN_S),
    "unauthorized_client": _Halt(f"the login is another program's: {_LOGIN}", LOGIN_S),
    "invalid_client": _Halt("Google does not know the client: fetch its file anew", LOGIN_S),
    "deleted_client": _Halt("the client was deleted in the Google project: make one", LOGIN_S),
}  # fmt: skip
_DENIED = frozenset(
    {"insufficientFilePermissions", "appNotAuthorizedToFile", "cannotAddParent", "forbidden"}
)
_SLOWER = frozenset({"userRateLimitExceeded", "rateLimitExceeded", "sharingRateLimitExceeded"})


def halted(reason: str, message: str = "") -> Halted:
    """The error for a reason that stops the account."""
    halt = _HALTS.get(reason, _Halt(_LOGIN, LOGIN_S))
    said = f" ({_short(message)})" if message else ""
    return Halted(reason, f"{halt.remedy}{said}", halt.after_s)


def is_login(error: GoogleError) -> bool:
    """Whether a person who logs in mends it."""
    return isinstance(error, Halted) and error.after_s == LOGIN_S


def stops(reason: str) -> bool:
    """Whether this reason stops the whole account."""
    return reason in _HALTS


def meaning(status: int, reason: str, message: str, after_s: float = 0.0) -> GoogleError:
    """The error for an answer of this status; ``reason`` is Google's word, empty for a body that
    is not Google's, such as the page of a proxy."""
    text = f"Google answers {status} {reason}: {_short(message)}".rstrip(": ")
    if status == 429 or reason in _SLOWER:
        return Busy(text, after_s)
    if stops(reason):
        return halted(reason, message)
    if status == 401:
        return halted("authError", message)
    if status == 404:
        return Missing(text)
    if status == 409:
        return Exists(text)
    if status == 403 and (reason in _DENIED or not reason):
        # Without a reason it is the page of a proxy or a firewall, which may think better of it.
        return Denied(text) if reason else Busy(text, after_s)
    if status in (408, 410) or status >= 500 or status < 400:
        return Busy(text, after_s)
    return Refused(text)


def _short(message: str) -> str:
    return " ".join(storable(message, MESSAGE_CHARACTERS).split())
