"""The model file: a trained net in the layout of an exported YOLOv8 detector."""

from __future__ import annotations

from pathlib import Path

import onnx
import torch

from services.simulator.scenes import LABELS

from .measure import SIDE
from .net import STRIDES, FigureNet

DESCRIPTION = (
    "Snapbus demo model: finds the figures of the drawn scenes of its simulated cameras. Trained "
    "on drawn scenes only; for the demo and for tests, of no use on photographs. MIT licence."
)


def export(net: FigureNet, out: Path) -> None:
    """Writes the model file in the layout of an exported YOLOv8."""
    net.eval()
    torch.onnx.export(
        net,
        (torch.zeros(1, 3, SIDE, SIDE),),
        str(out),
        input_names=["images"],
        output_names=["output0"],
        opset_version=17,
        dynamo=False,
    )
    model = onnx.load(str(out))
    names = "{" + ", ".join(f"{i}: '{label}'" for i, label in enumerate(LABELS)) + "}"
    properties = {
        "names": names,
        "stride": str(max(STRIDES)),
        "task": "detect",
        "imgsz": str([SIDE, SIDE]),
        "batch": "1",
        "author": "Snapbus",
        "license": "MIT",
        "description": DESCRIPTION,
    }
    onnx.helper.set_model_props(model, properties)
    model.producer_name, model.doc_string = "snapbus", DESCRIPTION
    onnx.checker.check_model(model)
    onnx.save(model, str(out))
