"""Makes the f32 network of the test data out of its int8 file, so that parity needs no torch.

The weights ``yolov8n.pt`` of the test data were made from ``yolov8n_int8.onnx`` by turning its
integers back into numbers. This does the same inside the ONNX graph: each quantised convolution

    DynamicQuantizeLinear → ConvInteger → Cast → Mul(scales) → Add(bias)

becomes a plain convolution with the weights (integer - zero point) × scale, and is given the
unquantised picture of what it got before.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper


def full_model(quantised: Path) -> bytes:
    """The bytes of the same network with 32-bit floats. Its metadata is kept."""
    model = onnx.load(quantised)
    graph = model.graph
    constants = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    sources = {n.output[0]: n.input[0] for n in graph.node if n.op_type == "DynamicQuantizeLinear"}
    users: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)

    made: list[onnx.NodeProto] = []
    scale_of_weights = _weight_scales(graph, constants)
    for node in graph.node:
        if node.op_type == "DynamicQuantizeLinear":
            continue
        if node.op_type != "ConvInteger":
            made.append(node)
            continue
        cast = users[node.output[0]][0]
        scaled = users[cast.output[0]][0]
        weights = constants[node.input[1]].astype(np.float32)
        weights = (weights - constants[node.input[3]].astype(np.float32)) * scale_of_weights[
            next(name for name in scaled.input if name != cast.output[0])
        ].reshape(-1, *(1,) * 3)
        name = node.input[1] + "_full"
        graph.initializer.append(numpy_helper.from_array(weights.astype(np.float32), name))
        full = helper.make_node(
            "Conv", [sources[node.input[0]], name], [scaled.output[0]], name=node.name + "_full"
        )
        full.attribute.extend(node.attribute)
        made.append(full)
    _replace(graph, _needed(made, [output.name for output in graph.output]))
    return model.SerializeToString()


def _weight_scales(graph: onnx.GraphProto, constants: dict[str, np.ndarray]) -> dict:
    """For each product of the two scales (picture's × weights'), the weights' scale."""
    found = {}
    for node in graph.node:
        if node.op_type == "Mul":
            for name in node.input:
                if name in constants and name.endswith("_scale"):
                    found[node.output[0]] = constants[name]
    return found


def _needed(nodes: list[onnx.NodeProto], outputs: list[str]) -> list[onnx.NodeProto]:
    """Only nodes that lead to the outputs, each made by the first that says it makes it."""
    makers: dict[str, onnx.NodeProto] = {}
    for node in nodes:
        for name in node.output:
            if name not in makers or node.op_type == "Conv":
                makers[name] = node
    wanted, waiting = set(), list(outputs)
    while waiting:
        maker = makers.get(waiting.pop())
        if maker is not None and id(maker) not in wanted:
            wanted.add(id(maker))
            waiting.extend(maker.input)
    return [node for node in nodes if id(node) in wanted]


def _replace(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
    used = {name for node in nodes for name in node.input}
    kept = [item for item in graph.initializer if item.name in used]
    del graph.node[:]
    graph.node.extend(_ordered(nodes, {item.name for item in kept} | {graph.input[0].name}))
    del graph.initializer[:]
    graph.initializer.extend(kept)
    del graph.value_info[:]


def _ordered(nodes: list[onnx.NodeProto], known: set[str]) -> list[onnx.NodeProto]:
    """Every node after those it reads from, as ONNX demands."""
    ordered: list[onnx.NodeProto] = []
    waiting = list(nodes)
    while waiting:
        later = []
        for node in waiting:
            if all(not name or name in known for name in node.input):
                ordered.append(node)
                known.update(node.output)
            else:
                later.append(node)
        assert len(later) < len(waiting), "the graph has a circle"
        waiting = later
    return ordered
