"""Signed claims of service accounts (RS256), checked with nothing but arithmetic."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from hashlib import sha256
from typing import Any

_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")
"""What stands before a SHA-256 in a signature (PKCS #1, RFC 8017 9.2)."""

MAX_LENGTH = 10_000

Key = tuple[int, int]
"""Modulus and exponent."""


def read(token: str) -> tuple[dict[str, Any], Callable[[Key], bool]]:
    """The claims of a token, and whether a key has signed them. Raises ValueError."""
    if len(token) > MAX_LENGTH:
        raise ValueError("too long")
    head, body, signature = token.split(".")
    if json.loads(_bytes(head)).get("alg") != "RS256":
        raise ValueError("not RS256")
    claims = json.loads(_bytes(body))
    if not isinstance(claims, dict):
        raise ValueError("no claims")
    signed, number = f"{head}.{body}".encode(), int.from_bytes(_bytes(signature), "big")
    return claims, lambda key: _is_signed(signed, number, key)


def _is_signed(signed: bytes, signature: int, key: Key) -> bool:
    modulus, exponent = key
    size = (modulus.bit_length() + 7) // 8
    end = _PREFIX + sha256(signed).digest()
    whole = b"\0\1" + b"\xff" * (size - len(end) - 3) + b"\0" + end
    return signature < modulus and pow(signature, exponent, modulus) == int.from_bytes(whole, "big")


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
