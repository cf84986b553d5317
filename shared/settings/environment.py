"""Environment variables: defaults below the configuration file, and overrides of it.

``SNAPBUS_DEFAULT__DETECTOR__STREAMS=2`` applies where the file sets nothing (Docker Compose uses
it); ``SNAPBUS__DETECTOR__STREAMS=2`` overrides the file. Between them come the names of the
programs before Snapbus (shared/older): they override the file, but cameras that it describes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from shared.older.report import misspelt, report
from shared.older.sources import Said
from shared.older.translate import Translation, cameras_of, translate
from shared.settings.section import Section
from shared.settings.tree import Settings

PREFIX = "SNAPBUS__"
DEFAULT_PREFIX = "SNAPBUS_DEFAULT__"


@dataclass(slots=True)
class Applied:
    """The variable of each setting, and the values of the file that were overridden. ``report`` is
    on the names of older programs, ``doubts`` on what is probably misspelt."""

    variables: dict[str, str] = field(default_factory=dict)
    replaced: dict[str, Any] = field(default_factory=dict)
    report: str = ""
    doubts: Sequence[str] = ()


def apply(
    tree: dict[str, Any], environ: Mapping[str, str], older: Mapping[str, Said] | None = None
) -> Applied:
    """Merge the variables into the tree of the file; ``older`` is what the older names say."""
    made = translate(older or {})
    applied = Applied(report=report(made), doubts=tuple(misspelt(environ)))
    for name, value in sorted(environ.items()):
        if name.startswith(DEFAULT_PREFIX):
            path = _path(name, DEFAULT_PREFIX)
            if not _has(tree, path):
                put(tree, path, _read(value))
                applied.variables[path] = name
    # What is left beside the defaults came from the file.
    for path, (value, name) in made.settings.items():
        _override(tree, applied, path, value, name)
    for name, value in sorted(environ.items()):
        if name.startswith(PREFIX):
            _override(tree, applied, _path(name, PREFIX), value, name)
    _add_cameras(tree, made)
    return applied


def _override(tree: dict[str, Any], applied: Applied, path: str, value: str, variable: str) -> None:
    if _has(tree, path) and path not in applied.variables:
        applied.replaced[path] = _get(tree, path)
    put(tree, path, _read(value))
    applied.variables[path] = variable


def _add_cameras(tree: dict[str, Any], made: Translation) -> None:
    """What the file says of the same camera holds, by its name or its place."""
    cameras = tree.get("cameras") or {}
    if not isinstance(cameras, dict) or not (made.inputs or made.outputs):
        return
    tree["cameras"] = cameras
    by_place = {
        str(each.get("place", "")).casefold(): name
        for name, each in cameras.items()
        if isinstance(each, dict)
    }
    names = {}
    for name, section in cameras_of(made, str(Path(str(tree.get("data") or "data")) / "told")):
        names[name] = by_place.get(section["place"].casefold(), name)
        camera = cameras.get(names[name])
        if isinstance(camera, dict) or camera is None:
            cameras[names[name]] = {**section, **(camera or {})}
    for key, devices in (("inputs", made.inputs), ("outputs", made.outputs)):
        if not _has(tree, f"legacy.{key}"):
            put(tree, f"legacy.{key}", [names[each.name] for each in devices])


def put(tree: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a dotted path, and make the sections above it."""
    *parents, last = path.split(".")
    for name in parents:
        child = tree.get(name)
        if not isinstance(child, dict):
            child = tree[name] = {}
        tree = child
    tree[last] = value


def overrides(settings: Settings, applied: Applied, file: Path) -> Iterator[str]:
    """A text for each overridden setting of the file, with both values but no secret."""
    for path, old in applied.replaced.items():
        new = _value(settings, path)
        if isinstance(old, dict | list) or str(new) == str(old):
            continue
        was = f"what {file} says" if new is None or isinstance(new, SecretStr) else f"{old!s}"
        now = "another secret" if isinstance(new, SecretStr) else "nothing" if new is None else new
        variable = applied.variables[path]
        by = variable if " " in variable else f"the variable {variable}"
        yield f"{path} is {now}, by {by}, and not {was}"


def _path(name: str, prefix: str) -> str:
    return name.removeprefix(prefix).lower().replace("__", ".")


def _read(value: str) -> str | None:
    return None if value == "null" else value


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
