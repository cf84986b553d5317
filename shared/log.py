"""One log format: lines for people on a terminal, JSON in a container; secrets are masked.

Code logs with the standard library; ``extra`` carries what machines read, above all ``action``.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, TextIO
from urllib.parse import quote, quote_plus

import structlog

from shared.text import escaped, shortened

MASK = "•••"
LONGEST = 4000
_QUIET = ("pika", "urllib3", "watchdog", "pyftpdlib", "uvicorn", "alembic", "asyncio")


class Masker:
    """A processor that masks secrets and control characters in every value of a record."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets: list[str] = []
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Mask these as well from now on. Any thread."""
        written = {form for secret in secrets for form in _as_written(secret)}
        self._secrets = sorted(written.union(self._secrets), key=len, reverse=True)

    def __call__(
        self, _logger: Any, _method: str, record: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        for name, value in record.items():
            record[name] = self.masked(value, lines=name == "exception")
        return record

    def masked(self, value: Any, *, lines: bool = False) -> Any:
        """A copy without secrets, also of nested mappings and sequences; ``lines`` keeps breaks."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {str(key): self.masked(item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.masked(item) for item in value]
        return self._clean(str(value), lines=lines)

    def _clean(self, text: str, *, lines: bool) -> str:
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        # A sender's file name must not write terminal commands or lines of its own into the log.
        return escaped(shortened(text, LONGEST), keep="\n\t" if lines else "")


def _as_written(secret: str) -> Iterable[str]:
    """A secret as it is, and as addresses, JSON and Python's texts write it."""
    yield secret
    yield from (quote(secret, safe=""), quote(secret), quote_plus(secret))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    yield repr(secret)[1:-1]


def set_up(
    level: str, form: str, secrets: Iterable[str] = (), stream: TextIO | None = None
) -> Masker:
    """Send all logs of the process to ``stream``; returns what masks secrets in them. ``form``:
    auto, console or json."""
    masker = Masker(secrets)
    stream = stream or sys.stderr
    as_json = form == "json" or (form == "auto" and not stream.isatty())
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=stream.isatty())
    )
    before: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    after: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        masker,
        renderer,
    ]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=after)
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    return masker
