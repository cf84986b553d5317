"""One process from its settings to its end: logs, signals, then the services until told to stop."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from shared import failpoint, log
from shared.descriptors import raise_limit
from shared.errors import ConfigError
from shared.journal import Journal
from shared.masking import Masker
from shared.runtime.follower import ConfigFollower
from shared.runtime.runtime import Runtime
from shared.service import Context, Service
from shared.settings import Settings
from shared.settings.directory import CameraDirectory
from shared.settings.doubts import doubts
from shared.settings.load import secrets_of


def serve(
    settings: Settings,
    build: Callable[[Context], Service | Sequence[Service]],
    file: Path,
    reload: Callable[[], Settings],
) -> int:
    """Run until SIGTERM or SIGINT; returns the exit status. Main thread only. After a change of
    ``file``, ``reload`` returns the new settings or raises ConfigError."""
    raise_limit()
    masker = _set_up_logs(settings)
    _set_up_sentry(settings, masker)

    def build_all(context: Context) -> Sequence[Service]:
        built = build(context)
        return [built] if isinstance(built, Service) else built

    _tell(settings)
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
    try:
        return runtime.run()
    except ConfigError:
        # A port may be taken because Snapbus runs already, and then that is what to say.
        Journal.unprepared(settings.journal_url).close()  # raises RunsAlready
        raise


def _set_up_logs(settings: Settings) -> Masker:
    told = settings.log
    return log.set_up(told.level, told.format, secrets_of(settings), syslog=told.syslog)


def _tell(settings: Settings) -> None:
    told = {"action": "configuration"}
    for override in settings.overrides:
        logging.getLogger(__name__).info(override, extra=told)
    for doubt in doubts(settings):
        logging.getLogger(__name__).warning(doubt, extra=told)


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


def _set_up_sentry(settings: Settings, masker: Masker) -> None:
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
        max_value_length=None,  # nothing is cut before it is masked
    )
