"""SciER or SciERC by its own protocol: train on its training set alone, choose the threshold on its dev set, print both sets' scores.

    python scripts/benchmark.py scier --train ../shared/data/scier.train.jsonl --dev ../shared/data/scier.dev.jsonl --encoder FOLDER
    python scripts/benchmark.py scierc --train F --dev F --test F --encoder FOLDER

Definitions, all micro-averaged F1 over the mentions and pairs of one sentence, directions as annotated:
  NER   a mention counts when its first and last character and its type are right.
  Rel   a relation counts when the characters of both mentions and its label are right.
  Rel+  as Rel, and both types are right.

The network is the product's: the same encoder, span scorer, node layers and pair scorer, where every mention is an entity of its own.
Texts are cut into windows of whole sentences (1,300 characters), and only pairs within a sentence are related. The encoder's own
pre-training is all that is not the training set. A figure on dev is one that the threshold was chosen on: set only test figures
beside published ones.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

sys.path[:0] = [str(Path(__file__).parent / "extractor"), str(Path(__file__).parents[1])]
import batches  # noqa: E402
from corpora import Document, aligned, lines, windows  # noqa: E402
from evaluate import TorchNetwork, tokenizer_of  # noqa: E402
from losses import soft_cross_entropy  # noqa: E402
from network import Network, pretrained  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402
from train import Settings, stage  # noqa: E402

from kgbuild.extraction.decode import nodes, pooling  # noqa: E402
from kgbuild.extraction.features import PAIR_FEATURES, encode, pair_geometry  # noqa: E402

SAME_SENTENCE = 14  # distance ids below this are pairs within one sentence
Span = tuple[int, int, str]


@dataclass
class Window:
    """Part of a text: its training document, where it begins, and its gold answers in characters of the whole text."""

    document: Document
    offset: int
    mentions: list[Span]
    relations: list[tuple[Span, str, Span]]


def read(path: Path, tokenizer: Tokenizer, types: list[str], labels: list[str], limit: int = 1300) -> list[Window]:
    """The windows of a corpus file; what a window cuts off or a tokenizer cannot mark still counts as gold."""
    out = []
    for row in lines(path):
        spans: list[Span] = [(s, e, label) for s, e, label in row["entities"]]
        for start, end in windows(row, limit):
            bounds = [(s - start, e - start) for s, e in row["sentences"] if start <= s and e <= end]
            encoded = replace(encode(row["text"][start:end], tokenizer, 0, bounds)[0], numbers=())
            doc = Document(f"{row['id']}:{start}", encoded, paper=False, across=False)
            index: dict[int, int] = {}
            inside = [i for i, (s, e, _) in enumerate(spans) if start <= s and e <= end]
            for i in inside:
                for a, b in aligned(encoded, [(spans[i][0] - start, spans[i][1] - start)]):
                    index[i] = len(doc.entity_types)
                    type_ = types.index(spans[i][2])
                    doc.entity_types.append(type_)
                    doc.strings.append((index[i], [(a, b)]))
                    doc.spans.append((a, b - a, [0.0, *(float(k == type_) for k in range(len(types)))]))
            kept = [(h, t, label) for h, t, label in row["relations"] if h in inside and t in inside]
            doc.relations = [(index[h], labels.index(label), index[t], 1.0) for h, t, label in kept if h in index and t in index]
            relations = [(spans[h], label, spans[t]) for h, t, label in kept]
            out.append(Window(doc, start, [spans[i] for i in inside], relations))
    return [w for w in out if w.document.encoded.words]


def found(probabilities: np.ndarray, words: int) -> list[tuple[int, int, int]]:
    """(first word, width - 1, type) of the spans that are rather a mention than none; of overlapping ones the surest."""
    certain = 1 - probabilities[..., 0]
    rows, widths = np.nonzero(certain > 0.5)
    free, out = np.ones(words, dtype=bool), []
    for at in np.argsort(-certain[rows, widths], kind="stable"):
        a, w = int(rows[at]), int(widths[at])
        if a + w < words and free[a : a + w + 1].all():
            free[a : a + w + 1] = False
            out.append((a, w, int(probabilities[a, w, 1:].argmax())))
    return sorted(out)


def loss_of(allowed: Tensor) -> Any:
    """Span and relation losses; the network's own wrong spans stand among the nodes, as they will when it is used."""

    def losses(network: Network, documents: list[Document], settings: Settings, rng: random.Random) -> dict[str, Tensor]:
        t = batches.texts(documents, 0, allowed.shape[0])
        with torch.autocast("cpu", torch.bfloat16):
            words = network.words(t.pieces, t.shapes, t.mask, t.word_piece)
            logits = network.spans.logits(network.spans(words))
        scale = max(float((t.spans[..., 1:].sum(-1) * t.span_mask).sum()), len(documents))
        probabilities = torch.softmax(logits.detach().float(), -1).numpy()
        extras = []
        for i, doc in enumerate(documents):
            right = {(a, w) for a, w, _ in doc.spans}
            guessed = found(probabilities[i, : doc.encoded.words], doc.encoded.words)
            extras.append([(k, [(a, a + w)]) for a, w, k in guessed if (a, w) not in right and rng.random() < settings.guesses])
        g = batches.graphs(documents, extras, allowed, None)
        with torch.autocast("cpu", torch.bfloat16):
            spans = network.spans.hidden(words, g.first, g.width)
            vectors = network.nodes(spans, g.type, g.node_mask, words, t.word_mask)
            pair, _ = network.pairs(
                vectors, g.pool, g.members, g.entity_type, g.counts, g.entity_mask, words, t.word_mask, g.distance, g.between)  # fmt: skip
        valid = g.relation_mask & g.entity_mask[:, :, None] & g.entity_mask[:, None]
        count = max(float(g.relation[..., 1:].sum()), len(documents))
        relation = soft_cross_entropy(pair[..., : allowed.shape[-1]], g.relation, valid) / count
        return {"span": soft_cross_entropy(logits, t.spans, t.span_mask) / scale, "relation": relation}

    return losses


