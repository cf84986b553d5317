"""How a person lets us into their Google account: by a browser, or by a code typed elsewhere.

Only plain requests, each within a deadline; nothing is opened, and nobody is waited for in a
service. What comes out is a token as oauth2client keeps it.
"""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from shared.http.client import Client
from shared.http.deadline import Deadline
from shared.http.errors import HttpError

TIMEOUT_S = 20.0
MAX_BYTES = 100_000
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_WORDS = {
    "access_denied": "the person at the browser said no",
    "invalid_client": "Google does not know this client: download its file again",
    "unauthorized_client": "this client may not do that: make one of type 'Desktop app', or of "
    "type 'TVs and Limited Input devices' for --device",
    "invalid_grant": "the code is over or was used before: begin again",
    "invalid_scope": "a login by --device can't give this: set google.sees to own",
    "expired_token": "the code is over: begin again",
    "redirect_uri_mismatch": "this client is not of type 'Desktop app': make one of that type",
}


class LoginFailed(Exception):
    """The login did not come about; the text says what to change."""


class Pending(Exception):
    """The person has not answered yet; ``slower``: ask less often."""

    def __init__(self, *, slower: bool) -> None:
        super().__init__("not yet")
        self.slower = slower


@dataclass(frozen=True, slots=True)
class Code:
    """What a person types at ``url``; ``device`` is our half of it."""

    url: str
    text: str
    device: str
    interval_s: float
    ends_s: float


class Login:
    """One login. ``program`` is the OAuth client; ``redirect`` the address where the browser ends.
    Raises LoginFailed."""

    def __init__(self, program: Mapping[str, str], scope: str, redirect: str = "") -> None:
        self._program = program
        self._scope = scope
        self._redirect = redirect
        self._state = secrets.token_urlsafe(16)
        self._verifier = secrets.token_urlsafe(48)

    @property
    def url(self) -> str:
        """Where a browser begins."""
        challenge = urlsafe_b64encode(sha256(self._verifier.encode()).digest()).decode()
        asked = {
            "client_id": self._program["client_id"],
            "redirect_uri": self._redirect,
            "response_type": "code",
            "scope": self._scope,
            "access_type": "offline",
            "prompt": "consent",
            "state": self._state,
            "code_challenge": challenge.rstrip("="),
            "code_challenge_method": "S256",
        }
        return f"{self._program['auth_uri']}?{urlencode(asked)}"

    def by_address(self, address: str) -> dict[str, Any]:
        """The token, by the address where the browser ended."""
        said = {name: each[0] for name, each in parse_qs(urlsplit(address.strip()).query).items()}
        if "error" in said:
            raise _failed(said["error"])
        if "code" not in said:
            raise LoginFailed("this is not the address where the browser ended: it has no code")
        if not secrets.compare_digest(said.get("state", "").encode(), self._state.encode()):
            raise LoginFailed("this is the address of another login: open the address above")
        form = {
            "grant_type": "authorization_code",
            "code": said["code"],
            "redirect_uri": self._redirect,
            "code_verifier": self._verifier,
        }
        return self._token(form)

    def code(self) -> Code:
        """Begin a login that is finished on any other device."""
        address = self._program.get("device_uri") or _device_uri(self._program["token_uri"])
        form = {"client_id": self._program["client_id"], "scope": self._scope}
        said = self._ask(address, form)
        url = str(said.get("verification_url") or said.get("verification_uri"))
        every, ends = float(said.get("interval", 5)), float(said.get("expires_in", 1800))
        return Code(url, str(said["user_code"]), str(said["device_code"]), every, ends)

    def by_code(self, code: Code) -> dict[str, Any]:
        """The token, once the person typed the code; raises Pending until then."""
        return self._token({"grant_type": DEVICE, "device_code": code.device})

    def _token(self, form: Mapping[str, str]) -> dict[str, Any]:
        who = {
            "client_id": self._program["client_id"],
            "client_secret": self._program["client_secret"],
        }
        said = self._ask(self._program["token_uri"], {**form, **who})
        if not said.get("refresh_token"):
            raise LoginFailed(
                "Google gave a token for an hour only: take this program's access away at "
                "https://myaccount.google.com/permissions, and begin again"
            )
        ends = datetime.now(UTC) + timedelta(seconds=int(said.get("expires_in", 0)))
        return {
            "access_token": said.get("access_token"),
            "refresh_token": said["refresh_token"],
            "token_expiry": f"{ends:%Y-%m-%dT%H:%M:%SZ}",
            "scopes": str(said.get("scope", self._scope)).split(),
            "token_uri": self._program["token_uri"],
            **who,
            **dict.fromkeys(_UNUSED),
            "invalid": False,
            "_class": "OAuth2Credentials",
            "_module": "oauth2client.client",
        }

    def _ask(self, url: str, form: Mapping[str, str]) -> dict[str, Any]:
        client = Client("Google's login", max_bytes=MAX_BYTES)
        try:
            with (
                Deadline(TIMEOUT_S) as deadline,
                client.post(url, urlencode(form).encode(), deadline, _FORM) as answer,
            ):
                said = json.loads(b"".join(answer.chunks))
                status = answer.status
        except HttpError as error:
            raise LoginFailed(f"{error}: is the internet there?") from None
        except ValueError:
            raise LoginFailed("what answers in place of Google's login is something else") from None
        if not isinstance(said, dict):
            raise LoginFailed("what answers in place of Google's login is something else")
        if status != 200 or "error" in said:
            word = str(said.get("error", status))
            if word in ("authorization_pending", "slow_down"):
                raise Pending(slower=word == "slow_down")
            raise _failed(word)
        return said


_UNUSED = (
    "user_agent", "revoke_uri", "id_token", "id_token_jwt", "token_response", "token_info_uri",
)  # fmt: skip
"""What oauth2client wants to find in its file besides."""


def _device_uri(token_uri: str) -> str:
    return token_uri.removesuffix("/token") + "/device/code"


def _failed(word: str) -> LoginFailed:
    return LoginFailed(_WORDS.get(word, f"Google refused the login: {word[:100]}"))
