"""Prints what RabbitMQ reads at its start, for tasks/configure. Needs no package but PyYAML."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

try:
    import yaml

    from shared.bus.accounts import HOME, LEGACY, SERVICES
    from shared.bus.rabbit.definitions import definitions
    from shared.older.sources import Misread, read_env, said
    from shared.older.translate import translate
except (ImportError, SyntaxError, TypeError) as error:  # or Python is older than 3.11
    sys.exit(f"snapbus: {error}: run ./taskw configure, which brings along what this needs")


def password(file: Path) -> str:
    """The password in the address that a service has of RabbitMQ."""
    return unquote(urlsplit(file.read_text("utf-8").strip()).password or "")


def spoken_with(config: Path, tree: dict[str, Any]) -> dict[str, Any]:
    """Whether service ``legacy`` runs, and the exchange of the existing system if its programs use
    our RabbitMQ. As shared/settings reads the same, but without the environment."""
    env = read_env((ROOT / ".env").read_text("utf-8")) if (ROOT / ".env").exists() else {}
    if LEGACY not in env.get("COMPOSE_PROFILES", "").split(","):
        return {}
    older = translate(said(env, config.parent / "app.conf")).settings
    section = tree.get(LEGACY) or {}
    secret = ROOT / "secrets/legacy_url"
    elsewhere = "legacy.url" in older or section.get("url")
    if elsewhere or (secret.is_file() and secret.read_text("utf-8").strip()):
        return {"legacy": True}
    exchange = older.get("legacy.exchange", (section.get("exchange"),))[0]
    return {"legacy": True, "guests": exchange or "home_automation"}


def main() -> None:
    """Read configuration and passwords, and print the definitions as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the YAML file of Snapbus")
    parser.add_argument("--close", nargs="*", default=[], help="accounts nobody may use any more")
    options = parser.parse_args()
    secrets = ROOT / "secrets"
    tree = yaml.safe_load(options.config.read_text("utf-8")) if options.config.exists() else {}
    tree = tree or {}
    broker = tree.get("broker") or {}
    try:
        legacy = spoken_with(options.config, tree)
    except Misread as error:
        sys.exit(f"snapbus: {error}")
    until_now = secrets / "rabbitmq_definitions.json"
    made = definitions(
        {name: password(secrets / f"broker_url_{name}") for name in (*SERVICES, HOME)},
        archives=sorted(tree.get("archives") or {}),
        **{name: broker[name] for name in ("exchange", "max_length") if name in broker},
        **legacy,
        closed=options.close,
        before=json.loads(until_now.read_text("utf-8")) if until_now.is_file() else None,
    )
    sys.stdout.write(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    main()
