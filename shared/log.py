"""One log format: lines for people on a terminal, JSON in a container; secrets are masked.

Code logs with the standard library; ``extra`` carries what machines read, above all ``action``.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any, TextIO

import structlog

from shared.masking import Masker
from shared.syslog import SyslogHandler, server_of
from shared.text import escaped, shortened
from shared.trace import trace_id

LONGEST = 4000
_QUIET = ("pika", "urllib3", "watchdog", "pyftpdlib", "uvicorn", "alembic", "asyncio")


class Clean:
    """A processor that takes secrets and control characters out of every value of a record."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker

    def __call__(
        self, _logger: Any, _method: str, record: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        for name, value in record.items():
            record[name] = _escaped(self._masker.masked(value), lines=name == "exception")
        return record


def traced(
    _logger: Any, _method: str, record: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A processor that names the trace of what the thread works on."""
    if found := trace_id():
        record.setdefault("trace_id", found)
    return record


def _escaped(value: Any, *, lines: bool) -> Any:
    """A sender's file name must not write terminal commands or lines of its own into the log;
    ``lines`` keeps breaks."""
    if isinstance(value, dict):
        return {key: _escaped(item, lines=False) for key, item in value.items()}
    if isinstance(value, list):
        return [_escaped(item, lines=False) for item in value]
    if isinstance(value, str):
        return escaped(shortened(value, LONGEST), keep="\n\t" if lines else "")
    return value


def set_up(
    level: str,
    form: str,
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
    syslog: str = "",
) -> Masker:
    """Send all logs of the process to ``stream``, and to the server of the address ``syslog`` if
    there is one; returns what masks secrets in them. ``form``: auto, console or json. Raises
    ValueError for an address that is none."""
    masker = Masker(secrets)
    stream = stream or sys.stderr
    as_json = form == "json" or (form == "auto" and not stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(masker, None if as_json else stream.isatty()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    if syslog:
        server = SyslogHandler(server_of(syslog))
        server.setFormatter(_formatter(masker, None if form != "console" else False))
        root.addHandler(server)
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    return masker


def _formatter(masker: Masker, colours: bool | None) -> logging.Formatter:
    """For lines in colours or without; None: for JSON."""
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if colours is None
        else structlog.dev.ConsoleRenderer(colors=colours)
    )
    before: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        traced,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    after: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        Clean(masker),
        renderer,
    ]
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=after)
