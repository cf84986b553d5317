"""One configuration: the YAML file, over it the environment, over that the secrets folder.

What variables say is in environment.py; a file ``/run/secrets/<name>`` sets the secret of that
name. Unknown keys are refused; every error names the place and the remedy.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml
from pydantic import SecretStr, ValidationError

from shared.errors import ConfigError
from shared.settings.cameras import DOORS_WITH_PASSWORD
from shared.settings.environment import apply, overrides, put
from shared.settings.section import Section
from shared.settings.tree import Settings

DEFAULT_FILE = Path("config/snapbus.yml")

CAMERA_SECRETS = "cameras"
"""A folder in that of the secrets; containers that meet no camera do not have it."""

# Secrets that belong to no camera: file name -> path of our setting.
SECRET_FILES = {
    "journal_url": "journal.url",
    "broker_url": "broker.url",
    "sentry_dsn": "log.sentry_dsn",
}


def load(
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    secrets: Path | None = None,
) -> Settings:
    """The settings in force; raises ConfigError. ``file`` None: SNAPBUS_CONFIG or the default."""
    environ = os.environ if environ is None else environ
    path = chosen(file, environ)
    tree = _read_yaml(path)
    applied = apply(tree, environ)
    origin = {name: f"environment variable {value}" for name, value in applied.variables.items()}
    secrets = secrets or Path(environ.get("SNAPBUS_SECRETS", "/run/secrets"))
    origin |= _apply_secrets(tree, secrets)
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(_explain(error, path, origin)) from None
    settings.note_overrides(overrides(settings, applied, path))
    return settings


def chosen(file: Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """The configuration file in force."""
    return file or Path(environ.get("SNAPBUS_CONFIG", DEFAULT_FILE))


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file. Name yours in SNAPBUS_CONFIG.") from None
    except OSError as error:
        raise ConfigError(
            f"{path}: can't be read: {error.strerror}. Check its permissions."
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        # What stands in quotes may be a password that YAML took for a reference or a tag.
        problem = re.sub(r"'[^']{3,}'", "'…'", getattr(error, "problem", "") or "not UTF-8 text")
        raise ConfigError(
            f"{path}{line}: not valid YAML: {problem}. Check the indentation, and put values with "
            "special characters in quotes."
        ) from None
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: must be a mapping of sections, such as 'cameras:'.")
    return tree


def _apply_secrets(tree: dict[str, Any], folder: Path) -> dict[str, str]:
    names = dict(SECRET_FILES)
    cameras = tree.get("cameras")
    for camera, section in cameras.items() if isinstance(cameras, dict) else ():
        for door in DOORS_WITH_PASSWORD:
            if isinstance(section, dict) and isinstance(section.get(door), dict):
                names[f"camera_{camera}_{door}_password"] = f"cameras.{camera}.{door}.password"
    origin = {}
    for name, path in names.items():
        for file in (folder / name, folder / CAMERA_SECRETS / name):
            if (secret := _secret(file)) is not None:
                put(tree, path, secret)
                origin[path] = f"secret file {file}"
    return origin


def _secret(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n") if file.is_file() else None
    except OSError as error:
        raise ConfigError(
            f"secret file {file}: can't be read: {error.strerror}. "
            f"User {os.getuid()} must be able to read it."
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"secret file {file}: is no text. Write it again in UTF-8.") from None


_REMEDIES = {
    "extra_forbidden": "No such setting: check the spelling, or remove it.",
    "missing": "It is required: add it.",
    "string_type": "Put the value in quotes.",
    "string_pattern_mismatch": "Use lower-case letters, digits, - and _ as the schema says.",
}


def _explain(error: ValidationError, file: Path, origin: Mapping[str, str]) -> str:
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        path = ".".join(str(part) for part in problem["loc"] if part != "[key]")
        place = origin.get(path, str(file))
        if problem["type"] == "extra_forbidden":  # of what a variable made, only the top is named
            made = (name for key, name in origin.items() if key.startswith(f"{path}."))
            place = next(made, place)
        remedy = _REMEDIES.get(problem["type"], "See config/snapbus.schema.json for what fits.")
        lines.append(f"{place}: {path}: {problem['msg']}. {remedy}")
    return "\n".join(lines)


def secrets_of(settings: Settings) -> set[str]:
    """Every secret value in force, for masking logs; of addresses, what is secret of them."""
    found: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, SecretStr):
            found.update(_secret_parts(value.get_secret_value()))
        elif isinstance(value, Section):
            for name in type(value).model_fields:
                walk(getattr(value, name))
        elif isinstance(value, dict):
            for item in value.values():
                walk(item)

    walk(settings)
    return {secret for secret in found if len(secret) > 3 and secret != "local"}  # noqa: S105


def _secret_parts(value: str) -> set[str]:
    scheme, mark, rest = value.partition("://")
    if not mark:
        return {value}
    account, at, _host = rest.rpartition("@")
    name, _, password = account.partition(":")
    if password:
        return {password, unquote(password)}
    # The key in the address of Sentry is a name without password; those of databases are none.
    return {name} if at and scheme in ("http", "https") else set()
