"""Analyses one picture in a child process with limits, because it may have ended this process.

The parent writes paths, settings and the event as JSON to the child's standard input and reads the
events from its standard output; the child is ``python -m services.detector.isolated``. No secret
passes between them.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from services.detector.analyst import Analyst
from services.detector.engines.choose import choose, open_engine
from services.detector.engines.engine import EngineUnavailable
from shared import envelope
from shared.errors import Crashed, Reject, Retry, StoreError
from shared.events import Event
from shared.picture.decode import Limits
from shared.settings.detector import DetectorSection
from shared.store import Store

SECONDS = 60
MEMORY_BYTES = 4 * 2**30
"""Address space, of which a network maps much more than it uses."""
_ERRORS = {"Retry": Retry, "Reject": Reject}


class IsolatedAnalyst:
    """A handler of ``snapshot.taken`` that survives a picture which ends its decoder."""

    def __init__(
        self,
        root: Path,
        data: Path,
        settings: DetectorSection,
        *,
        bring: Callable[[str], object] = lambda sha256: None,
        memory_bytes: int = MEMORY_BYTES,
        seconds: int = SECONDS,
    ) -> None:
        """``bring`` sees to it that a picture is in the folder ``root``. ``seconds`` limits
        processor time; the clock may take twice as long."""
        self._bring = bring
        self._longest_s = 2 * seconds
        self._job = {
            "root": str(root),
            "data": str(data),
            "settings": settings.model_dump(mode="json"),
            "memory_bytes": memory_bytes,
            "seconds": seconds,
        }

    def __call__(self, event: Event) -> Sequence[Event]:
        """A repeat is harmless: the events returned have ids fixed by this one's. Raises Crashed
        when the child ended without an answer."""
        self._bring(str(event.data["sha256"]))
        job = {**self._job, "event": envelope.to_dict(event)}
        command = [sys.executable, "-m", "services.detector.isolated"]
        try:
            done = subprocess.run(  # noqa: S603  our own module
                command,
                input=json.dumps(job).encode(),
                capture_output=True,
                timeout=self._longest_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Crashed(f"looking at it took longer than {self._longest_s} s") from error
        if done.returncode:
            raise Crashed(f"looking at it ended a process of its own: {_ending(done)}")
        answer = json.loads(done.stdout)
        if "error" in answer:
            raise _ERRORS[answer["error"]](answer["text"])
        return [envelope.from_dict(raw) for raw in answer["events"]]


def _ending(done: subprocess.CompletedProcess[bytes]) -> str:
    if done.returncode < 0:
        return signal.Signals(-done.returncode).name
    words = done.stderr.decode(errors="replace").strip().splitlines()
    return words[-1][:200] if words else f"status {done.returncode}"


def answer(job: dict[str, Any]) -> dict[str, Any]:
    """The child's answer: events, or the error to raise."""
    settings = DetectorSection.model_validate(job["settings"])
    engine, why = None, ""
    try:
        engine = open_engine(choose(settings), settings, Path(job["data"]))
    except EngineUnavailable as error:
        why = str(error)
    limits = Limits(settings.max_pixels, settings.strict, settings.decode_seconds)
    fast = settings.decode == "fast"
    analyst = Analyst(
        Store(Path(job["root"])),
        engine,
        reason=why,
        limits=limits,
        fast=fast,
        person_confidence=settings.person_confidence,
    )
    try:
        events = analyst(envelope.from_dict(job["event"]))
    except (Retry, Reject) as error:
        return {"error": type(error).__name__, "text": str(error)}
    except StoreError as error:
        return {"error": "Retry", "text": str(error)}
    return {"events": [envelope.to_dict(event) for event in events]}


def main() -> None:
    """The child: sets its limits, then analyses the picture."""
    logging.disable(logging.CRITICAL)  # the parent logs the outcome
    job = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_AS, (job["memory_bytes"],) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (job["seconds"],) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Libraries print to standard output as they please; the answer goes where it was.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    json.dump(answer(job), out)
    out.close()


if __name__ == "__main__":
    main()