@dataclass
class Answer:
    mentions: list[Span]
    relations: list[tuple[Span, str, Span, float]]


def answer(network: TorchNetwork, window: Window, types: list[str], labels: list[str]) -> Answer:
    """The network's mentions, and the likeliest label of each ordered pair within a sentence with its probability."""
    encoded = window.document.encoded
    words, probabilities = network.encode(encoded)
    spans = found(probabilities, encoded.words)
    if not spans:
        return Answer([], [])
    kinds = [k for _, _, k in spans]
    n = nodes(encoded, [[(a, a + w)] for a, w, _ in spans], kinds)
    same = np.zeros((len(spans), len(spans), PAIR_FEATURES), dtype=np.float32)
    owner = np.arange(len(spans))
    pool, members = pooling(owner, len(spans))
    vectors, _ = network.nodes(words, n.first, n.last - n.first, n.type, pool, same)
    distance, between = pair_geometry(n.first, n.last, owner, encoded.sentence, len(spans))
    arrays = {"pool": pool, "members": members, "types": n.type, "counts": np.ones(len(spans), dtype=np.int64),
              "distance": distance, "between": between}  # fmt: skip
    pair, _ = network.pairs(words, vectors, arrays)
    scores = torch.softmax(torch.from_numpy(pair[..., : len(labels) + 1]), -1).numpy()
    mentions = [(int(encoded.word_start[a]) + window.offset, int(encoded.word_end[a + w]) + window.offset, types[k]) for a, w, k in spans]
    relations = []
    for h, t in np.argwhere(distance < SAME_SENTENCE):
        label = int(scores[h, t, 1:].argmax())
        if h != t and scores[h, t, 1 + label] > 0.1:
            relations.append((mentions[h], labels[label], mentions[t], float(scores[h, t, 1 + label])))
    return Answer(mentions, relations)


