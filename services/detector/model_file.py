"""A model file and its metadata: hash, labels, input size; from the file or the record beside it.

`task model` writes a record, ``<file name>.json``, beside each model it makes. A record pins the
hash: a model that changed since is refused. An ONNX file without a record is described by the
metadata that YOLOv8's export writes into it. That is read here without a library, so that no engine
needs another's to know its labels.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.detector.engines.engine import EngineUnavailable

_LONGEST_LABEL = 64


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model file. ``size`` is the longer side of a flexible input; ``recorded``: pinned."""

    path: Path
    sha256: str
    labels: tuple[str, ...] = ()
    size: int = 640
    stride: int = 32
    recorded: bool = False

    @property
    def name(self) -> str:
        return self.path.name


def record_path(model: Path) -> Path:
    """Where the record of a model lies."""
    return model.with_name(model.name + ".json")


def hash_of(model: Path) -> str:
    """SHA-256 of the file; of an OpenVINO IR, of its .xml followed by its .bin."""
    digest = hashlib.sha256()
    parts = [model, model.with_suffix(".bin")] if model.suffix == ".xml" else [model]
    for part in parts:
        with part.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()


def read_model_file(model: Path, *, pinned: bool = True) -> ModelFile:
    """A model file with its metadata; raises EngineUnavailable if it is missing or not as recorded.

    ``pinned`` False ignores a record with another hash.
    """
    try:
        sha256 = hash_of(model)
    except OSError as error:
        raise EngineUnavailable(
            f"the model {model} can't be read ({error.strerror}); check the path, "
            "or run `task model`"
        ) from error
    record = _record(model)
    if record and record.get("sha256") != sha256 and not pinned:
        record = None
    if record and record.get("sha256") != sha256:
        raise EngineUnavailable(
            f"the model {model} is not the file that `task model` recorded: its SHA-256 is"
            f" {sha256}, recorded is {record.get('sha256')}; run `task model` again"
        )
    metadata: Mapping[str, Any] = record or {}
    if not metadata.get("labels") and model.suffix == ".onnx":
        metadata = _from_metadata(_onnx_metadata(model))
    return ModelFile(
        path=model,
        sha256=sha256,
        labels=tuple(str(label)[:_LONGEST_LABEL] for label in metadata.get("labels", ())),
        size=int(metadata.get("size", 640)),
        stride=int(metadata.get("stride", 32)),
        recorded=bool(record),
    )


def write_record(file: ModelFile, **more: Any) -> Path:
    """Write the record of a model beside it; ``more`` says where it is from."""
    path = record_path(file.path)
    record = {
        "sha256": file.sha256,
        "labels": list(file.labels),
        "size": file.size,
        "stride": file.stride,
    }
    path.write_text(json.dumps(record | more, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return path


def _record(model: Path) -> dict[str, Any] | None:
    try:
        record = json.loads(record_path(model).read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise EngineUnavailable(f"{record_path(model)} can't be read: {error}") from error
    if not isinstance(record, dict):
        raise EngineUnavailable(f"{record_path(model)} is not the record of a model")
    return record


def _from_metadata(metadata: Mapping[str, str]) -> dict[str, Any]:
    """YOLOv8 writes Python literals: names {0: 'person', …}, imgsz [640, 640], stride 32."""

    def literal(key: str) -> Any:
        try:
            return ast.literal_eval(metadata[key])
        except (KeyError, ValueError, SyntaxError, MemoryError, RecursionError):
            return None

    found: dict[str, Any] = {}
    names, size, stride = literal("names"), literal("imgsz"), literal("stride")
    if isinstance(names, dict):
        found["labels"] = [str(names[key]) for key in sorted(names)]
    elif isinstance(names, list):
        found["labels"] = [str(name) for name in names]
    if isinstance(size, list) and size and all(isinstance(side, int) for side in size):
        found["size"] = max(size)
    if isinstance(stride, int) and stride > 0:
        found["stride"] = stride
    return found


def _onnx_metadata(model: Path) -> dict[str, str]:
    """ModelProto.metadata_props (field 14) of an ONNX file, from protobuf's wire format."""
    data = memoryview(model.read_bytes())
    found: dict[str, str] = {}
    try:
        for number, value in _fields(data):
            if number == 14:
                pair = {key: bytes(text).decode("utf-8", "replace") for key, text in _fields(value)}
                found[pair.get(1, "")] = pair.get(2, "")
    except IndexError as error:
        raise EngineUnavailable(f"the model {model} is not an ONNX file, or cut off") from error
    return found


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The length-delimited fields of a protobuf message; IndexError if it is damaged."""
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        kind = key & 7
        if kind == 2:
            length, position = _varint(data, position)
            if position + length > len(data):
                raise IndexError("cut off")
            yield key >> 3, data[position : position + length]
            position += length
        elif kind == 0:
            _, position = _varint(data, position)
        elif kind in (1, 5):
            position += 8 if kind == 1 else 4
        else:
            raise IndexError("not protobuf")


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, position
        shift += 7
        if shift > 63:
            raise IndexError("not protobuf")
