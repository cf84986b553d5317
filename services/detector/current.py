"""The engine in use, and how another model takes its place while the detector runs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.detector.analyst import Analyst
from services.detector.engines.choose import Choice, candidates, choose, open_engine
from services.detector.engines.engine import Engine, EngineUnavailable
from services.detector.model_file import read_model_file, record_path
from shared.settings.detector import DetectorSection
from shared.stop import Stop

log = logging.getLogger(__name__)

LOOK_S = 3.0
"""How often the models are looked at. One that is the same at two looks is whole."""
COMMAND = "./taskw model"
Look = frozenset[tuple[str, int, int]]


class Current:
    """A source: looks at the model files, and hands the analyst a model that is new and runs. A
    model that does not run takes no place: the one in use stays, and what is wrong is told."""

    name = "models"

    def __init__(self, settings: DetectorSection, data: Path, look_s: float = LOOK_S) -> None:
        self._settings = settings
        self._data = data
        self._look_s = look_s
        self._used = self._look()
        self._analyst: Analyst | None = None
        self._trouble = ""
        self.engine: Engine | None = None
        self.why = ""
        try:
            self._open(choose(settings))
        except EngineUnavailable as error:
            self.why = str(error)
            log.warning("pictures are not analysed: %s", error, extra={"action": "no_engine"})

    @property
    def _is_wanted(self) -> bool:
        return self._settings.enabled and self._settings.engine != "none"

    def feed(self, analyst: Analyst) -> None:
        """Whom to hand each further engine."""
        self._analyst = analyst

    def run(self, stop: Stop) -> None:
        """Look until stopped."""
        seen = self._used
        while self._is_wanted and not stop.wait(self._look_s):
            now = self._look()
            if now == seen != self._used:
                self._used = now
                self._take()
            seen = now
        stop.wait()

    def _look(self) -> Look:
        found = set()
        for model in candidates(self._settings):
            for path in (model, record_path(model), model.with_suffix(".bin")):
                try:
                    stat = path.stat()
                except OSError:
                    continue
                found.add((str(path), stat.st_size, stat.st_mtime_ns))
        return frozenset(found)

    def _take(self) -> None:
        try:
            choice = choose(self._settings)
            same = self.engine and (self.engine.name, self.engine.model_sha256)
            if same != (choice.engine, read_model_file(choice.model).sha256):
                self._open(choice)
        except EngineUnavailable as error:
            self._trouble = str(error)
            if self.engine is None:
                self.why = self._trouble
            log.warning("a new model is not taken: %s", error, extra={"action": "model_not_taken"})
        else:
            self._trouble = ""

    def _open(self, choice: Choice) -> None:
        log.info(
            "loading %s with %s", choice.model.name, choice.engine, extra={"action": "loading"}
        )
        engine = open_engine(choice, self._settings, self._data)
        self.engine, self.why = engine, choice.why
        if self._analyst:
            self._analyst.use(engine)
        log.info(
            "detecting with %s, %s: %s",
            engine.model,
            engine.detail,
            choice.why,
            extra={"action": "engine", "engine": engine.name, "model_sha256": engine.model_sha256},
        )

    def about(self) -> dict[str, Any]:
        """What detects, or why nothing does and what to run."""
        engine = self.engine
        if engine is None:
            # Switched off is as somebody wanted it; a missing model is not.
            wanted, why = not self._is_wanted, self.why
            said = {
                "ok": wanted,
                "summary": f"not analysing: {why}",
                "engine": "none",
                "reason": why,
            }
            return said if wanted else {**said, "offer": COMMAND}
        return {
            "ok": not self._trouble,
            "summary": f"{engine.model} on {engine.detail}{self._left_out()}",
            "engine": engine.name,
            "model": engine.model,
            "model_sha256": engine.model_sha256,
            "labels": len(engine.labels),
            "detail": engine.detail,
            "reason": self.why,
        }

    def _left_out(self) -> str:
        return f"; the new model is not taken: {self._trouble}" if self._trouble else ""


def told(current: Current, analyst: Analyst, streams: int) -> Mapping[str, Any]:
    """The state of the service."""
    return {**current.about(), **analyst.counts(), "streams": streams}
