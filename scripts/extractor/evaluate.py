"""Score weights on gold, tune thresholds and calibration on held-out gold, and write what was chosen.

    python scripts/extractor/evaluate.py runs/small --tune          # thresholds from the run's own held-out papers -> decisions.json
    python scripts/extractor/evaluate.py runs/small                 # dev scores with them

`--weights a.pt b.pt` averages the probabilities of several networks (an ensemble).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
from corpora import KINDS, RELATIONS, ROLES, SCHEMES, TYPES, lines, read_papers  # noqa: E402
from network import Network, pretrained  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

from kgbuild.extraction.features import Encoded  # noqa: E402
from kgbuild.extraction.learned import Decisions, Labels, LearnedExtractor  # noqa: E402
from kgbuild.extraction.records import parse_record  # noqa: E402
from kgbuild.records import Paper  # noqa: E402

LABELS = Labels(TYPES, RELATIONS, ROLES, KINDS)


class TorchNetwork:
    """Networks of one shape as the extractor's network; several are averaged in probability (logits for pairs)."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self.networks = networks

    @torch.no_grad()
    def encode(self, encoded: Encoded) -> tuple[Any, np.ndarray]:
        pieces, shapes, at = (torch.from_numpy(a)[None] for a in (encoded.pieces, encoded.shapes, encoded.word_piece))
        words = [n.words(pieces, shapes, torch.ones_like(pieces, dtype=torch.bool), at) for n in self.networks]
        spans = [torch.softmax(n.spans.logits(n.spans(w)), -1)[0] for n, w in zip(self.networks, words, strict=True)]
        return words, torch.stack(spans).mean(0).numpy()

    @torch.no_grad()
    def nodes(self, words: Any, first: Any, width: Any, types: Any, pool: Any, features: Any) -> tuple[Any, np.ndarray]:
        t = [torch.from_numpy(a)[None] for a in (first, width, types, pool, features)]
        vectors, same = [], []
        for n, w in zip(self.networks, words, strict=True):
            mask, word_mask = torch.ones(1, len(first), dtype=torch.bool), torch.ones(1, w.shape[1], dtype=torch.bool)
            vectors.append(n.nodes(n.spans.hidden(w, t[0], t[1]), t[2], mask, w, word_mask))
            same.append(torch.sigmoid(n.nodes.strings(vectors[-1], t[3], t[4]))[0])
        return vectors, torch.stack(same).mean(0).numpy()

    @torch.no_grad()
    def pairs(self, words: Any, nodes: Any, arrays: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        a = {k: torch.from_numpy(np.ascontiguousarray(v))[None] for k, v in arrays.items()}
        out = []
        for n, w, v in zip(self.networks, words, nodes, strict=True):
            masks = torch.ones(1, a["types"].shape[1], dtype=torch.bool), torch.ones(1, w.shape[1], dtype=torch.bool)
            out.append(n.pairs(v, a["pool"], a["members"], a["types"], a["counts"], masks[0], w, masks[1], a["distance"], a["between"]))
        return torch.stack([p[0] for p, _ in out]).mean(0).numpy(), torch.stack([u[0] for _, u in out]).mean(0).numpy()


def load_network(weights: Path, encoder: Path) -> Network:
    network = Network(pretrained(encoder), len(TYPES), {k: len(v) for k, v in SCHEMES.items()})
    network.load_state_dict(torch.load(weights, weights_only=True))
    return network.eval()


def tokenizer_of(encoder: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(encoder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def predictions(extractor: LearnedExtractor, gold: Mapping[str, Any], papers: Mapping[str, Paper], given: bool = False) -> dict[str, Any]:
    """Records by id; with `given` the gold entities are handed over and the rest is predicted."""
    out = {}
    for id_, record in gold.items():
        paper = papers[id_]
        if given:
            extraction = extractor.relate(paper, parse_record(record, paper).entities)
        else:
            extraction = next(extractor.extract([paper]))
        out[id_] = extraction.to_json(paper.text)
    return out


def scorer(shared: Path) -> Any:
    """The judge's own scorer as a module: what is tuned and what is reported is counted by it."""
    spec = importlib.util.spec_from_file_location("score", shared / "eval" / "score.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def f1(gold: Mapping[str, Any], predicted: Mapping[str, Any], papers: Mapping[str, Paper]) -> dict[str, float]:
    texts = {i: {"title": papers[i].title, "abstract": papers[i].abstract} for i in gold}
    counts = SCORER.score(gold, predicted, texts)[0]
    return {name: 100 * SCORER.prf(row)[2] for name, row in counts.items()}


SCORER = scorer(Path(__file__).parents[2].parent / "shared")

GRID = {
    "mention": ("entity", (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)),
    "same": ("entity", (0.3, 0.4, 0.5, 0.6, 0.7)),
    "relation": ("relation", (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55)),
    "proposes": ("proposes", (0.2, 0.3, 0.4, 0.5, 0.6)),
    "addresses": ("addresses", (0.2, 0.3, 0.4, 0.5, 0.6)),
    "result": ("value", (0.15, 0.2, 0.3, 0.4, 0.5, 0.6)),
    "role": ("result", (0.2, 0.3, 0.4, 0.5, 0.6)),
}


def tune(extractor: LearnedExtractor, gold: Mapping[str, Any], papers: Mapping[str, Paper]) -> Decisions:
    """Thresholds one after the other, each for the score that it moves; then the calibration of each confidence."""
    for name, (target, values) in GRID.items():
        rows = []
        for value in values:
            extractor.decisions = replace(extractor.decisions, **{name: value})
            rows.append((f1(gold, predictions(extractor, gold, papers), papers)[target], value))
        best = max(rows)[0]
        # the middle of the values that are as good as the best within noise: a plateau travels better than a peak
        plateau = [value for s, value in rows if s >= best - 0.4]
        extractor.decisions = replace(extractor.decisions, **{name: plateau[len(plateau) // 2]})
        print(name, plateau[len(plateau) // 2], [(v, round(s, 2)) for s, v in rows], flush=True)
    return extractor.decisions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--weights", type=Path, nargs="+")
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--gold", nargs="+", default=["dev", "dev_other"])
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    settings = json.loads((args.run / "settings.json").read_text())
    encoder, notes = Path(settings["encoder"]), Path(settings["shared"]) / "annotation"
    papers = {i: Paper(id=i, title=p["title"], abstract=p["abstract"]) for i, p in read_papers(notes / "papers.jsonl").items()}
    networks = [load_network(w, encoder) for w in args.weights or [args.run / "final.pt"]]
    chosen = args.run / "decisions.json"
    decisions = Decisions(**json.loads(chosen.read_text())) if chosen.exists() else Decisions()
    extractor = LearnedExtractor(TorchNetwork(networks), tokenizer_of(encoder), LABELS, decisions, "torch")
    if args.tune:
        own = [*lines(notes / "train.jsonl"), *lines(notes / "extra.jsonl")]
        held = {r["id"]: r for i, r in enumerate(own) if i % settings["hold_out"] == settings["fold"]}
        print(f"tuning on {len(held)} held-out papers")
        chosen.write_text(json.dumps(asdict(tune(extractor, held, papers)), indent=1))
    sets = {name: {r["id"]: r for r in lines(notes / f"{name}.jsonl")} for name in args.gold}
    sets["together"] = {k: v for rows in sets.values() for k, v in rows.items()}
    for given in (False, True):
        predicted = predictions(extractor, sets["together"], papers, given)
        for name, gold in sets.items():
            scores = f1(gold, {k: predicted[k] for k in gold}, papers)
            print(f"{name + (' given' if given else ''):<18}" + " ".join(f"{k} {v:.1f}" for k, v in scores.items()), flush=True)


if __name__ == "__main__":
    main()
