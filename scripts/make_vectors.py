"""Make kgbuild/queries/meaning.npz: a vector for each word piece, whose sums resemble the encoder's own vectors of titles and names.

    pip install -e .[train]
    python scripts/make_vectors.py [--encoder FOLDER] [--shared ../shared]

The encoder (all-MiniLM-L6-v2, the one that the extractor starts from) reads the titles of the unlabelled abstracts and the names of the
gazetteers. Its vectors, brought to WIDTH numbers by their principal components, are what the sums of the pieces are fitted to. Each
fiftieth text is left out; for these is printed how well the sums rank the others against how the encoder does. Takes some minutes.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  as everybody calls it

sys.path[:0] = [str(Path(__file__).parent / "extractor"), str(Path(__file__).parents[1])]
from corpora import abstracts  # noqa: E402
from encoders import minilm  # noqa: E402
from network import Encoder, pretrained  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

from kgbuild.queries import vectors  # noqa: E402

WIDTH = 128
EPOCHS, BATCH, RATE = 12, 1024, 1e-3
NEAREST = 10  # neighbours that are compared
LONGEST = 48  # pieces of a text that are read


def texts(shared: Path) -> list[str]:
    """Titles and names, each once."""
    found = {paper["title"]: None for paper in abstracts(shared)}
    for name in ("tasks", "methods", "datasets", "metrics"):
        with (shared / "gazetteers" / f"{name}.tsv").open(encoding="utf-8") as stream:
            for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
                found[row["name"]] = None
    return [text for text in found if text.strip()]


@torch.no_grad()
def encoded(encoder: Encoder, pieces: Sequence[Sequence[int]], marks: tuple[int, int]) -> Tensor:
    """The encoder's vectors, (texts, hidden), of length 1: means over the pieces, which is what it was trained for."""
    result = torch.zeros(len(pieces), encoder.size.hidden)
    order = sorted(range(len(pieces)), key=lambda row: len(pieces[row]))
    for start in range(0, len(order), 256):
        rows = order[start : start + 256]
        whole = [torch.tensor([marks[0], *pieces[row], marks[1]]) for row in rows]
        padded = torch.nn.utils.rnn.pad_sequence(whole, batch_first=True)
        mask = torch.nn.utils.rnn.pad_sequence([torch.ones(len(row)) for row in whole], batch_first=True)
        hidden = encoder(padded, torch.zeros_like(padded), mask)
        result[rows] = F.normalize((hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True), dim=1)
        if start % 25600 == 0:
            print(f"encoder: {start:,} of {len(order):,} texts", flush=True)
    return result


def sums(table: torch.nn.EmbeddingBag, pieces: Sequence[Sequence[int]]) -> Tensor:
    lengths = torch.tensor([0, *(len(row) for row in pieces[:-1])])
    return F.normalize(table(torch.tensor([piece for row in pieces for piece in row]), lengths.cumsum(0)), dim=1)


def agreement(table: torch.nn.EmbeddingBag, pieces: Sequence[Sequence[int]], wanted: Tensor) -> float:
    """Share of each text's NEAREST by the encoder that are among those by the sums, over the texts left out."""
    ours = sums(table, pieces)
    near = [(x @ x.T).fill_diagonal_(-1).topk(NEAREST, dim=1).indices.tolist() for x in (ours, wanted)]
    return float(np.mean([len(set(a) & set(b)) / NEAREST for a, b in zip(*near, strict=True)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", type=Path)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    folder = options.encoder or minilm()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LONGEST)
    kept = [(text, ids) for text in texts(options.shared) if (ids := tokenizer.encode(text, add_special_tokens=False).ids)]
    pieces = [ids for _, ids in kept]
    encoder = pretrained(folder, 0.0).eval()
    marks = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    target = encoded(encoder, pieces, marks)
    held = range(0, len(pieces), 50)
    learnt = [row for row in range(len(pieces)) if row % 50]
    _, _, directions = torch.linalg.svd(target[learnt[::5]], full_matrices=False)
    small = F.normalize(target @ directions[:WIDTH].T, dim=1)
    alone = encoded(encoder, [[piece] for piece in range(encoder.size.vocab)], marks)
    counts = torch.bincount(torch.tensor([piece for row in learnt for piece in pieces[row]]), minlength=encoder.size.vocab).float()
    rarity = 1e-3 / (1e-3 + counts / counts.sum())  # frequent pieces say little: Arora et al. 2017, a simple but tough baseline
    table = torch.nn.EmbeddingBag.from_pretrained(alone @ directions[:WIDTH].T * rarity[:, None], freeze=False, mode="sum")
    wanted = target[list(held)]
    print(f"before fitting: {agreement(table, [pieces[row] for row in held], wanted):.3f} of the nearest agree", flush=True)
    adam = torch.optim.Adam(table.parameters(), lr=RATE)
    for epoch in range(EPOCHS):
        for group in adam.param_groups:
            group["lr"] = RATE * (1 - epoch / EPOCHS)
        order = torch.randperm(len(learnt)).tolist()
        for start in range(0, len(order), BATCH):
            rows = [learnt[place] for place in order[start : start + BATCH]]
            loss = (1 - (sums(table, [pieces[row] for row in rows]) * small[rows]).sum(1)).mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
        print(f"epoch {epoch + 1}: loss {loss.item():.4f}, {agreement(table, [pieces[row] for row in held], wanted):.3f} agree", flush=True)
    values = table.weight.detach().numpy()
    scale = np.abs(values).max(axis=1, keepdims=True) / 127
    rounded = np.round(values / np.maximum(scale, 1e-12)).astype(np.int8)
    vocabulary = vectors.vocabulary_digest(tokenizer)
    np.savez_compressed(vectors.MEANING, values=rounded, scale=scale.astype(np.float16), vocabulary=vocabulary)
    print(f"{vectors.MEANING}: {vectors.MEANING.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
