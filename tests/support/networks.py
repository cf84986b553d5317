"""A tiny network with YOLOv8's layout that needs no training: it sees red and blue squares.

It divides the picture into cells of 32 pixels. Where a cell is red and nothing else, it reports
"red" there, and "blue" likewise; so it tells channels, places and sizes apart.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CELL = 32
LABELS = ("red", "blue")


def colour_network(
    folder: Path,
    *,
    width: int = 320,
    height: int = 320,
    named: bool = True,
    rows: int = 6,
    labels: tuple[str, str] = LABELS,
) -> Path:
    """Write it to ``folder``/colours.onnx. ``rows`` other than 6 makes it something else."""
    across, down = width // CELL, height // CELL
    cells = across * down
    # A cell's score: its colour less the other two, averaged over the cell.
    weights = np.zeros((2, 3, CELL, CELL), dtype=np.float32)
    for label, channel in ((0, 0), (1, 2)):
        weights[label] = -1.0
        weights[label, channel] = 1.0
    weights /= CELL * CELL
    y, x = np.mgrid[0:down, 0:across].astype(np.float32)
    boxes = np.stack(
        (
            (x.ravel() + 0.5) * CELL,
            (y.ravel() + 0.5) * CELL,
            np.full(cells, CELL, np.float32),
            np.full(cells, CELL, np.float32),
        )
    )[None]
    constants: dict[str, np.ndarray] = {
        "weights": weights,
        "boxes": boxes.astype(np.float32),
        "shape": np.array([1, 2, cells], dtype=np.int64),
    }
    nodes = [
        helper.make_node("Conv", ["images", "weights"], ["scores"], strides=[CELL, CELL]),
        helper.make_node("Relu", ["scores"], ["positive"]),
        helper.make_node("Reshape", ["positive", "shape"], ["flat"]),
        helper.make_node("Concat", ["boxes", "flat"][: 2 if rows == 6 else 1], ["table"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, height, width])],
        [helper.make_tensor_value_info("table", TensorProto.FLOAT, [1, rows, cells])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if named:
        names = dict(enumerate(labels))
        helper.set_model_props(model, {"names": str(names), "stride": "32", "imgsz": "[320, 320]"})
    path = folder / "colours.onnx"
    onnx.save(model, path)
    return path


def squares(width: int = 320, height: int = 320, **colours: tuple[int, int]) -> np.ndarray:
    """A white picture with one square cell per colour, at (column, row) in cells."""
    pixels = np.full((height, width, 3), 255, dtype=np.uint8)
    for name, (column, row) in colours.items():
        bgr = {"red": (0, 0, 255), "blue": (255, 0, 0), "green": (0, 255, 0)}[name]
        pixels[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL] = bgr
    return pixels
