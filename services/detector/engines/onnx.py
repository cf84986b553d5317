"""ONNX Runtime: runs an exported .onnx on any CPU; small, and no AGPL code at run time."""

from __future__ import annotations

from typing import cast

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as native

from services.detector.engines.engine import EngineFailed, EngineUnavailable, Lanes, Thresholds
from services.detector.engines.letterbox import Floats
from services.detector.engines.network import NetworkEngine, Run, input_of
from services.detector.model_file import Card

# The library's errors share no class of their own; these are all it can raise.
_ERRORS = tuple(
    kind for kind in vars(native).values() if isinstance(kind, type) and issubclass(kind, Exception)
)


def open_engine(card: Card, limits: Thresholds, lanes: Lanes) -> NetworkEngine:
    """The engine for an .onnx file; raises EngineUnavailable."""
    alone = _session(card, lanes.cores)
    entries, results = alone.get_inputs(), alone.get_outputs()
    if len(entries) != 1 or entries[0].type != "tensor(float)":
        raise EngineUnavailable(f"{card.path} does not take one picture as 32-bit floats")
    target = input_of(card, entries[0].shape, results[0].shape)
    name = entries[0].name
    return NetworkEngine(
        "onnx",
        card,
        target,
        limits,
        alone=_run(alone, name),
        shared=(lambda: _run(_session(card, lanes.threads), name)) if lanes.differ else None,
        detail=f"ONNX Runtime {onnxruntime.__version__} on CPU",
    )


def _session(card: Card, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Idle threads that spin would take the cores from the other streams.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(
            str(card.path), options, providers=["CPUExecutionProvider"]
        )
    except _ERRORS as error:
        raise EngineUnavailable(f"onnxruntime can't load {card.path}: {error}") from error


def _run(session: onnxruntime.InferenceSession, entry: str) -> Run:
    def run(batch: Floats) -> Floats:
        try:
            return cast(Floats, session.run(None, {entry: batch})[0])
        except _ERRORS as error:
            raise EngineFailed(f"onnxruntime: {error}") from error

    return run
