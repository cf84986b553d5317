"""Secrets taken out of texts, in every form in which a text may hold one.

A text is masked before it is cut: no form knows what a cut leaves of a secret.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "•••"
LONG = 8
"""Characters of a secret that is masked in the middle of a word as well. A shorter one, or one of
letters only, would take ordinary words apart."""
SHORTEST_ENCODED = 5


class Masker:
    """Takes secrets out of texts. Any thread."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._patterns: dict[str, re.Pattern[str]] = {}
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Take these out as well from now on."""
        known = [secret for secret in secrets if secret]
        found = {form: _pattern(form) for secret in known for form in _written(secret)}
        found |= {form: re.compile(re.escape(form)) for each in known for form in _encoded(each)}
        found |= self._patterns
        self._patterns = {form: found[form] for form in sorted(found, key=len, reverse=True)}

    def text(self, text: str) -> str:
        """The text without secrets."""
        for form, pattern in self._patterns.items():
            if form in text:
                text = pattern.sub(MASK, text)
        return text

    def masked(self, value: Any) -> Any:
        """A copy without secrets, also of nested mappings and sequences."""
        if isinstance(value, str):  # nearly all are, and to ask for a Mapping is slow
            return self.text(value)
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {str(key): self.masked(item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.masked(item) for item in value]
        return self.text(str(value))


def _pattern(form: str) -> re.Pattern[str]:
    if len(form) >= LONG and not form.isalpha():
        return re.compile(re.escape(form))
    before = r"(?<![^\W_])" if form[0].isalnum() else ""
    after = r"(?![^\W_])" if form[-1].isalnum() else ""
    return re.compile(f"{before}{re.escape(form)}{after}")


def _written(secret: str) -> Iterator[str]:
    """A secret as it is, and as addresses, JSON and Python write it."""
    yield secret
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    yield repr(secret)[1:-1]
    all_bytes = "".join(f"%{byte:02X}" for byte in secret.encode(errors="replace"))
    for written in (quote(secret, safe=""), quote(secret), quote_plus(secret), all_bytes):
        yield written
        yield re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), written)


def _encoded(secret: str) -> Iterator[str]:
    """What base64 makes of a secret alone, wherever in the encoded text it stands."""
    data = secret.encode(errors="replace")
    for before in range(3):
        text = base64.b64encode(bytes(before) + data).decode()
        own = text[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        if len(own) >= SHORTEST_ENCODED:
            yield from (own, own.replace("+", "-").replace("/", "_"))
