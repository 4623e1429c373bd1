"""Score weights on gold, tune thresholds and calibration on held-out gold, and write what was chosen.

    python scripts/extractor/evaluate.py runs/small --tune          # thresholds from the run's own held-out papers -> decisions.json
    python scripts/extractor/evaluate.py runs/small                 # dev scores with them

`--weights a.pt b.pt` averages the probabilities of several networks (an ensemble).
"""

from __future__ import annotations

import argparse
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

from kgbuild.evaluation import intervals, match_entities, score  # noqa: E402
from kgbuild.extraction.decisions import Decisions, Labels  # noqa: E402
from kgbuild.extraction.features import Encoded, encode  # noqa: E402
from kgbuild.extraction.learned import LearnedExtractor  # noqa: E402
from kgbuild.extraction.records import parse_record  # noqa: E402
from kgbuild.records import Paper  # noqa: E402

LABELS = Labels(TYPES, RELATIONS, ROLES, KINDS)


class TorchNetwork:
    """Networks as the extractor's network; several are averaged in probability (logits for pairs).

    tokenizers: where networks differ in it, one for each; a text whose words differ between them is a ValueError.
    """

    def __init__(self, networks: Sequence[Network], tokenizers: Sequence[Tokenizer] = ()) -> None:
        self.networks, self.tokenizers = networks, tokenizers
        self.known: dict[tuple[str, int], tuple[Any, np.ndarray]] = {}  # tuning asks for the same texts again and again

    def encode(self, encoded: Encoded) -> tuple[Any, np.ndarray]:
        key = encoded.text, int(encoded.word_start[0])
        if key not in self.known:
            self.known[key] = self._encode(encoded)
        return self.known[key]

    @torch.no_grad()
    def _encode(self, encoded: Encoded) -> tuple[Any, np.ndarray]:
        own = [encode(encoded.text, t)[0] for t in self.tokenizers] or [encoded] * len(self.networks)
        if any(e.word_start.tolist() != encoded.word_start.tolist() for e in own):
            raise ValueError("the tokenizers see different words")
        words = []
        for n, e in zip(self.networks, own, strict=True):
            pieces, shapes, at = (torch.from_numpy(a)[None] for a in (e.pieces, e.shapes, e.word_piece))
            words.append(n.words(pieces, shapes, torch.ones_like(pieces, dtype=torch.bool), at))
        spans = [torch.softmax(n.spans.logits(n.spans(w)), -1)[0] for n, w in zip(self.networks, words, strict=True)]
        return words, torch.stack(spans).float().mean(0).numpy()

    @torch.no_grad()
    def nodes(self, words: Any, first: Any, width: Any, types: Any, pool: Any, features: Any) -> tuple[Any, np.ndarray]:
        t = [torch.from_numpy(a)[None] for a in (first, width, types, pool, features)]
        vectors, same = [], []
        for n, w in zip(self.networks, words, strict=True):
            mask, word_mask = torch.ones(1, len(first), dtype=torch.bool), torch.ones(1, w.shape[1], dtype=torch.bool)
            vectors.append(n.nodes(n.spans.hidden(w, t[0], t[1]), t[2], mask, w, word_mask))
            same.append(torch.sigmoid(n.nodes.strings(vectors[-1], t[3], t[4]))[0])
        return vectors, torch.stack(same).float().mean(0).numpy()

    @torch.no_grad()
    def pairs(self, words: Any, nodes: Any, arrays: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        a = {k: torch.from_numpy(np.ascontiguousarray(v))[None] for k, v in arrays.items()}
        out = []
        for n, w, v in zip(self.networks, words, nodes, strict=True):
            masks = torch.ones(1, a["types"].shape[1], dtype=torch.bool), torch.ones(1, w.shape[1], dtype=torch.bool)
            out.append(n.pairs(v, a["pool"], a["members"], a["types"], a["counts"], masks[0], w, masks[1], a["distance"], a["between"]))
        return torch.stack([p[0] for p, _ in out]).float().mean(0).numpy(), torch.stack([u[0] for _, u in out]).float().mean(0).numpy()


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
        entities = parse_record(record, paper).entities if given else None
        extraction = next(extractor.extract([paper])) if entities is None else extractor.relate(paper, entities)
        out[id_] = extraction.to_json(paper.text)
    return out


def f1(gold: Mapping[str, Any], predicted: Mapping[str, Any], papers: Mapping[str, Paper]) -> dict[str, float]:
    return score(gold, predicted, {i: papers[i].text for i in gold})[0].f1()


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
    extractor.decisions = replace(extractor.decisions, calibration=calibration(gold, predictions(extractor, gold, papers), papers))
    return extractor.decisions


def judged(gold: Mapping[str, Any], predicted: Mapping[str, Any], papers: Mapping[str, Paper]) -> dict[str, list[tuple[float, bool]]]:
    """(confidence, right) of every predicted item, by part."""
    rows: dict[str, list[tuple[float, bool]]] = {name: [] for name in ("entity", "relation", "proposes", "addresses", "result")}
    for id_, p in predicted.items():
        g = gold[id_]
        named = match_entities(g["entities"], p["entities"], papers[id_].text)
        rows["entity"] += [(e["confidence"], e["eid"] in named) for e in p["entities"]]
        theirs = {(h, r, t) for h, r, t in g["relations"]} | {(t, r, h) for h, r, t in g["relations"] if r == "COMPARED_WITH"}
        ours = [(named.get(h), r, named.get(t)) for h, r, t in p["relations"]]
        rows["relation"] += [(c, row in theirs) for row, c in zip(ours, p["relation_confidences"], strict=True)]
        for key in ("proposes", "addresses"):
            rows[key] += [(c, named.get(e) in g[key]) for e, c in zip(p[key], p[f"{key}_confidences"], strict=True)]
        values = {(r["metric"], str(r["value"])) for r in g["results"]}
        rows["result"] += [(r["confidence"], (named.get(r["metric"]), r["value"]) in values) for r in p["results"]]
    return rows


def calibration(gold: Mapping[str, Any], predicted: Mapping[str, Any], papers: Mapping[str, Paper]) -> dict[str, tuple[float, float]]:
    """Platt scaling by part: slope and offset of the logit that make confidences probabilities of being right."""
    out = {}
    for name, rows in judged(gold, predicted, papers).items():
        p = torch.tensor([min(max(c, 1e-4), 1 - 1e-4) for c, _ in rows], dtype=torch.float64)
        right = torch.tensor([float(r) for _, r in rows], dtype=torch.float64)
        logit, weights = torch.log(p / (1 - p)), torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
        solver = torch.optim.LBFGS([weights], max_iter=100)

        def loss(logit: Any = logit, right: Any = right, weights: Any = weights, solver: Any = solver) -> Any:
            solver.zero_grad()
            # a light pull to the identity, for parts with few items
            value = torch.nn.functional.binary_cross_entropy_with_logits(weights[0] * logit + weights[1], right)
            value = value + 0.01 * ((weights[0] - 1) ** 2 + weights[1] ** 2)
            value.backward()
            return value

        solver.step(loss)
        out[name] = (round(weights[0].item(), 4), round(weights[1].item(), 4))
    return out


def calibration_error(rows: Sequence[tuple[float, bool]], bins: int = 10) -> float:
    """Expected calibration error in [0, 1] over bins of equal size."""
    ordered = np.array(sorted(rows), dtype=float).reshape(-1, 2)
    parts = [p for p in np.array_split(ordered, bins) if len(p)]
    return float(sum(len(p) * abs(p[:, 0].mean() - p[:, 1].mean()) for p in parts) / max(1, len(ordered)))


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
        extractor.decisions = Decisions()
        own = [*lines(notes / "train.jsonl"), *lines(notes / "extra.jsonl")]
        held = {r["id"]: r for i, r in enumerate(own) if i % settings["hold_out"] == settings["fold"]}
        print(f"tuning on {len(held)} held-out papers")
        chosen.write_text(json.dumps(asdict(tune(extractor, held, papers)), indent=1))
    sets = {name: {r["id"]: r for r in lines(notes / f"{name}.jsonl")} for name in args.gold}
    sets["together"] = {k: v for rows in sets.values() for k, v in rows.items()}
    report: dict[str, Any] = {}
    for given in (False, True):
        predicted = predictions(extractor, sets["together"], papers, given)
        for name, gold in sets.items():
            total, each = score(gold, predicted, {i: papers[i].text for i in gold})
            title = name + (" given" if given else "")
            report[title] = {"papers": len(gold), "f1": total.f1(), "intervals": intervals(each, 1000)}
            print(f"{title:<18}" + " ".join(f"{k} {v:.1f}" for k, v in total.f1().items()), flush=True)
        if not given:
            errors = {k: round(calibration_error(v), 4) for k, v in judged(sets["together"], predicted, papers).items()}
            report["calibration_error"] = errors
            print("calibration error", errors)
    (args.run / "scores.json").write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
