"""Logging in at a provider of OpenID Connect: code flow with PKCE, the answer checked here.

Nothing is asked of the provider before somebody wants to log in. It is imported then, because it
takes a second and 30 MB.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from shared.errors import AccessError
from shared.settings.api import OidcSection

TIMEOUT_S = 10.0
LEEWAY_S = 60
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
"""Those with a public key only: with a shared one, who knows it could sign too."""
AWAY = "the provider of the login can't be reached, or answers oddly"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One login that was begun: what its end must agree with. The browser keeps it meanwhile."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def fresh(cls) -> Attempt:
        """A new one."""
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))

    @classmethod
    def of(cls, cookie: str) -> Attempt:
        """The one in a cookie. Raises AccessError."""
        parts = cookie.split(".")
        if len(parts) != 3 or not all(parts):
            raise AccessError("this login was not begun here, or too long ago")
        return cls(*parts)

    @property
    def cookie(self) -> str:
        return f"{self.state}.{self.nonce}.{self.verifier}"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is to the provider: for ever ``subject``, at the moment called ``name``."""

    subject: str
    name: str


class Provider:
    """One provider. Any thread; raises AccessError for all that goes wrong."""

    def __init__(self, settings: OidcSection) -> None:
        self._settings = settings

    def begin(self, attempt: Attempt, back: str) -> str:
        """The address at the provider where the login begins; it ends at ``back``."""
        with self._session(back) as session:
            address, _ = session.create_authorization_url(
                self._described(session)["authorization_endpoint"],
                state=attempt.state,
                nonce=attempt.nonce,
                code_verifier=attempt.verifier,
            )
        return str(address)

    def end(self, attempt: Attempt, answer: str, back: str) -> Identity:
        """Who logged in, from the address with which the provider sent the browser back."""
        with self._session(back) as session:
            described = self._described(session)
            try:
                token = session.fetch_token(
                    described["token_endpoint"],
                    authorization_response=answer,
                    state=attempt.state,
                    code_verifier=attempt.verifier,
                    timeout=TIMEOUT_S,
                )
                keys = session.request(
                    "GET", described["jwks_uri"], withhold_token=True, timeout=TIMEOUT_S
                ).json()
                claims = self._checked(str(token["id_token"]), keys, attempt)
            except (AuthlibBaseError, JoseError, OSError, ValueError, KeyError) as error:
                raise AccessError(
                    f"the provider did not confirm the login: {_told(error)}"
                ) from None
        name = str(claims.get(self._settings.name_claim) or claims.get("email") or "")
        if not name:
            raise AccessError(f"the provider names nobody in {self._settings.name_claim}")
        return Identity(f"{self._settings.issuer} {claims['sub']}", name)

    def _session(self, back: str) -> Any:
        settings = self._settings
        return OAuth2Session(
            settings.client_id,
            settings.client_secret.get_secret_value() or None,
            scope="openid profile email",
            redirect_uri=back,
            code_challenge_method="S256",
        )

    def _described(self, session: Any) -> dict[str, str]:
        """What the provider says of itself."""
        issuer = self._settings.issuer.rstrip("/")
        address = f"{issuer}/.well-known/openid-configuration"
        try:
            found = session.request("GET", address, withhold_token=True, timeout=TIMEOUT_S).json()
            told = {
                name: str(found[name])
                for name in ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
            }
        except (OSError, ValueError, KeyError, TypeError):
            raise AccessError(AWAY) from None
        if told["issuer"].rstrip("/") != issuer:
            raise AccessError("the provider calls itself otherwise than api.oidc.issuer")
        return told

    def _checked(self, token: str, keys: Any, attempt: Attempt) -> dict[str, Any]:
        claims = jwt.decode(token, KeySet.import_key_set(keys), algorithms=ALGORITHMS).claims
        rules = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "values": [self._settings.issuer, f"{self._settings.issuer}/"]},
            aud={"essential": True, "value": self._settings.client_id},
            exp={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": attempt.nonce},
        )
        rules.validate(claims)
        return dict(claims)


def _told(error: Exception) -> str:
    # What the provider wrote is a stranger's text: only the kind of error is told.
    return type(error).__name__
