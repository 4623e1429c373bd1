"""Write what the torch network says about a few texts of ours, for the test that holds the shipped ONNX graphs to it.

    python scripts/extractor/reference.py runs/small tests/extraction/reference.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
from evaluate import TorchNetwork, load_network, tokenizer_of  # noqa: E402

from kgbuild.extraction.features import encode  # noqa: E402

TEXTS = [
    "ResNet: deep residual learning\nResidual networks reach 3.57% top-5 error on ImageNet and serve image classification.",
    "BERT\nWe introduce BERT, a language model. BERT obtains a GLUE score of 80.5 and 93.2 F1 on SQuAD v1.1 question answering.",
    "Attention\nThe Transformer is trained on WMT 2014 English-German and reaches 28.4 BLEU in machine translation, above ConvS2S.",
]


def main() -> None:
    run, out = Path(sys.argv[1]), Path(sys.argv[2])
    encoder = Path(json.loads((run / "settings.json").read_text())["encoder"])
    network, tokenizer = TorchNetwork([load_network(run / "final.pt", encoder)]), tokenizer_of(encoder)
    rows = []
    for text in TEXTS:
        probabilities = network.encode(encode(text, tokenizer)[0])[1]
        at = np.argwhere(probabilities[..., 0] < 0.9)
        rows.append({"text": text, "spans": [[int(w), int(x), [round(float(p), 4) for p in probabilities[w, x]]] for w, x in at]})
    out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
