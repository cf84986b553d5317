"""A small provider of OpenID Connect, which logs in whoever comes, and can lie in several ways."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "snapbus", "client-canary-9"


class Provider:
    """Use as a context manager. ``who`` are the claims of whoever logs in; ``lie`` changes the
    claims of the token, ``signer`` is the key that signs it."""

    def __init__(self) -> None:
        self.who: dict[str, Any] = {"sub": "7", "preferred_username": "anna"}
        self.lie: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.signer = self.key
        self.asked: dict[str, dict[str, str]] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider._get(self)

            def do_POST(self) -> None:
                provider._token(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Provider:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _get(self, handler: BaseHTTPRequestHandler) -> None:
        path, query = urlsplit(handler.path).path, parse_qs(urlsplit(handler.path).query)
        if path == "/.well-known/openid-configuration":
            ends = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            told = {name: f"{self.issuer}/{name}" for name in ends} | {"issuer": self.issuer}
            _answer(handler, 200, told)
        elif path == "/jwks_uri":
            _answer(handler, 200, {"keys": [self.key.as_dict(private=False)]})
        elif path == "/authorization_endpoint":
            given = {name: values[0] for name, values in query.items()}
            code = f"code{len(self.asked)}"
            self.asked[code] = given
            back = urlencode({"code": code, "state": given["state"]})
            handler.send_response(302)
            handler.send_header("Location", f"{given['redirect_uri']}?{back}")
            handler.end_headers()

    def _token(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers["Content-Length"])
        given = {
            name: each[0] for name, each in parse_qs(handler.rfile.read(length).decode()).items()
        }
        asked = self.asked.pop(given.get("code", ""), None)
        account = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            asked is None
            or handler.headers["Authorization"] != f"Basic {account}"
            or asked.get("code_challenge_method") != "S256"
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != given["redirect_uri"]
        ):
            _answer(handler, 400, {"error": "invalid_grant"})
            return
        claims = {
            "iss": self.issuer, "aud": CLIENT, "exp": int(time.time()) + 300,
            "nonce": asked["nonce"], **self.who,
        }  # fmt: skip
        token = jwt.encode({"alg": "RS256", "kid": "one"}, self.lie(claims), self.signer)
        _answer(handler, 200, {"access_token": "a", "token_type": "Bearer", "id_token": token})


def _answer(handler: BaseHTTPRequestHandler, status: int, body: Any) -> None:
    data = json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)
