"""Write the shipped model: three ONNX graphs (int8 where it pays), the tokenizer and meta.json.

    python scripts/extractor/export.py runs/small kgbuild/extraction/weights
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
from evaluate import LABELS, load_network, tokenizer_of  # noqa: E402
from network import Network  # noqa: E402

from kgbuild.extraction.features import MAX_WIDTH, PAIR_FEATURES  # noqa: E402

SPARED = ("/up/",)  # layers whose inputs int8 serves worst: with them in int8 as well, what the paper proposes loses two points of F1


class Int8Embedding(nn.Module):
    """An embedding in int8 with a scale for each row: one scale for the whole table, as the quantiser gives, costs half a point of F1."""

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        scale = table.abs().amax(1, keepdim=True).clamp(min=1e-8) / 127
        self.register_buffer("table", torch.round(table / scale).to(torch.int8))
        self.register_buffer("scale", scale)

    def forward(self, index: Tensor) -> Tensor:
        return self.table[index].float() * self.scale[index]


class EncoderGraph(nn.Module):
    def __init__(self, network: Network, quantise: bool) -> None:
        super().__init__()
        self.network = network
        if quantise:
            network.encoder.word = Int8Embedding(network.encoder.word.weight.detach())  # type: ignore[assignment]

    def forward(self, pieces: Tensor, shapes: Tensor, word_piece: Tensor) -> tuple[Tensor, Tensor]:
        words = self.network.words(pieces, shapes, torch.ones_like(pieces), word_piece)
        return words, torch.softmax(self.network.spans.logits(self.network.spans(words)), -1)


class NodesGraph(nn.Module):
    def __init__(self, network: Network) -> None:
        super().__init__()
        self.spans, self.nodes = network.spans, network.nodes

    def forward(self, words: Tensor, first: Tensor, width: Tensor, types: Tensor, pool: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        mask, word_mask = torch.ones_like(first), torch.ones_like(words[..., 0])
        nodes = self.nodes(self.spans.hidden(words, first, width), types, mask, words, word_mask)
        return nodes, torch.sigmoid(self.nodes.strings(nodes, pool, features))


class PairsGraph(nn.Module):
    def __init__(self, network: Network) -> None:
        super().__init__()
        self.pairs = network.pairs

    def forward(
        self, words: Tensor, nodes: Tensor, pool: Tensor, members: Tensor, types: Tensor, counts: Tensor, distance: Tensor, between: Tensor
    ) -> tuple[Tensor, Tensor]:
        mask, word_mask = torch.ones_like(types) > 0, torch.ones_like(words[..., 0])
        return self.pairs(nodes, pool, members, types, counts, mask, words, word_mask, distance, between)


def graphs(network: Network, quantise: bool) -> dict[str, tuple[nn.Module, dict[str, Tensor], list[str], dict[str, dict[int, str]]]]:
    """Graph name -> module, example inputs, output names, dynamic axes."""
    hidden, node = network.encoder.size.hidden, network.encoder.size.node
    pieces, words, n, s, e = 40, 30, 9, 7, 6
    integers = torch.int64
    return {
        "encoder": (
            EncoderGraph(network, quantise),
            {"pieces": torch.ones(1, pieces, dtype=integers), "shapes": torch.ones(1, pieces, dtype=integers), "word_piece": torch.arange(words)[None]},
            ["words", "spans"],
            {"pieces": {1: "pieces"}, "shapes": {1: "pieces"}, "word_piece": {1: "words"}},
        ),
        "nodes": (
            NodesGraph(network),
            {
                "words": torch.randn(1, words, hidden), "first": torch.arange(n)[None], "width": torch.ones(1, n, dtype=integers),
                "types": torch.ones(1, n, dtype=integers), "pool": torch.rand(1, s, n), "features": torch.rand(1, s, s, PAIR_FEATURES),
            },
            ["nodes", "same"],
            {"words": {1: "words"}, "first": {1: "nodes"}, "width": {1: "nodes"}, "types": {1: "nodes"}, "pool": {1: "strings", 2: "nodes"},
             "features": {1: "strings", 2: "strings"}},
        ),
        "pairs": (
            PairsGraph(network),
            {
                "words": torch.randn(1, words, hidden), "nodes": torch.randn(1, n, node), "pool": torch.rand(1, e, n),
                "members": torch.ones(1, e, n), "types": torch.ones(1, e, dtype=integers), "counts": torch.ones(1, e, dtype=integers),
                "distance": torch.ones(1, e, e, dtype=integers), "between": torch.ones(1, e, e, 2, dtype=integers),
            },
            ["pair", "unary"],
            {"words": {1: "words"}, "nodes": {1: "nodes"}, "pool": {1: "entities", 2: "nodes"}, "members": {1: "entities", 2: "nodes"},
             "types": {1: "entities"}, "counts": {1: "entities"}, "distance": {1: "entities", 2: "entities"},
             "between": {1: "entities", 2: "entities"}},
        ),
    }  # fmt: skip


def export(network: Network, folder: Path, quantise: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, (module, inputs, outputs, axes) in graphs(network, quantise).items():
        with tempfile.TemporaryDirectory() as scratch:
            plain = Path(scratch) / f"{name}.onnx"
            torch.onnx.export(
                module.eval(), tuple(inputs.values()), plain, input_names=list(inputs), output_names=outputs, dynamic_axes=axes,
                opset_version=17, dynamo=False,
            )  # fmt: skip
            if not quantise:
                shutil.copy(plain, folder / f"{name}.onnx")
                continue
            if name == "encoder":  # the other two graphs are a tenth of the work
                nodes = [node.name for node in onnx.load(plain).graph.node]
                spared = [node for node in nodes if any(part in node for part in SPARED)]
                quantize_dynamic(plain, plain, per_channel=True, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul", "Gemm"],
                                 nodes_to_exclude=spared)  # fmt: skip
            halve(plain, folder / f"{name}.onnx")


def halve(source: Path, target: Path) -> None:
    """Store large float32 weights as float16; onnxruntime casts them back once, when the model is loaded."""
    model = onnx.load(source)
    graph = model.graph
    large = [t for t in graph.initializer if t.data_type == onnx.TensorProto.FLOAT and math.prod(t.dims) > 4096]
    casts = []
    for tensor in large:
        graph.initializer.remove(tensor)
        half = onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(tensor).astype(np.float16), f"{tensor.name}_half")
        graph.initializer.append(half)
        casts.append(onnx.helper.make_node("Cast", [half.name], [tensor.name], to=onnx.TensorProto.FLOAT))
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend([*casts, *rest])
    onnx.save(model, target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--float", action="store_true", help="keep float32: for the comparison with int8")
    args = parser.parse_args()
    settings = json.loads((args.run / "settings.json").read_text())
    network = load_network(args.weights or args.run / "final.pt", Path(settings["encoder"]))
    export(network, args.folder, not args.float)
    tokenizer_of(Path(settings["encoder"])).save(str(args.folder / "tokenizer.json"), pretty=False)
    decisions = json.loads((args.run / "decisions.json").read_text())
    for place in ("encoder", "shared", "labels"):  # folders of one machine say nothing on another
        settings[place] = bool(settings[place]) if place == "labels" else Path(settings[place]).name
    meta = {"name": "kgbuild-minilm 4.1", "labels": asdict(LABELS), "max_width": MAX_WIDTH, "decisions": decisions, "settings": settings}
    (args.folder / "meta.json").write_text(json.dumps(meta, indent=1, sort_keys=True) + "\n")
    for path in sorted(args.folder.iterdir()):
        print(f"{path.stat().st_size / 1e6:8.2f} MB  {path.name}")


if __name__ == "__main__":
    main()
