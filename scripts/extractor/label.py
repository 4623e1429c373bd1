"""Teachers' answers on unlabelled abstracts, as soft labels that a smaller network trains on; several teachers are averaged.

    python scripts/extractor/label.py runs/labels runs/teacher runs/small --count 4000 --part 0/2   # two of these, 0/2 and 1/2, use two cores
    python scripts/extractor/train.py --out runs/small --labels runs/labels

Answers are kept with their texts, so that a run that was stopped goes on, and a larger count adds to what is there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import pickle
import random
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
from corpora import RELATIONS, Document, abstracts, lines  # noqa: E402
from evaluate import LABELS, TorchNetwork, load_network, tokenizer_of  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

from kgbuild.extraction.decisions import Decisions  # noqa: E402
from kgbuild.extraction.features import Floats, encode  # noqa: E402
from kgbuild.extraction.learned import LearnedExtractor  # noqa: E402
from kgbuild.extraction.windows import Part  # noqa: E402
from kgbuild.sources import read  # noqa: E402

SEEN = 0.03  # answers below this are as good as no


def key(text: str) -> str:
    """The title's letters and digits: what two copies of one paper share."""
    return re.sub(r"[\W_]+", "", text.split("\n", 1)[0].casefold())


def kept_back(shared: Path) -> set[str]:
    """Titles that no label may be made for: every paper with gold, and every seed paper, those without gold included."""
    return {key(p.title) for _, p in read([str(shared / "seeds")], on_problem=print)} | {
        key(row["title"]) for row in lines(shared / "annotation/papers.jsonl")
    }


def sample(shared: Path, count: int, seed: int) -> list[str]:
    """Texts of abstracts in a fixed random order, the first `count` of it."""
    without = kept_back(shared)
    texts = []
    for row in abstracts(shared):
        if 60 <= len(row["abstract"].split()) <= 300 and key(row["title"]) not in without:
            texts.append(f"{row['title']}\n{row['abstract']}")
    random.Random(seed).shuffle(texts)
    return texts[:count]


class Labeller(LearnedExtractor):
    """The teacher, asked for probabilities where the extractor asks for decisions."""

    raw: tuple[Floats, Floats] | None

    def _decide(self, part: Part, pair: Floats, unary: Floats) -> None:
        self.raw = pair, unary

    def label(self, text: str) -> dict[str, Any] | None:
        """The fields of a Document that a teacher fills; None where the text is no single window, or the teachers see different words in it."""
        encoded, end = encode(text, self.tokenizer)
        if end < len(text.rstrip()):
            return None
        self.raw = None
        try:
            _, spans = self.network.encode(encoded)
        except ValueError:
            return None
        part = self._window(encoded, None)
        rows, widths = np.nonzero(1 - spans[..., 0] > SEEN)
        inside = rows + widths < encoded.words
        out: dict[str, Any] = {
            "spans": [
                (int(a), int(w), [round(float(p), 4) for p in spans[a, w]]) for a, w in zip(rows[inside], widths[inside], strict=True)
            ],
            "words": [encoded.word_start.tolist(), encoded.word_end.tolist()],
        }
        if self.raw is not None:
            out |= self._graph(part, *self.raw)
        return out

    def _graph(self, part: Part, pair: Floats, unary: Floats) -> dict[str, Any]:
        count, types = part.entities, part.types
        logits = np.where(self._allowed[types[:, None], types[None]], pair[..., : 1 + len(RELATIONS)], -1e4)
        relation = torch.softmax(torch.from_numpy(logits.astype(np.float32)), -1).numpy()[:count, :count, 1:]
        role = torch.sigmoid(torch.from_numpy(pair[count:, :count, 1 + len(RELATIONS) :])).numpy()
        own, kinds = (
            torch.sigmoid(torch.from_numpy(unary[:count, :2])).numpy(),
            torch.softmax(torch.from_numpy(unary[count:, 2:]), -1).numpy(),
        )
        figure = role[..., 3].max(-1, initial=0.0) > 0.2  # the kind of a number that is no result means nothing
        return {
            "strings": [(o, s.occurrences) for o, s in zip(part.owner, part.strings, strict=True)],
            "entity_types": types[:count].tolist(),
            "relations": [(*map(int, at[[0, 2, 1]]), _round(relation[tuple(at)])) for at in np.argwhere(relation > SEEN) if at[0] != at[1]],
            "roles": [(int(n), int(r), int(e), _round(role[n, e, r])) for n, e, r in np.argwhere(role > SEEN)],
            "proposes": {i: _round(own[i, 0]) for i in range(count) if own[i, 0] > SEEN},
            "addresses": {i: _round(own[i, 1]) for i in range(count) if own[i, 1] > SEEN},
            "kinds": {int(i): [_round(p) for p in kinds[i]] for i in np.nonzero(figure)[0]},
        }


def _round(p: Any) -> float:
    return round(float(p), 4)


def kept(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(text, answers) of everything that was labelled so far; what an interrupted write left at the end of a file is passed over."""
    for path in sorted(folder.glob("*.pickle")):
        with path.open("rb") as stream:
            while True:
                try:
                    yield pickle.load(stream)
                except (EOFError, pickle.UnpicklingError):
                    break


def documents(folder: Path, tokenizer: Tokenizer) -> Iterator[Document]:
    """The labelled texts of a folder for a network with this tokenizer; texts whose words differ under it are left out."""
    for text, fields in kept(folder):
        start, end = fields.pop("words")
        encoded = encode(text, tokenizer)[0]
        if encoded.word_start.tolist() == start and encoded.word_end.tolist() == end:
            yield Document(hashlib.sha1(text.encode()).hexdigest()[:12], encoded, **fields)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the labels go")
    parser.add_argument("runs", type=Path, nargs="+", help="training runs of the teachers")
    parser.add_argument("--count", type=int, default=4000)
    parser.add_argument("--part", default="0/1", help="K/N: every N-th text, from the K-th")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after this long")
    args = parser.parse_args()
    torch.set_num_threads(1)
    settings = [json.loads((run / "settings.json").read_text()) for run in args.runs]
    encoders, which = [Path(s["encoder"]) for s in settings], tuple(map(int, args.part.split("/")))
    tokenizers = [tokenizer_of(encoder) for encoder in encoders]
    networks = TorchNetwork([load_network(run / "final.pt", e) for run, e in zip(args.runs, encoders, strict=True)], tokenizers)
    # a low threshold for names: the student should hear how unsure the teacher is of the doubtful ones
    teacher = Labeller(networks, tokenizers[0], LABELS, Decisions(mention=0.25), "teacher")
    args.folder.mkdir(parents=True, exist_ok=True)
    path = args.folder / f"{which[0]}-of-{which[1]}.pickle"
    done = {text for text, _ in kept(args.folder)}
    began, texts = time.monotonic(), sample(Path(settings[0]["shared"]), args.count, args.seed)[which[0] :: which[1]]
    with path.open("ab") as stream:
        for i, text in enumerate(texts):
            if text in done:
                continue
            with torch.autocast("cpu", torch.bfloat16):
                fields = teacher.label(text)
            networks.known.clear()
            if fields is not None:
                pickle.dump((text, fields), stream)
                stream.flush()
            if i % 100 == 99:
                spent = (time.monotonic() - began) / 60
                print(f"{i + 1}/{len(texts)} in {spent:.1f} min", flush=True)
                if spent > args.minutes:
                    break


if __name__ == "__main__":
    main()
