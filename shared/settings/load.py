"""One configuration: the YAML file, over it the environment, over that the secrets folder.

What variables say is in environment.py; a file ``/run/secrets/<name>`` sets the secret of that
name. Unknown keys are refused; every error names the place and the remedy.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pydantic import SecretStr, ValidationError

from shared.errors import ConfigError
from shared.older.sources import Misread, said
from shared.settings import yaml_file
from shared.settings.cameras import DOORS_WITH_PASSWORD
from shared.settings.environment import apply, overrides, put
from shared.settings.section import Section
from shared.settings.suggest import suggestion
from shared.settings.tree import Settings

DEFAULT_FILE = Path("config/snapbus.yml")

APP_CONF = "app.conf"
"""The file of an older program, beside ours."""
CAMERA_SECRETS = "cameras"
"""A folder in that of the secrets; containers that meet no camera do not have it."""

KEYS = ("access_key_id", "secret_access_key", "session_token")
"""What an account of AWS has in files."""
# Secrets that belong to no camera: file name -> path of our setting.
SECRET_FILES = {
    "journal_url": "journal.url",
    "broker_url": "broker.url",
    "broker_outside": "broker.outside",
    "sentry_dsn": "log.sentry_dsn",
    "oidc_client_secret": "api.oidc.client_secret",
    "legacy_url": "legacy.url",
    **{f"aws_{key}": f"aws.{key}" for key in KEYS},
    **{f"drive_{key}": f"drive.s3.account.{key}" for key in KEYS},
    **{f"store_{key}": f"store.s3.account.{key}" for key in KEYS},
    "google_client": "drive.google.client",
}


def load(
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    secrets: Path | None = None,
) -> Settings:
    """The settings in force; raises ConfigError. ``file`` None: SNAPBUS_CONFIG or the default."""
    environ = os.environ if environ is None else environ
    path = chosen(file, environ)
    tree = yaml_file.read(path)
    try:
        older = said(environ, path.parent / APP_CONF)
    except Misread as error:
        raise ConfigError(f"{error}. Mend it, or remove it.") from None
    applied = apply(tree, environ, older)
    origin = {
        name: value if " " in value else f"environment variable {value}"
        for name, value in applied.variables.items()
    }
    secrets = secrets or Path(environ.get("SNAPBUS_SECRETS", "/run/secrets"))
    origin |= _apply_secrets(tree, secrets)
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(_explain(error, path, origin)) from None
    told = [applied.report] if applied.report else []
    settings.note([*told, *overrides(settings, applied, path)], applied.doubts)
    return settings


def chosen(file: Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """The configuration file in force."""
    return file or Path(environ.get("SNAPBUS_CONFIG", DEFAULT_FILE))


def _apply_secrets(tree: dict[str, Any], folder: Path) -> dict[str, str]:
    names = dict(SECRET_FILES)
    cameras = tree.get("cameras")
    for camera, section in cameras.items() if isinstance(cameras, dict) else ():
        for door in DOORS_WITH_PASSWORD:
            if isinstance(section, dict) and isinstance(section.get(door), dict):
                names[f"camera_{camera}_{door}_password"] = f"cameras.{camera}.{door}.password"
    ftp = tree.get("ftp")
    shared = ftp.get("accounts") if isinstance(ftp, dict) else None
    for account, section in shared.items() if isinstance(shared, dict) else ():
        if isinstance(section, dict):
            names[f"ftp_{account}_password"] = f"ftp.accounts.{account}.password"
    archives = tree.get("archives")
    for archive in archives if isinstance(archives, dict) else ():
        names[f"google_client_{archive}"] = f"archives.{archive}.google.client"
        names |= {f"archive_{archive}_{k}": f"archives.{archive}.s3.account.{k}" for k in KEYS}
    origin = {}
    for name, path in names.items():
        for file in (folder / name, folder / CAMERA_SECRETS / name):
            if (secret := _secret(file)) is not None:
                put(tree, path, secret)
                origin[path] = f"secret file {file}"
    return origin


def _secret(file: Path) -> str | None:
    try:
        # An empty one stands where Compose needs a file, and says nothing.
        return (file.read_text(encoding="utf-8").rstrip("\r\n") or None) if file.is_file() else None
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
        if problem["type"] == "extra_forbidden" and (near := suggestion(path)):
            remedy = f"No such setting: did you mean {near}?"
        lines.append(f"{place}: {path}: {problem['msg']}. {remedy}")
    return "\n".join(lines)


def secrets_of(settings: Settings) -> set[str]:
    """Every secret in force, for masking logs; of a URL only its password or key."""
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
