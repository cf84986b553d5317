"""`task model`: gets the YOLOv8n weights, or takes a model of yours, and makes it ready to run.

    task model                                  downloads yolov8n.pt and exports it
    task model MODEL=path/to/yolov8n.pt         takes this file instead
    task model MODEL=path/to/model.onnx         an export, ready to run; needs neither torch nor
                                                ultralytics
    task model MODEL=… CONSENT=yes              weights whose hash is unknown: you vouch for them

The weights of YOLOv8 are under AGPL-3.0; that is why they are not part of Snapbus.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import urllib.request
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

from services.detector.engines.choose import Choice, open_engine
from services.detector.engines.engine import EngineUnavailable
from services.detector.hush import hush
from services.detector.model_file import ModelFile, hash_of, read_model_file, write_record
from services.detector.trusted import YOLOV8N_SHA256, YOLOV8N_URL
from shared import settings
from shared.errors import ConfigError
from shared.settings.detector import DetectorSection

_TIMEOUT_S = 30
_MOST_BYTES = 100_000_000


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="task model", description=__doc__.splitlines()[0])
    environment = os.environ
    parser.add_argument("--model", default=environment.get("MODEL", ""), help="a .pt or .onnx file")
    parser.add_argument("--folder", type=Path, help="where models are kept (detector.models)")
    parser.add_argument(
        "--consent",
        action="store_true",
        default=environment.get("CONSENT", "").lower() in ("yes", "true", "1"),
        help="take weights whose hash is unknown",
    )
    chosen = parser.parse_args(arguments)
    try:
        folder = chosen.folder or settings.load().detector.models
        made = prepare(folder, Path(chosen.model) if chosen.model else None, chosen.consent)
    except (EngineUnavailable, ConfigError) as error:
        _say(f"task model: {error}", sys.stderr)
        return 1
    for file in made:
        labels = f"  {len(file.labels)} labels" if file.labels else ""
        _say(f"{file.path.absolute()}  sha256 {file.sha256}{labels}")
    return 0


def prepare(folder: Path, source: Path | None = None, consent: bool = False) -> list[ModelFile]:
    """Put the model into ``folder`` in each form that can be made here, with its record.

    Raises EngineUnavailable, saying what to do. Repeating it makes the same files again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = source or _obtain(folder)
    if source.suffix not in (".pt", ".onnx"):
        raise EngineUnavailable(f"{source}: a model ends in .pt or .onnx")
    given = read_model_file(source, pinned=False)
    if source.suffix == ".onnx":
        made = [_record(_copy(_tried(given), folder), origin="given")]
    else:
        origin = _origin(given, consent)
        made = [_record(_copy(given, folder), origin=origin)]
        made.append(_export(made[0], folder))
    if find_spec("openvino"):
        made.append(_convert(made[-1]))
    return made


def _copy(file: ModelFile, folder: Path) -> Path:
    """The file in the folder, copied there unless it is there."""
    target = folder / file.path.name
    if not (target.exists() and target.samefile(file.path)):
        part = target.with_name(target.name + ".part")
        shutil.copyfile(file.path, part)
        part.replace(target)
    return target


def _obtain(folder: Path) -> Path:
    """YOLOv8n as published, from the folder or the network, its hash checked."""
    target = folder / "yolov8n.pt"
    if target.exists():
        return target
    _say(f"getting {YOLOV8N_URL}")
    part = target.with_name(target.name + ".part")
    try:
        with (
            urllib.request.urlopen(YOLOV8N_URL, timeout=_TIMEOUT_S) as answer,  # noqa: S310
            part.open("wb") as f,
        ):
            while (chunk := answer.read(1 << 16)) and f.tell() <= _MOST_BYTES:
                f.write(chunk)
                _progress(f.tell(), int(answer.headers.get("Content-Length") or 0))
    except OSError as error:
        part.unlink(missing_ok=True)
        raise EngineUnavailable(
            f"the weights can't be downloaded ({error}); get {YOLOV8N_URL} on another machine,"
            " then run: task model MODEL=path/to/yolov8n.pt"
        ) from error
    if (sha256 := hash_of(part)) not in YOLOV8N_SHA256:
        part.unlink()
        raise EngineUnavailable(f"what came from {YOLOV8N_URL} is not YOLOv8n: SHA-256 {sha256}")
    part.replace(target)
    return target


def _origin(weights: ModelFile, consent: bool) -> str:
    """Where weights are from; raises EngineUnavailable for those nobody answers for."""
    if weights.sha256 in YOLOV8N_SHA256:
        return "published"
    if weights.recorded:
        return "agreed to before"
    if consent:
        return "agreed to"
    raise EngineUnavailable(
        f"the weights {weights.path} are unknown (SHA-256 {weights.sha256}); if you trust where"
        f" they come from, run: task model MODEL={weights.path} CONSENT=yes"
    )


def _export(weights: ModelFile, folder: Path) -> ModelFile:
    from services.detector.engines import ultralytics

    _say(f"exporting {weights.path} to ONNX")
    try:
        exported = ultralytics.export_onnx(weights.path, folder / ".ultralytics")
    except EngineUnavailable as error:
        raise EngineUnavailable(
            f"{weights.path} is there, but can't be exported: {error}. Or export it elsewhere"
            " (yolo export model=yolov8n.pt format=onnx dynamic=True) and run:"
            " task model MODEL=path/to/yolov8n.onnx"
        ) from error
    _tried(read_model_file(exported, pinned=False))
    return _record(exported, origin="exported", source_sha256=weights.sha256)


def _convert(model: ModelFile) -> ModelFile:
    hush()
    from services.detector.engines import openvino

    target = model.path.with_suffix(".xml")
    openvino.convert(model.path, target)
    bare = read_model_file(target, pinned=False)
    file = replace(bare, labels=model.labels, size=model.size, stride=model.stride)
    write_record(file, origin="converted", source_sha256=model.sha256, recorded_at=_today())
    return _tried(file)


def _record(model: Path, **origin: str) -> ModelFile:
    file = read_model_file(model, pinned=False)
    write_record(file, **origin, recorded_at=_today())
    return file


def _tried(file: ModelFile) -> ModelFile:
    """The same file, of a model that has run here once; raises EngineUnavailable."""
    engines = ("openvino",) if file.path.suffix == ".xml" else ("onnx", "openvino")
    libraries = {"onnx": "onnxruntime", "openvino": "openvino"}
    engine = next((name for name in engines if find_spec(libraries[name])), None)
    if engine:
        with TemporaryDirectory() as folder:
            open_engine(Choice(engine, file.path, ""), DetectorSection(streams=1), Path(folder))
    return file


def _progress(done: int, whole: int) -> None:
    """A bar on a terminal; elsewhere nothing, for a log would hold each of its states."""
    if not sys.stderr.isatty():
        return
    size = f"{done / 1e6:.1f} MB"
    if whole:
        filled = min(30, 30 * done // whole)
        size = f"[{'#' * filled}{'.' * (30 - filled)}] {size} of {whole / 1e6:.1f} MB"
    sys.stderr.write(f"\r{size}" + ("\n" if done >= whole > 0 else ""))
    sys.stderr.flush()


def _today() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _say(text: str, stream: TextIO | None = None) -> None:
    print(text, file=stream or sys.stdout, flush=True)


if __name__ == "__main__":
    sys.exit(main())
