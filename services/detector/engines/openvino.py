"""OpenVINO: the fast way on CPUs; reads .onnx and its own IR, and no AGPL code at run time."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import openvino

from services.detector.engines.engine import (
    EngineFailed,
    EngineUnavailable,
    Parallelism,
    Thresholds,
)
from services.detector.engines.kept import Kept
from services.detector.engines.letterbox import Floats
from services.detector.engines.network import NetworkEngine, Run, input_of
from services.detector.model_file import ModelFile


def open_engine(
    file: ModelFile,
    thresholds: Thresholds,
    parallelism: Parallelism,
    precision: str,
    folder: Path,
) -> NetworkEngine:
    """The engine for an .onnx or .xml file; raises EngineUnavailable.

    ``precision`` auto takes bf16 where the CPU computes it, which OpenVINO would do unasked.
    ``folder`` is where compiled networks are kept for the next start.
    """
    load = _Loader(file, precision, folder)

    def throughput() -> Run:
        all_threads = parallelism.streams * parallelism.threads
        return _Requests(load("several", parallelism.streams, all_threads))

    single = load("one", 1, parallelism.cores)
    used = single.get_property("INFERENCE_PRECISION_HINT").to_string()
    return NetworkEngine(
        "openvino",
        file,
        input_of(file, _sides(single.inputs[0]), _sides(single.outputs[0])),
        thresholds,
        latency=_Requests(single),
        throughput=throughput if parallelism.differ else None,
        detail=f"OpenVINO {openvino.__version__.partition('-')[0]} on CPU, {used}",
    )


class _Loader:
    """Compiles a model, or takes what was compiled before."""

    def __init__(self, file: ModelFile, precision: str, folder: Path) -> None:
        self._file = file
        self._precision = precision
        self._folder = folder
        self._core = openvino.Core()

    def __call__(self, name: str, streams: int, threads: int) -> openvino.CompiledModel:
        """Raises EngineUnavailable."""
        options: dict[str, Any] = {"NUM_STREAMS": streams, "INFERENCE_NUM_THREADS": threads}
        if self._precision != "auto":
            options["INFERENCE_PRECISION_HINT"] = self._precision
        kept = Kept(self._folder / f"{name}.network", self._key(options))
        if made := kept.read():
            with suppress(RuntimeError):
                return self._core.import_model(made, "CPU", options)
        compiled = self._compile(options)
        kept.write(compiled.export_model().getbuffer())
        return compiled

    def _compile(self, options: Mapping[str, Any]) -> openvino.CompiledModel:
        path = self._file.path
        try:
            network = self._core.read_model(str(path))
        except RuntimeError as error:
            raise EngineUnavailable(f"OpenVINO can't load {path}: {error}") from error
        try:
            return self._core.compile_model(network, "CPU", options)
        except RuntimeError as error:
            raise EngineUnavailable(f"OpenVINO can't compile {path}: {error}") from error

    def _key(self, options: Mapping[str, Any]) -> str:
        processor = [
            self._core.get_property("CPU", name)
            for name in ("FULL_DEVICE_NAME", "OPTIMIZATION_CAPABILITIES")
        ]
        return repr((self._file.sha256, openvino.__version__, processor, options))


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
