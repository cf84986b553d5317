"""Where the older names stand: in the environment, in ``app.conf``, and in a ``.env``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from configparser import Error, RawConfigParser
from dataclasses import dataclass
from pathlib import Path

from shared.older.names import NAMES, SAME

_SLOT = re.compile(r"^(INPUT|OUTPUT)_[1-9][0-9]?_(LOCATION|TYPE)$")
_SECTION = re.compile(r"^(input|output)_(location|type)$")
_NUMBERED = re.compile(r"^[io]([1-9][0-9]?)$")
_VARIABLE = re.compile(r"%\((\w+)\)s")
_LINE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$")
_QUOTED = re.compile(r"""^(?:"((?:[^"\\]|\\.)*)"|'([^']*)')""")
MAX_BYTES = 1_000_000


class Misread(ValueError):
    """A file can't be read; the text says which, and why."""


@dataclass(frozen=True, slots=True)
class Said:
    """A value, and where it stands."""

    value: str
    where: str


def is_older(name: str) -> bool:
    """Whether a variable is one of the older programs."""
    return name in NAMES or bool(_SLOT.match(name))


def said(environ: Mapping[str, str], app_conf: Path | None) -> dict[str, Said]:
    """The older names that say something, in the order of their kinds. ``app.conf`` is what the
    older program read, and there may repeat a variable: it wins. Raises Misread."""
    found = {
        name: Said(environ[name], name)
        for name in (*NAMES, *sorted(set(environ) - set(NAMES)))
        if is_older(name) and environ.get(name, "").strip()
    }
    for where, value in _app_conf(app_conf, environ) if app_conf else ():
        name = _canonical(where)
        if value.strip() and (name not in found or found[name].value != value):
            found[name] = Said(value, f"app.conf {where}")
    return found


def _app_conf(file: Path, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What stands under ``[section] key``, with ``%(NAME)s`` taken from the environment; without
    what names a variable that is not set."""
    try:
        text = file.read_text(encoding="utf-8")[:MAX_BYTES]
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise Misread(f"{file}: can't be read ({type(error).__name__})") from None
    parser = RawConfigParser(strict=False, default_section="")
    try:
        parser.read_string(text)
    except Error as error:  # whose text would show the line, and there may be a password in it
        line = getattr(error, "lineno", None) or getattr(error, "errors", [("?",)])[0][0]
        raise Misread(
            f"{file}, line {line}: is no INI file, of [sections] with lines key = value"
        ) from None
    for section in parser.sections():
        for key, value in parser.items(section):
            if set(_VARIABLE.findall(value)) <= set(environ):
                yield f"[{section}] {key}", _VARIABLE.sub(lambda m: environ[m[1]], value)


def _canonical(where: str) -> str:
    """The variable that a key of ``app.conf`` repeats, or the key."""
    section, _, key = where[1:].partition("] ")
    kind, numbered = _SECTION.match(section), _NUMBERED.match(key)
    if kind and numbered:
        return f"{kind[1]}_{numbered[1]}_{kind[2]}".upper()
    return SAME.get(where, where)


def env_text(file: Path) -> str:
    """What a ``.env`` holds; nothing if it is not there. Raises Misread."""
    try:
        raw = file.read_bytes()
        return raw.decode("utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:  # whose text would show the byte, which may be a password's
        line = raw.count(b"\n", 0, error.start) + 1
        raise Misread(f"{file.name}, line {line}: is no UTF-8; save the file as UTF-8") from None
    except OSError as error:
        raise Misread(f"{file.name}: can't be read: {error.strerror}") from None


def read_env(text: str) -> dict[str, str]:
    """The variables of a ``.env``, as Docker Compose reads it, but for multi-line values."""
    found = {}
    for line in text[:MAX_BYTES].splitlines():
        match = _LINE.match(line)
        if not match:
            continue
        name, value = match.groups()
        if quoted := _QUOTED.match(value):
            value = re.sub(r"\\(.)", r"\1", quoted[1] or "") if quoted[1] else quoted[2] or ""
        else:
            value = re.sub(r"(^|\s)#.*$", "", value).strip()
        found[name] = value
    return found
