"""Tells what Snapbus makes of the names of older programs in .env and app.conf, and copies the
passwords among them to where containers read them. For tasks/configure; needs no package.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

try:
    from shared.older.files import SECRET_OF, in_containers, write_secret
    from shared.older.report import misspelt, report
    from shared.older.sources import Misread, env_text, read_env, said
    from shared.older.translate import translate
except (ImportError, SyntaxError, TypeError) as error:  # or Python is older than 3.11
    sys.exit(f"snapbus: {error}: run ./taskw configure, which brings along what this needs")


def main() -> None:
    """Read .env and app.conf."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the YAML file of Snapbus")
    options = parser.parse_args()
    try:
        env = read_env(env_text(ROOT / ".env"))
        found = said(env, options.config.parent / "app.conf")
    except Misread as error:
        sys.exit(f"snapbus: {error}")
    if line := report(in_containers(translate(found), env)):
        sys.stdout.write(f"snapbus: {line}\n")
    for text in misspelt(env):
        sys.stdout.write(f"snapbus: .env: {text}\n")
    for name, file in SECRET_OF.items():
        value = env.get(name, "").strip()
        if value and write_secret(ROOT / "secrets", file, value):
            sys.stdout.write(f"snapbus: wrote secrets/{file}, from {name} in .env\n")


if __name__ == "__main__":
    main()
