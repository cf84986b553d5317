"""The library's errors as ours. Its texts hold addresses and tokens, so they are not used."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import httplib2
from googleapiclient import errors as api_errors
from oauth2client.client import AccessTokenRefreshError

from services.drive.archives.google.client.credentials import Credentials
from services.drive.archives.google.errors import (
    Busy,
    GoogleError,
    Halted,
    halted,
    meaning,
    stops,
)
from shared.http.deadline import Deadline
from shared.http.errors import TooSlow


def translated(error: Exception, login: Credentials, deadline: Deadline) -> GoogleError:
    """What an error of the library means."""
    if isinstance(error, AccessTokenRefreshError):
        login.forgive()
        word = str(error).partition(":")[0].strip()
        if stops(word):
            refused = halted(word)
            login.refused(refused)
            return refused
        return Busy("Google's login does not answer as it should")
    # PyDrive2 hides the answer in its own error, or fails at making that from a page of HTML.
    for each in (error, *error.args, error.__context__):
        if isinstance(each, api_errors.HttpError):
            answer = _answer(each)
            if isinstance(answer, Halted):
                login.refused(answer)
            return answer
    if deadline.over or isinstance(error, TimeoutError | TooSlow):
        return Busy(f"Google gave no complete answer within {deadline.seconds:g} s")
    if isinstance(error, http.client.HTTPException):
        return Busy("Google closed the connection in the middle")
    if not isinstance(error, OSError | httplib2.HttpLib2Error):
        return Busy("what answers in Google's place is not Google Drive")
    return Busy(f"Google can't be reached: {_reason(error)}")


def _answer(error: Any) -> GoogleError:
    reason = message = ""
    with suppress(ValueError, AttributeError, LookupError, TypeError):
        told: Any = json.loads(error.content)["error"]
        if isinstance(told, Mapping):
            message = str(told.get("message", ""))
            reason = str(told["errors"][0]["reason"])
    after_s = 0.0
    with suppress(ValueError):
        after_s = float(error.resp.get("retry-after", 0))
    return meaning(int(error.resp.status), reason, message, after_s)


def _reason(error: Exception) -> str:
    if isinstance(error, httplib2.ServerNotFoundError):
        return "its name is not known: is the internet there?"
    return (getattr(error, "strerror", None) or type(error).__name__) if error else ""
