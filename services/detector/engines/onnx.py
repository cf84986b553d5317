"""ONNX Runtime: runs an exported .onnx on any CPU; small, and no AGPL code at run time."""

from __future__ import annotations

from typing import cast

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as native

from services.detector.engines.engine import (
    EngineFailed,
    EngineUnavailable,
    Parallelism,
    Thresholds,
)
from services.detector.engines.letterbox import Floats
from services.detector.engines.network import NetworkEngine, Run, input_of
from services.detector.model_file import ModelFile

# The library's errors share no class of their own; these are all it can raise.
_ERRORS = tuple(
    kind for kind in vars(native).values() if isinstance(kind, type) and issubclass(kind, Exception)
)


def open_engine(file: ModelFile, thresholds: Thresholds, parallelism: Parallelism) -> NetworkEngine:
    """The engine for an .onnx file; raises EngineUnavailable."""
    session = _session(file, parallelism.cores)
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or inputs[0].type != "tensor(float)":
        raise EngineUnavailable(f"{file.path} does not take one picture as 32-bit floats")
    target = input_of(file, inputs[0].shape, outputs[0].shape)
    name = inputs[0].name

    def throughput() -> Run:
        return _run(_session(file, parallelism.threads), name)

    return NetworkEngine(
        "onnx",
        file,
        target,
        thresholds,
        latency=_run(session, name),
        throughput=throughput if parallelism.differ else None,
        detail=f"ONNX Runtime {onnxruntime.__version__} on CPU",
    )


def _session(file: ModelFile, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Idle threads that spin would take the cores from the other streams.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(
            str(file.path), options, providers=["CPUExecutionProvider"]
        )
    except _ERRORS as error:
        raise EngineUnavailable(f"onnxruntime can't load {file.path}: {error}") from error


def _run(session: onnxruntime.InferenceSession, input_name: str) -> Run:
    def run(batch: Floats) -> Floats:
        try:
            return cast(Floats, session.run(None, {input_name: batch})[0])
        except _ERRORS as error:
            raise EngineFailed(f"onnxruntime: {error}") from error

    return run
