"""Files of Compose that take what older names say: .env, and secrets/."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from shared.older.names import CONTAINED, COUNT, OF_THE_HOST
from shared.older.sources import env_text, is_older, read_env
from shared.older.translate import Translation

CONTAINERS_USER = 999
SECRET_OF = {
    "FTP_PASS": "cameras/ftp_cameras_password",
    "CAMERA_PASSWORD": "cameras/camera_camera_fetch_password",
    "SENTRY_DSN": "sentry_dsn",
    "AWS_ACCESS_KEY_ID": "aws_access_key_id",
    "AWS_SECRET_ACCESS_KEY": "aws_secret_access_key",
    "GOOGLE_CLIENT": "google_client",
}
"""The file below secrets/ for each name that holds a secret of ours."""
_INSTEAD = {**OF_THE_HOST, "DATABASE_URL": "secrets/journal_url names the database"}
_UNCOUNTED = f"Compose hands on {COUNT} inputs and outputs; describe more cameras in snapbus.yml"
_PLAIN = re.compile(r"^[\w./:@,+=~-]*$", re.ASCII)


def in_containers(made: Translation, env: Mapping[str, str]) -> Translation:
    """The same, but what Compose with this .env hands on neither as a variable nor as a secret, and
    does not use itself, is ignored."""
    reach = {*CONTAINED, *SECRET_OF}
    if "config/syslog.yml" in env.get("COMPOSE_FILE", ""):
        reach.add("SYSLOG_ADDRESS")
    lost = [name for name in made.understood if is_older(name) and name not in reach]
    told = {name: f"in containers: {_INSTEAD.get(name, _UNCOUNTED)}" for name in lost}
    left = {name: fate for name, fate in made.understood.items() if name not in told}
    return replace(made, understood=left, ignored=made.ignored | told)


def write_secret(folder: Path, name: str, value: str) -> bool:
    """Write one secret for the user of the containers; whether it was another one until now. Only
    root can give files away; else the folder, which nobody else may enter, protects them."""
    file = folder / name
    if file.is_file() and file.read_text("utf-8").rstrip("\n") == value:
        return False
    part = file.with_name(f".{file.name}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(f"{value}\n")
    if os.getuid() == 0:
        os.chown(part, CONTAINERS_USER, CONTAINERS_USER)
    else:
        part.chmod(0o644)
    part.replace(file)
    return True


def add_to_env(file: Path, values: Mapping[str, str]) -> list[str]:
    """Append the variables that the file does not set; returns their names. Raises Misread,
    OSError."""
    text = env_text(file)
    there = {name for name, value in read_env(text).items() if value}
    added = [name for name in values if name not in there]
    if added:
        lines = [text.rstrip("\n"), *(f"{name}={quoted(values[name])}" for name in added)]
        _replace(file.resolve(), "\n".join(filter(None, lines)) + "\n")
    return added


def _replace(file: Path, text: str) -> None:
    """Write a file whole or not at all; it stays whose it was."""
    part = file.with_name(f"{file.name}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            if file.exists():
                status = file.stat()
                os.fchmod(out.fileno(), stat.S_IMODE(status.st_mode))
                if os.getuid() == 0:
                    os.fchown(out.fileno(), status.st_uid, status.st_gid)
            out.write(text.encode())
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def quoted(value: str) -> str:
    """A value as Docker Compose reads it from .env; line ends are no part of it."""
    value = " ".join(value.splitlines())
    if _PLAIN.match(value):
        return value
    return '"' + re.sub(r'([\\"$])', r"\\\1", value) + '"'
