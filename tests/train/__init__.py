"""Trains figures.onnx, the small model that finds the figures of the drawn scenes.

    python -m venv /tmp/train && . /tmp/train/bin/activate
    pip install torch==2.13.0 numpy pillow onnx onnxruntime
    python -m tests.train --out services/simulator/figures.onnx

PyTorch is needed for this only; it is in no requirements file of the services. The net, its loss
and its training are written here from scratch, so the model is under the project's own licence.
The pictures come from services.simulator.scenes with seeds that are fixed; the script ends by
saying what the model reached on scenes it has never seen. Half an hour on two CPU cores.

The model has the layout of an exported YOLOv8 detector, so the detector service runs it as it
runs any other. It knows drawn figures only: it is for the demo and the tests.
"""
