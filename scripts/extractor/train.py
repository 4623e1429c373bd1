"""Train the extractor: a start on the public corpora, our own gold, a teacher's labels where given, then gold and annotations.

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
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
import batches  # noqa: E402
import label  # noqa: E402
from corpora import SCHEMES, TYPES, Document, abstracts, annotated, auxiliary, gold, lines, read_papers, scier  # noqa: E402
from losses import WEIGHTS, Losses, fixed, joint  # noqa: E402
from network import Network, pretrained  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402


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
    head_epochs: float = 0.0  # over our own gold with encoder and spans fixed: minutes, for a teacher whose pair heads lag behind
    licences: str = "all"  # `free` leaves out corpora of GPL or unstated licence
    frozen: int = 0  # lowest layers of the encoder that stay as they are: a third less time where half of them do
    labels: str = ""  # folder of a teacher's labels (label.py), learnt after the gold, together with it
    label_epochs: float = 1.5
    more_epochs: float = 0.0  # then over our own gold and all annotations
    polish_epochs: float = 0.0  # and once more, with the errors that int8 will make
    gold_copies: int = 1  # of each gold record in the polish stage: annotators agree with it, but less than it does with itself
    hold_out: int = 0  # gold papers left out, every n-th, to tune thresholds on; 0 trains on all
    fold: int = 0  # which of them


FREE = {"scirex_abs", "tdmsci"}


def load(settings: Settings, tokenizer: Tokenizer, quick: bool) -> tuple[list[Document], list[Document], list[Document], list[Document]]:
    """(start, gold, annotated, held out) documents; dev papers are in none of them, and what is held out is gold."""
    data, notes = Path(settings.shared) / "data", Path(settings.shared) / "annotation"
    start: list[Document] = [] if settings.licences == "free" else scier(data / "scier.train.jsonl", tokenizer)
    most = {"gsap": 500, "csner": 300}
    for scheme in SCHEMES:
        if settings.licences == "all" or scheme in FREE:
            start += auxiliary(data / f"{scheme}.train.jsonl", scheme, tokenizer, most=most.get(scheme))
    own = gold([*lines(notes / "train.jsonl"), *lines(notes / "extra.jsonl")], read_papers(notes / "papers.jsonl"), tokenizer)
    held = [d for i, d in enumerate(own) if settings.hold_out and i % settings.hold_out == settings.fold]
    kept = [d for i, d in enumerate(own) if not (settings.hold_out and i % settings.hold_out == settings.fold)]
    rows = {row["id"]: row for row in annotated()}
    more = gold(rows.values(), {p["id"]: p for p in abstracts(Path(settings.shared)) if p["id"] in rows}, tokenizer)
    return (start[::40], kept[::10], more[::80], held) if quick else (start, kept, more, held)


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
    network: Network, documents: list[Document], epochs: float, settings: Settings, out: Path, name: str, log: Any, losses: Losses = joint
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
        settings = replace(settings, start_epochs=1, gold_epochs=1, label_epochs=1, more_epochs=1, polish_epochs=1)
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
    start, own, more, held = load(settings, tokenizer, args["quick"])
    counts = {"annotated": len(more), "gold": len(own) + len(held), "held out": len(held), "labelled": 0}
    pieces = sum(len(d.encoded.pieces) for d in own + more)
    log(f"{len(start)} start documents, {len(own)} gold, {len(more)} annotated, {len(held)} held out; {pieces} pieces of gold and annotated")
    network = Network(
        pretrained(Path(settings.encoder), settings.dropout), len(TYPES), {k: len(v) for k, v in SCHEMES.items()}, settings.head_dropout
    )
    network.encoder.word.weight.requires_grad_(False)  # half of the weights, which so little text would only disturb: a fifth of a step's time
    for layer in network.encoder.layers[: settings.frozen]:
        layer.requires_grad_(False)

    def once(name: str, documents: list[Document], epochs: float, losses: Losses = joint) -> None:
        """Train, or take the weights that an earlier call of this run left."""
        if not (out / f"{name}.pt").exists():
            stage(network, documents, epochs, settings, out, name, log, losses)
            torch.save(network.state_dict(), out / f"{name}.pt")
        network.load_state_dict(torch.load(out / f"{name}.pt"))

    if args["start"]:
        network.load_state_dict(torch.load(args["start"]))
    elif settings.start_epochs:
        once("start", start, settings.start_epochs)
    torch.manual_seed(settings.seed + 1)
    if settings.gold_epochs:
        once("gold", own, settings.gold_epochs)
    if settings.head_epochs:
        nn.ModuleList([network.encoder, network.spans]).requires_grad_(False)
        once("heads", own, settings.head_epochs, fixed(network, own, settings))
    if settings.labels:
        known = {d.encoded.text for d in own}
        taught = [d for d in label.documents(Path(settings.labels), tokenizer) if d.encoded.text not in known]
        counts["labelled"] = len(taught)
        log(f"{len(taught)} documents with teachers' labels")
        once("labels", taught + own, settings.label_epochs)
    if settings.more_epochs:
        once("more", own + more, settings.more_epochs)
    if settings.polish_epochs:
        for layer in network.encoder.layers:
            layer.int8 = True
        once("polish", own * settings.gold_copies + more, settings.polish_epochs)
    torch.save(network.state_dict(), out / "final.pt")
    (out / "counts.json").write_text(json.dumps(counts))  # for the model card
    log("done")


if __name__ == "__main__":
    main()
