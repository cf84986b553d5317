"""OpenVINO: the fast way on CPUs; reads .onnx and its own IR, and no AGPL code at run time."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, cast

import openvino

from services.detector.engines.engine import (
    EngineFailed,
    EngineUnavailable,
    Parallelism,
    Thresholds,
)
from services.detector.engines.letterbox import Floats
from services.detector.engines.network import NetworkEngine, Run, input_of
from services.detector.model_file import ModelFile


def open_engine(
    file: ModelFile, thresholds: Thresholds, parallelism: Parallelism, precision: str
) -> NetworkEngine:
    """The engine for an .onnx or .xml file; raises EngineUnavailable.

    ``precision`` auto takes bf16 where the CPU computes it, which OpenVINO would do unasked.
    """
    core = openvino.Core()
    try:
        network = core.read_model(str(file.path))
    except RuntimeError as error:
        raise EngineUnavailable(f"OpenVINO can't load {file.path}: {error}") from error

    def load(streams: int, threads: int) -> openvino.CompiledModel:
        options: dict[str, Any] = {"NUM_STREAMS": streams, "INFERENCE_NUM_THREADS": threads}
        if precision != "auto":
            options["INFERENCE_PRECISION_HINT"] = precision
        try:
            return core.compile_model(network, "CPU", options)
        except RuntimeError as error:
            raise EngineUnavailable(f"OpenVINO can't compile {file.path}: {error}") from error

    def throughput() -> Run:
        return _Requests(load(parallelism.streams, parallelism.streams * parallelism.threads))

    single = load(1, parallelism.cores)
    used = single.get_property("INFERENCE_PRECISION_HINT").to_string()
    return NetworkEngine(
        "openvino",
        file,
        input_of(file, _sides(network.inputs[0]), _sides(network.outputs[0])),
        thresholds,
        latency=_Requests(single),
        throughput=throughput if parallelism.differ else None,
        detail=f"OpenVINO {openvino.__version__.partition('-')[0]} on CPU, {used}",
    )


def convert(source: Path, target: Path) -> None:
    """Write OpenVINO's own form of an .onnx file, at full precision."""
    openvino.save_model(openvino.Core().read_model(str(source)), str(target), False)


def _sides(port: Any) -> list[Any]:
    return [side.get_length() if side.is_static else None for side in port.get_partial_shape()]


class _Requests:
    """One inference request per thread: a request is not for two threads at a time."""

    def __init__(self, compiled: openvino.CompiledModel) -> None:
        self._compiled = compiled
        self._own = threading.local()

    def __call__(self, batch: Floats) -> Floats:
        request = getattr(self._own, "request", None)
        try:
            if request is None:
                request = self._own.request = self._compiled.create_infer_request()
            request.infer({0: batch}, share_inputs=True)
            return cast(Floats, request.get_output_tensor(0).data)
        except RuntimeError as error:
            raise EngineFailed(f"OpenVINO: {error}") from error
