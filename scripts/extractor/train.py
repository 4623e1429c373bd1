"""Train the extractor: a start on the public corpora, then our own gold (and, where given, a teacher's labels).

    python scripts/extractor/train.py --out runs/small                      # all of it, MiniLM
    python scripts/extractor/train.py --out runs/small --labels runs/teacher/labels   # with a teacher's labels (label.py)
    python scripts/extractor/train.py --out runs/quick --quick              # minutes: a check that everything works
    python scripts/extractor/train.py --out runs/free --licences free       # no data of GPL or unstated licence

A run is resumable: state is written at least every 20 minutes, and the same command goes on from there.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
import batches  # noqa: E402
import label  # noqa: E402
from corpora import SCHEMES, TYPES, Document, auxiliary, gold, read_papers, scier  # noqa: E402
from network import Network, pretrained  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

from kgbuild.extraction.decode import strings  # noqa: E402


@dataclass(frozen=True)
class Settings:
    """Every setting of a run on one screen."""

    encoder: str = "minilm"  # folder of a sentence-transformers encoder
    shared: str = "../shared"
    seed: int = 1
    batch: int = 1024  # pieces of a padded batch; larger ones take too few steps on so little gold
    start_epochs: float = 1.0  # over the public corpora
    gold_epochs: float = 8.0  # over our own gold
    encoder_rate: float = 2e-4  # peak learning rates; a base-sized encoder wants 6e-5
    head_rate: float = 8e-4
    decay: float = 0.01
    warmup: float = 0.1  # share of the steps
    dropout: float = 0.1
    head_dropout: float = 0.2
    guesses: float = 0.7  # share of the network's wrong strings that join a document's nodes
    guess_from: float = 0.15  # least probability of such a string
    average: float = 0.99  # decay of the averaged weights, which are the ones that are kept; 0.998 lags a run of 500 steps behind
    licences: str = "all"  # `free` leaves out corpora of GPL or unstated licence
    frozen: int = 0  # lowest layers of the encoder that stay as they are: a third less time where half of them do
    labels: str = ""  # folder of a teacher's labels (label.py), learnt after the gold, together with it
    label_epochs: float = 1.5
    polish_epochs: float = 2.0  # over our own gold again, after the labels, with the errors that int8 will make
    hold_out: int = 0  # gold papers left out, every n-th, to tune thresholds on; 0 trains on all
    fold: int = 0  # which of them


WEIGHTS = {"span": 1.0, "same": 0.5, "relation": 1.0, "role": 0.5, "unary": 0.5}
FREE = {"scirex_abs", "tdmsci"}


def load(settings: Settings, tokenizer: Tokenizer, quick: bool) -> tuple[list[Document], list[Document], list[Document]]:
    """(start, gold, held out) documents; dev papers are in none of them."""
    data, notes = Path(settings.shared) / "data", Path(settings.shared) / "annotation"
    start: list[Document] = [] if settings.licences == "free" else scier(data / "scier.train.jsonl", tokenizer)
    most = {"gsap": 500, "csner": 300}
    for scheme in SCHEMES:
        if settings.licences == "all" or scheme in FREE:
            start += auxiliary(data / f"{scheme}.train.jsonl", scheme, tokenizer, most=most.get(scheme))
    papers = read_papers(notes / "papers.jsonl")
    own = gold(notes / "train.jsonl", papers, tokenizer) + gold(notes / "extra.jsonl", papers, tokenizer)
    held = [d for i, d in enumerate(own) if settings.hold_out and i % settings.hold_out == settings.fold]
    kept = [d for i, d in enumerate(own) if not (settings.hold_out and i % settings.hold_out == settings.fold)]
    return (start[::40], kept[::10], held) if quick else (start, kept, held)


def guesses(
    logits: Tensor, documents: list[Document], settings: Settings, rng: random.Random
) -> list[list[tuple[int, list[tuple[int, int]]]]]:
    """The strings that the network would find and that are no gold mention, a random share of them."""
    probabilities = torch.softmax(logits.detach().float(), -1).numpy()
    out = []
    for i, doc in enumerate(documents):
        right = {(a, a + w) for a, w, _ in doc.spans}
        extra = []
        for s in strings(probabilities[i, : doc.encoded.words], doc.encoded, settings.guess_from, limit=40):
            wrong = [o for o in s.occurrences if o not in right]
            if wrong and rng.random() < settings.guesses:
                extra.append((s.type, wrong))
        out.append(extra[:12])
    return out


def soft_cross_entropy(logits: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    losses = -(target * F.log_softmax(logits.float(), -1)).sum(-1)
    return (losses * mask).sum()


def masked_binary(logits: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    return (F.binary_cross_entropy_with_logits(logits.float(), target, reduction="none") * mask).sum()


def losses(network: Network, documents: list[Document], settings: Settings, rng: random.Random) -> dict[str, Tensor]:
    """Each part as a sum over the batch, divided by the number of gold mentions (or documents where there are none)."""
    scheme = documents[0].scheme
    t = batches.texts(documents, 0, len(SCHEMES[scheme]) if scheme else len(TYPES))
    with torch.autocast("cpu", torch.bfloat16):
        words = network.words(t.pieces, t.shapes, t.mask, t.word_piece)
        hidden = network.spans(words)
        logits = network.spans.logits(hidden, scheme)
    scale = max(float((t.spans[..., 1:].sum(-1) * t.span_mask).sum()), len(documents))
    out = {"span": soft_cross_entropy(logits, t.spans, t.span_mask) / scale}
    if scheme:
        return out
    g = batches.graphs(documents, guesses(logits, documents, settings, rng))
    with torch.autocast("cpu", torch.bfloat16):
        spans = network.spans.hidden(words, g.first, g.width)
        nodes = network.nodes(spans, g.type, g.node_mask, words, t.word_mask)
        same = network.nodes.strings(nodes, g.string_pool, g.features)
        pair, unary = network.pairs(
            nodes, g.pool, g.members, g.entity_type, g.counts, g.entity_mask, words, t.word_mask, g.distance, g.between)  # fmt: skip
    valid = g.entity_mask[:, :, None] & g.entity_mask[:, None]
    fits = batches.ALLOWED[g.entity_type[:, :, None], g.entity_type[:, None]]
    relation = pair[..., : fits.shape[-1]].float().masked_fill(~fits, -1e4)
    count = max(float(g.relation[..., 1:].sum()), len(documents))
    out["same"] = masked_binary(same, g.same, g.same_mask) / max(float((g.same * g.same_mask).sum()), len(documents))
    out["relation"] = soft_cross_entropy(relation, g.relation, g.relation_mask & valid) / count
    if documents[0].paper or any(d.paper for d in documents):
        out["role"] = masked_binary(pair[..., fits.shape[-1] :], g.role, g.role_mask & valid[..., None]) / len(documents)
        binary = masked_binary(unary[..., :2], g.unary[..., :2], g.unary_mask[..., :2] & g.entity_mask[..., None])
        kinds = soft_cross_entropy(unary[..., 2:], g.unary[..., 2:], g.unary_mask[..., 2])
        out["unary"] = (binary + kinds) / len(documents)
    return out


Losses = Callable[[Network, list[Document], Settings, random.Random], dict[str, Tensor]]


class Averaged:
    """Exponential moving average of the weights: steadier than the last step on so little gold."""

    def __init__(self, network: Network, decay: float) -> None:
        self.decay, self.steps = decay, 0
        self.state = {k: v.detach().clone() for k, v in network.state_dict().items()}

    def update(self, network: Network) -> None:
        self.steps += 1
        rate = 1 - min(self.decay, self.steps / (self.steps + 10))
        for key, value in network.state_dict().items():
            if value.dtype.is_floating_point:
                self.state[key].lerp_(value.detach(), rate)


def optimiser(network: Network, settings: Settings) -> torch.optim.AdamW:
    groups: list[dict[str, Any]] = []
    for part, rate in (("encoder.", settings.encoder_rate), ("", settings.head_rate)):
        chosen = [(n, p) for n, p in network.named_parameters() if n.startswith("encoder.") == bool(part) and p.requires_grad]
        fresh = [(n, p) for n, p in chosen if "encoder.shape" in n]
        plain = [(n, p) for n, p in chosen if "encoder.shape" not in n]
        for rows, r in ((plain, rate), (fresh, settings.head_rate)):
            groups.append({"params": [p for n, p in rows if p.ndim > 1], "peak": r, "weight_decay": settings.decay})
            groups.append({"params": [p for n, p in rows if p.ndim <= 1], "peak": r, "weight_decay": 0.0})
    return torch.optim.AdamW([g for g in groups if g["params"]], lr=1e-4, betas=(0.9, 0.98), eps=1e-8, fused=True)


def stage(
    network: Network, documents: list[Document], epochs: float, settings: Settings, out: Path, name: str, log: Any, losses: Losses = losses
) -> None:
    """Train on the documents; goes on from `name.state` where an earlier try stopped, and leaves the averaged weights in the network."""
    state_file, rng = out / f"{name}.state", random.Random(settings.seed)
    plan: list[list[Document]] = []
    for _ in range(math.ceil(epochs)):
        plan += list(batches.epochs(documents, settings.batch, rng))
    plan = plan[: max(1, int(len(plan) * epochs / max(1, math.ceil(epochs))))]
    adam, averaged, done = optimiser(network, settings), Averaged(network, settings.average), 0
    if state_file.exists():
        state = torch.load(state_file, weights_only=False)
        network.load_state_dict(state["network"]), adam.load_state_dict(state["adam"])
        averaged.state, averaged.steps, done = state["averaged"], state["steps"], state["done"]
        rng.setstate(state["rng"])
    network.train()
    saved = began = time.monotonic()
    sums: dict[str, float] = {}
    for step in range(done, len(plan)):
        share = (step + 1) / len(plan)
        factor = min(share / settings.warmup, (1 - share) / (1 - settings.warmup) + 1e-3)
        for group in adam.param_groups:
            group["lr"] = group["peak"] * factor
        parts = losses(network, plan[step], settings, rng)
        loss = sum((WEIGHTS[k] * v for k, v in parts.items()), torch.zeros(()))
        adam.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        adam.step()
        averaged.update(network)
        for k, v in parts.items():
            sums[k] = 0.95 * sums.get(k, v.item()) + 0.05 * v.item()
        if step % 20 == 19 or step + 1 == len(plan):
            rate = (time.monotonic() - began) / (step + 1 - done)
            left = rate * (len(plan) - step - 1) / 60
            log(f"{name} {step + 1}/{len(plan)} left {left:.1f} min " + " ".join(f"{k} {v:.3f}" for k, v in sums.items()))
        if time.monotonic() - saved > 600:
            saved = time.monotonic()
            torch.save({"network": network.state_dict(), "adam": adam.state_dict(), "averaged": averaged.state, "steps": averaged.steps,
                        "done": step + 1, "rng": rng.getstate()}, state_file)  # fmt: skip
    network.load_state_dict(averaged.state)
    state_file.unlink(missing_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--quick", action="store_true", help="a fortieth of the data, one epoch")
    parser.add_argument("--start", type=Path, help="weights of an earlier start stage, which is then left out")
    parser.add_argument("--threads", type=int, default=2)
    for name, value in asdict(Settings()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    args = vars(parser.parse_args())
    settings = Settings(**{k: args[k] for k in asdict(Settings())})
    if args["quick"]:
        settings = replace(settings, start_epochs=1, gold_epochs=1, label_epochs=1, polish_epochs=1)
    out: Path = args["out"]
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args["threads"])
    torch.manual_seed(settings.seed), np.random.seed(settings.seed)

    def log(line: str) -> None:
        print(time.strftime("%H:%M:%S"), line, flush=True)
        with (out / "log.txt").open("a") as stream:
            stream.write(line + "\n")

    (out / "settings.json").write_text(json.dumps(asdict(settings), indent=1))
    tokenizer = Tokenizer.from_file(str(Path(settings.encoder) / "tokenizer.json"))
    tokenizer.no_truncation(), tokenizer.no_padding()
    start, own, held = load(settings, tokenizer, args["quick"])
    log(f"{len(start)} start documents, {len(own)} gold, {len(held)} held out; {sum(len(d.encoded.pieces) for d in own)} gold pieces")
    network = Network(
        pretrained(Path(settings.encoder), settings.dropout), len(TYPES), {k: len(v) for k, v in SCHEMES.items()}, settings.head_dropout
    )
    network.encoder.word.weight.requires_grad_(False)  # half of the weights, which so little text would only disturb: a fifth of a step's time
    for layer in network.encoder.layers[: settings.frozen]:
        layer.requires_grad_(False)

    def once(name: str, documents: list[Document], epochs: float) -> None:
        """Train, or take the weights that an earlier call of this run left."""
        if not (out / f"{name}.pt").exists():
            stage(network, documents, epochs, settings, out, name, log)
            torch.save(network.state_dict(), out / f"{name}.pt")
        network.load_state_dict(torch.load(out / f"{name}.pt"))

    if args["start"]:
        network.load_state_dict(torch.load(args["start"]))
    elif settings.start_epochs:
        once("start", start, settings.start_epochs)
    torch.manual_seed(settings.seed + 1)
    once("gold", own, settings.gold_epochs)
    if settings.labels:
        taught = list(label.documents(Path(settings.labels), tokenizer))
        log(f"{len(taught)} documents with teachers' labels")
        once("labels", taught + own, settings.label_epochs)
        for layer in network.encoder.layers:
            layer.int8 = True
        once("polish", own, settings.polish_epochs)
    torch.save(network.state_dict(), out / "final.pt")
    log("done")


if __name__ == "__main__":
    main()
