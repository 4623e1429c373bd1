"""What the network is trained on: the loss of each part of it over a batch of documents."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Protocol

import batches
import numpy as np
import torch
from corpora import SCHEMES, TYPES, Document
from network import Network
from torch import Tensor
from torch.nn import functional as F

from kgbuild.extraction.decode import strings

WEIGHTS = {"span": 1.0, "same": 0.5, "relation": 1.0, "role": 0.5, "unary": 0.5}
Guess = tuple[int, list[tuple[int, int]]]  # type id and the occurrences, first and last word, of a string that is no gold mention


class Guessing(Protocol):
    """The settings of a run that the losses ask for."""

    guesses: float
    guess_from: float


Losses = Callable[[Network, list[Document], Guessing, random.Random], dict[str, Tensor]]


def soft_cross_entropy(logits: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    losses = -(target * F.log_softmax(logits.float(), -1)).sum(-1)
    return (losses * mask).sum()


def masked_binary(logits: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    return (F.binary_cross_entropy_with_logits(logits.float(), target, reduction="none") * mask).sum()


def guesses(probabilities: np.ndarray, doc: Document, least: float) -> list[Guess]:
    """The strings that the network would find with at least this probability and that are no gold mention."""
    right = {(a, a + w) for a, w, _ in doc.spans}
    found = strings(probabilities[: doc.encoded.words], doc.encoded, least, limit=40)
    wrong = [(s.type, [o for o in s.occurrences if o not in right]) for s in found]
    return [(type_, occurrences) for type_, occurrences in wrong if occurrences]


def some(guessed: list[Guess], settings: Guessing, rng: random.Random) -> list[Guess]:
    """A random share of the wrong strings, at most twelve."""
    return [g for g in guessed if rng.random() < settings.guesses][:12]


def joint(network: Network, documents: list[Document], settings: Guessing, rng: random.Random) -> dict[str, Tensor]:
    """Each part as a sum over the batch, divided by the number of gold mentions (or documents where there are none)."""
    scheme = documents[0].scheme
    t = batches.texts(documents, 0, len(SCHEMES[scheme]) if scheme else len(TYPES))
    with torch.autocast("cpu", torch.bfloat16):
        words = network.words(t.pieces, t.shapes, t.mask, t.word_piece)
        logits = network.spans.logits(network.spans(words), scheme)
    scale = max(float((t.spans[..., 1:].sum(-1) * t.span_mask).sum()), len(documents))
    out = {"span": soft_cross_entropy(logits, t.spans, t.span_mask) / scale}
    if scheme:
        return out
    probabilities = torch.softmax(logits.detach().float(), -1).numpy()
    extras = [some(guesses(p, d, settings.guess_from), settings, rng) for p, d in zip(probabilities, documents, strict=True)]
    return out | graph(network, documents, extras, words, t.word_mask)


def graph(network: Network, documents: list[Document], extras: Sequence[Sequence[Guess]], words: Tensor, word_mask: Tensor) -> dict[str, Tensor]:
    """The losses of everything after the spans."""
    g = batches.graphs(documents, extras)
    with torch.autocast("cpu", torch.bfloat16):
        spans = network.spans.hidden(words, g.first, g.width)
        nodes = network.nodes(spans, g.type, g.node_mask, words, word_mask)
        same = network.nodes.strings(nodes, g.string_pool, g.features)
        pair, unary = network.pairs(
            nodes, g.pool, g.members, g.entity_type, g.counts, g.entity_mask, words, word_mask, g.distance, g.between)  # fmt: skip
    valid = g.entity_mask[:, :, None] & g.entity_mask[:, None]
    fits = batches.ALLOWED[g.entity_type[:, :, None], g.entity_type[:, None]]
    relation = pair[..., : fits.shape[-1]].float().masked_fill(~fits, -1e4)
    count = max(float(g.relation[..., 1:].sum()), len(documents))
    out = {
        "same": masked_binary(same, g.same, g.same_mask) / max(float((g.same * g.same_mask).sum()), len(documents)),
        "relation": soft_cross_entropy(relation, g.relation, g.relation_mask & valid) / count,
    }
    if any(d.paper for d in documents):
        out["role"] = masked_binary(pair[..., fits.shape[-1] :], g.role, g.role_mask & valid[..., None]) / len(documents)
        binary = masked_binary(unary[..., :2], g.unary[..., :2], g.unary_mask[..., :2] & g.entity_mask[..., None])
        kinds = soft_cross_entropy(unary[..., 2:], g.unary[..., 2:], g.unary_mask[..., 2])
        out["unary"] = (binary + kinds) / len(documents)
    return out


@torch.no_grad()
def fixed(network: Network, documents: list[Document], settings: Guessing) -> Losses:
    """The losses after the spans alone, over word vectors and wrong strings that are computed here once: no encoder pass in a step."""
    vectors: dict[str, Tensor] = {}
    wrong: dict[str, list[Guess]] = {}
    network.eval()
    for at in range(0, len(documents), 4):
        batch = documents[at : at + 4]
        t = batches.texts(batch, 0, len(TYPES))
        with torch.autocast("cpu", torch.bfloat16):
            words = network.words(t.pieces, t.shapes, t.mask, t.word_piece)
            logits = network.spans.logits(network.spans(words))
        for doc, w, p in zip(batch, words, torch.softmax(logits.float(), -1).numpy(), strict=True):
            vectors[doc.id] = w[: doc.encoded.words].to(torch.bfloat16).clone()
            wrong[doc.id] = guesses(p, doc, settings.guess_from)

    def losses(network: Network, documents: list[Document], settings: Guessing, rng: random.Random) -> dict[str, Tensor]:
        longest = -(-max(d.encoded.words for d in documents) // 32) * 32
        words = torch.stack([F.pad(v, (0, 0, 0, longest - len(v))) for v in (vectors[d.id] for d in documents)])
        mask = torch.arange(longest)[None] < torch.tensor([d.encoded.words for d in documents])[:, None]
        return graph(network, documents, [some(wrong[d.id], settings, rng) for d in documents], words, mask)

    return losses
