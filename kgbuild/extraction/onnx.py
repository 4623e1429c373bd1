"""The shipped network: three ONNX graphs that share one encoder pass, run by onnxruntime."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

from kgbuild.errors import KgbuildError
from kgbuild.extraction.decisions import Decisions, Labels
from kgbuild.extraction.features import Encoded, Floats, Ints
from kgbuild.extraction.learned import LearnedExtractor

WEIGHTS = Path(__file__).parent / "weights"


class OnnxNetwork:
    """Satisfies `kgbuild.extraction.learned.Network`; `threads` counts those of one pass (1: use processes to go faster)."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        """Load the three graphs of the folder."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3

        def session(name: str) -> ort.InferenceSession:
            return ort.InferenceSession(folder / f"{name}.onnx", options, providers=["CPUExecutionProvider"])

        self._encoder, self._nodes, self._pairs = session("encoder"), session("nodes"), session("pairs")

    def encode(self, encoded: Encoded) -> tuple[Floats, Floats]:
        """Word vectors (words, hidden) and span probabilities (words, MAX_WIDTH, 1 + types)."""
        feed = {"pieces": encoded.pieces[None], "shapes": encoded.shapes[None], "word_piece": encoded.word_piece[None]}
        words, spans = self._encoder.run(["words", "spans"], feed)
        return words, spans[0]

    def nodes(self, words: Floats, first: Ints, width: Ints, types: Ints, pool: Floats, features: Floats) -> tuple[Floats, Floats]:
        """Node vectors (1, nodes, width) and probabilities that strings are one entity (strings, strings)."""
        arrays: dict[str, Any] = {"first": first, "width": width, "types": types, "pool": pool, "features": features}
        nodes, same = self._nodes.run(["nodes", "same"], {"words": words} | {name: value[None] for name, value in arrays.items()})
        return nodes, same[0]

    def pairs(self, words: Floats, nodes: Floats, arrays: Mapping[str, Any]) -> tuple[Floats, Floats]:
        """Pair logits (entities, entities, 1 + relations + roles) and unary logits (entities, 2 + kinds)."""
        feed = {"words": words, "nodes": nodes} | {name: np.ascontiguousarray(value)[None] for name, value in arrays.items()}
        pair, unary = self._pairs.run(["pair", "unary"], feed)
        return pair[0], unary[0]


def load(folder: Path | str = WEIGHTS, threads: int = 1) -> LearnedExtractor:
    """The extractor whose weights, tokenizer and decisions stand in `folder`; raises KgbuildError where a file is missing."""
    folder = Path(folder)
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        network = OnnxNetwork(folder, threads)
    except Exception as error:  # onnxruntime and tokenizers raise types of their own
        raise KgbuildError(f"{folder}: the model cannot be loaded: {error}", "install kgbuild again, or use --extractor rules") from error
    labels = Labels(*(tuple(meta["labels"][part]) for part in ("types", "relations", "roles", "kinds")))
    return LearnedExtractor(network, tokenizer, labels, Decisions(**meta["decisions"]), meta["name"])