def f1(gold: list[Any], predicted: list[Any]) -> float:
    """Micro F1 in percent over two multisets."""
    right = sum((Counter(gold) & Counter(predicted)).values())
    return 200 * right / max(1, len(gold) + len(predicted))


def scores(rows: list[Window], answers: list[Answer], least: float) -> dict[str, float]:
    """NER, Rel and Rel+ as the head of this file defines them."""
    pairs = list(enumerate(zip(rows, answers, strict=True)))
    ner = f1([(i, *m) for i, (w, _) in pairs for m in w.mentions], [(i, *m) for i, (_, a) in pairs for m in a.mentions])
    gold = [(i, h, label, t) for i, (w, _) in pairs for h, label, t in w.relations]
    own = [(i, h, label, t) for i, (_, a) in pairs for h, label, t, p in a.relations if p >= least]

    def bare(items: list[Any]) -> Iterator[Any]:
        return ((i, h[:2], label, t[:2]) for i, h, label, t in items)

    return {"NER": ner, "Rel": f1(list(bare(gold)), list(bare(own))), "Rel+": f1(gold, own)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", choices=("scier", "scierc"))
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--dev", type=Path, required=True)
    parser.add_argument("--test", type=Path)
    parser.add_argument("--encoder", type=Path, required=True, help="folder of a sentence-transformers encoder")
    parser.add_argument("--epochs", type=float, help="default 10 for SciER, 20 for SciERC")
    parser.add_argument("--out", type=Path, help="keep the state here, so that a stopped run goes on (default: a temporary folder)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--encoder-rate", type=float, default=2e-4)
    parser.add_argument("--head-rate", type=float, default=8e-4)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    settings = Settings(seed=args.seed, encoder_rate=args.encoder_rate, head_rate=args.head_rate)
    tokenizer = tokenizer_of(args.encoder)
    rows = list(lines(args.train))
    types = sorted({e[2] for row in rows for e in row["entities"]})
    labels = sorted({r[2] for row in rows for r in row["relations"]})
    sets = {name: read(path, tokenizer, types, labels) for name in ("train", "dev", "test") if (path := getattr(args, name))}
    network = Network(pretrained(args.encoder, settings.dropout), len(types), {}, settings.head_dropout, len(labels) + 1)
    network.encoder.word.weight.requires_grad_(False)
    allowed = torch.ones(len(types), len(types), len(labels) + 1, dtype=torch.bool)
    out = args.out or Path(tempfile.mkdtemp())
    out.mkdir(parents=True, exist_ok=True)
    final = out / "final.pt"
    if final.exists():
        network.load_state_dict(torch.load(final, weights_only=True))
    else:
        epochs = args.epochs or {"scier": 10, "scierc": 20}[args.corpus]
        documents = [w.document for w in sets["train"] if w.document.entity_types]
        stage(network, documents, epochs, settings, out, args.corpus, lambda line: print(line, flush=True), loss_of(allowed))
        torch.save(network.state_dict(), final)
    network.eval()
    judge = TorchNetwork([network])
    answers = {name: [answer(judge, w, types, labels) for w in rows_] for name, rows_ in sets.items() if name != "train"}
    least = max(np.arange(0.2, 0.8, 0.05), key=lambda p: scores(sets["dev"], answers["dev"], p)["Rel+"])
    report = {name: scores(sets[name], answers[name], least) for name in answers}
    for name, row in report.items():
        note = " (the threshold was chosen on it)" if name == "dev" else ""
        print(f"{args.corpus} {name}{note}: " + " ".join(f"{k} {v:.1f}" for k, v in row.items()))
    (out / "scores.json").write_text(json.dumps({"threshold": float(least), **report}, indent=1))


if __name__ == "__main__":
    main()
