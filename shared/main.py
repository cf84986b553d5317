"""How every process begins: what it was told, the configuration, then the services.

What only a running process needs is loaded once the configuration is known to be good, so that
``--check`` answers in a moment.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import ConfigError, RunsAlready, SnapbusError
from shared.settings import Settings, load
from shared.settings.doubts import doubts, summary
from shared.settings.load import chosen

if TYPE_CHECKING:
    from shared.service import Context, Service

Check = Callable[[Settings], Iterable[str]]
"""What of a configuration is doubtful; raises ConfigError for what ``build`` would refuse."""


def _nothing(_settings: Settings) -> Iterable[str]:
    return ()


def main(
    name: str,
    build: Callable[[Context], Service | Sequence[Service]],
    arguments: Sequence[str] | None = None,
    *,
    check: Check = _nothing,
) -> None:
    """Run the services that ``build`` makes and exit the process, with status 2 for a wrong
    configuration."""
    only_check(name, arguments, check=check)
    from shared.runtime.process import serve

    os.umask(0o077)  # what services keep is for their own user; an archive is shown (folder.py)
    file = _options(name, arguments)[0]

    def checked() -> Settings:
        settings = load(file)
        check(settings)
        return settings

    with _told(name):
        sys.exit(serve(checked(), build, file, checked))


def only_check(
    name: str, arguments: Sequence[str] | None = None, *, check: Check = _nothing
) -> None:
    """Exit once the configuration is checked, if the arguments ask for no more."""
    file, only = _options(name, arguments)
    if not only:
        return
    with _told(name):
        settings = load(file)
        doubtful = (*settings.overrides, *doubts(settings), *check(settings))
        for text in doubtful:
            sys.stderr.write(f"{file}: {text}\n")
        sys.stdout.write(f"{file} is fine: {summary(settings)}\n")
        sys.exit(0)


def _options(name: str, arguments: Sequence[str] | None) -> tuple[Path, bool]:
    parser = argparse.ArgumentParser(prog=f"services.{name}")
    parser.add_argument("--config", type=Path, help="the YAML file (default: config/snapbus.yml)")
    parser.add_argument("--check", action="store_true", help="only check the configuration")
    options = parser.parse_args(arguments)
    return chosen(options.config), options.check


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except RunsAlready as error:
        sys.stderr.write(f"{name}: {error}\n")
        sys.exit(2)
    except ConfigError as error:
        sys.stderr.write(f"{name}: the configuration can't be used:\n{error}\n")
        sys.exit(2)
    except SnapbusError as error:
        sys.stderr.write(f"{name}: {error}\n")
        sys.exit(1)
