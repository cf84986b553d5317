"""How every process begins: settings, logs, then the services until a signal says stop."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from shared import failpoint, log
from shared.errors import ConfigError, SnapbusError
from shared.runtime.follower import ConfigFollower
from shared.runtime.runtime import Runtime
from shared.service import Context, Service
from shared.settings import Settings, load
from shared.settings.directory import CameraDirectory
from shared.settings.doubts import doubts, summary
from shared.settings.load import chosen, secrets_of


def main(
    name: str,
    build: Callable[[Context], Service | Sequence[Service]],
    arguments: Sequence[str] | None = None,
    *,
    check: Callable[[Settings], None] = lambda settings: None,
) -> None:
    """Run the services that ``build`` makes; ends the process. 2: the configuration is wrong.
    ``check`` is for ``--check``: it raises ConfigError for what ``build`` would refuse."""
    parser = argparse.ArgumentParser(prog=f"services.{name}", description=build.__doc__)
    parser.add_argument("--config", type=Path, help="the YAML file (default: config/snapbus.yml)")
    parser.add_argument("--check", action="store_true", help="only check the configuration")
    options = parser.parse_args(arguments)
    try:
        file = chosen(options.config)

        def checked() -> Settings:
            settings = load(file)
            check(settings)
            return settings

        if options.check:
            _tell(file, checked())
            sys.exit(0)
        sys.exit(serve(load(file), build, file, checked))
    except ConfigError as error:
        sys.stderr.write(f"{name}: the configuration can't be used:\n{error}\n")
        sys.exit(2)
    except SnapbusError as error:
        sys.stderr.write(f"{name}: {error}\n")
        sys.exit(1)


def _tell(file: Path, settings: Settings) -> None:
    for text in (*settings.overrides, *doubts(settings)):
        sys.stderr.write(f"{file}: {text}\n")
    sys.stdout.write(f"{file} is fine: {summary(settings)}\n")


def serve(
    settings: Settings,
    build: Callable[[Context], Service | Sequence[Service]],
    file: Path,
    reload: Callable[[], Settings],
) -> int:
    """Run until SIGTERM or SIGINT; returns the exit status. Main thread only. ``file`` is followed:
    when it changes, ``reload`` gives the settings or raises ConfigError."""
    masker = log.set_up(settings.log.level, settings.log.format, secrets_of(settings))
    _set_up_sentry(settings, masker)

    def build_all(context: Context) -> Sequence[Service]:
        built = build(context)
        return [built] if isinstance(built, Service) else built

    told = {"action": "configuration"}
    for override in settings.overrides:
        logging.getLogger(__name__).info(override, extra=told)
    for doubt in doubts(settings):
        logging.getLogger(__name__).warning(doubt, extra=told)
    failpoint.arm(os.environ.get("FAILPOINT", ""))

    def follow(cameras: CameraDirectory) -> ConfigFollower:
        def accept(changed: Settings) -> None:
            masker.learn(secrets_of(changed))

        return ConfigFollower(file, settings, cameras, reload, accept)

    runtime = Runtime(settings, build_all, follow)

    def stop(number: int, _frame: object) -> None:
        logging.getLogger(__name__).info("stopping on %s", signal.Signals(number).name)
        runtime.stop()

    _log_the_uncaught()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return runtime.run()


def _log_the_uncaught() -> None:
    # Python writes these to the terminal as they are, with whatever secrets their texts hold.
    log_crash = logging.getLogger(__name__).critical
    told = {"action": "crashed"}

    def in_main(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        log_crash("the process fails", exc_info=(kind, error, trace), extra=told)

    def in_thread(failed: threading.ExceptHookArgs) -> None:
        name = failed.thread.name if failed.thread else "?"
        error = failed.exc_value or failed.exc_type()
        trace = (failed.exc_type, error, failed.exc_traceback)
        log_crash("thread %s fails", name, exc_info=trace, extra=told)

    sys.excepthook = in_main
    threading.excepthook = in_thread


def _set_up_sentry(settings: Settings, masker: log.Masker) -> None:
    dsn = settings.log.sentry_dsn.get_secret_value()
    if not dsn:
        return
    import sentry_sdk

    sentry_sdk.init(
        dsn=dsn,
        send_default_pii=False,
        include_local_variables=False,
        # The events of Sentry are made from records and errors that no handler of ours has masked.
        before_send=lambda event, _hint: masker.masked(event),
    )
