"""What environment variables say: defaults below the file, settings over it.

``SNAPBUS_DEFAULT__DETECTOR__STREAMS=2`` is the default where the file says nothing, for those who
start us, such as Docker Compose; ``SNAPBUS__DETECTOR__STREAMS=2`` takes the place of what it says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from shared.settings.section import Section
from shared.settings.tree import Settings

PREFIX = "SNAPBUS__"
DEFAULT_PREFIX = "SNAPBUS_DEFAULT__"

# Names that the predecessors of Snapbus used; the value is the path of our setting.
SEED_NAMES = {
    "OBJECT_DETECTION_ENABLED": "detector.enabled",
    "FEATURE_FLAG_OBJECT_DETECTION": "detector.enabled",
    "MINIMUM_HUMAN_CONFIDENCE": "detector.person_confidence",
    "RUN_FTP_SERVER": "ftp.enabled",
    "LOG_LEVEL": "log.level",
}
_MASTER = "FEATURE_FLAG_OBJECT_DETECTION"
_OFF = ("false", "0", "no", "off", "n", "f")


@dataclass(slots=True)
class Applied:
    """Which variable each setting is from, and what of the file it took the place of."""

    variables: dict[str, str] = field(default_factory=dict)
    replaced: dict[str, Any] = field(default_factory=dict)


def apply(tree: dict[str, Any], environ: Mapping[str, str]) -> Applied:
    """Put what the variables say into what the file says."""
    applied = Applied()
    for name, value in sorted(environ.items()):
        if name.startswith(DEFAULT_PREFIX):
            path = _path(name, DEFAULT_PREFIX)
            if not _has(tree, path):
                put(tree, path, _read(value))
                applied.variables[path] = name
    # What is left beside the defaults came from the file.
    for name, value in sorted(environ.items()):
        if name in SEED_NAMES and not _is_overruled(name, environ):
            path = SEED_NAMES[name]
            value = value.lower() if path == "log.level" else value
        elif name.startswith(PREFIX):
            path = _path(name, PREFIX)
        else:
            continue
        if _has(tree, path) and path not in applied.variables:
            applied.replaced[path] = _get(tree, path)
        put(tree, path, _read(value))
        applied.variables[path] = name
    return applied


def put(tree: dict[str, Any], path: str, value: Any) -> None:
    """Set what the path names, with the sections above it."""
    *parents, last = path.split(".")
    for name in parents:
        child = tree.get(name)
        if not isinstance(child, dict):
            child = tree[name] = {}
        tree = child
    tree[last] = value


def overrides(settings: Settings, applied: Applied, file: Path) -> Iterator[str]:
    """Both values of each setting of the file that a variable replaced; no secret."""
    for path, old in applied.replaced.items():
        new = _value(settings, path)
        if isinstance(old, dict | list) or str(new) == str(old):
            continue
        was = f"what {file} says" if new is None or isinstance(new, SecretStr) else f"{old!s}"
        now = "another secret" if isinstance(new, SecretStr) else "nothing" if new is None else new
        yield f"{path} is {now}, by the variable {applied.variables[path]}, and not {was}"


def _path(name: str, prefix: str) -> str:
    return name.removeprefix(prefix).lower().replace("__", ".")


def _read(value: str) -> str | None:
    return None if value == "null" else value


def _is_overruled(name: str, environ: Mapping[str, str]) -> bool:
    """Whether the older programs' master switch is off, which none of their others turns on."""
    same = SEED_NAMES[name] == SEED_NAMES[_MASTER]
    return same and name != _MASTER and environ.get(_MASTER, "").lower() in _OFF


def _has(tree: Mapping[str, Any], path: str) -> bool:
    *parents, last = path.split(".")
    for name in parents:
        child = tree.get(name)
        if not isinstance(child, dict):
            return child is not None  # wrong as it is, and told so
        tree = child
    return last in tree


def _get(tree: Mapping[str, Any], path: str) -> Any:
    value: Any = tree
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _value(settings: Settings, path: str) -> Any:
    value: Any = settings
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
    return None if isinstance(value, Section) else value
