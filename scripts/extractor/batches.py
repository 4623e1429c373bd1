"""Documents as padded tensors, with the network's own wrong guesses among the strings so that the pair heads meet them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from corpora import KINDS, RELATIONS, ROLES, Document
from torch import Tensor

from kgbuild.extraction.decode import Nodes, nodes, pooling
from kgbuild.extraction.features import MAX_WIDTH, NUMBER_TYPE, PAIR_FEATURES, pair_geometry, string_features

PATTERNS = {
    "USED_FOR": ("MM", "MT"), "PART_OF": ("MM", "DD"), "SUBCLASS_OF": ("MM", "DD", "EE"), "SUBTASK_OF": ("TT",), "EVALUATED_ON": ("MD",),
    "TRAINED_ON": ("MD",), "BENCHMARK_FOR": ("DT",), "COMPARED_WITH": ("MM", "DD"), "MEASURED_BY": ("TE", "ME", "DE"),
}  # fmt: skip
SYMMETRIC = RELATIONS.index("COMPARED_WITH")
ROLE_TYPES = np.array([0, 2, 1, 3, 0])  # type id that each of ROLES takes


def allowed() -> Tensor:
    """(5, 5, 10) bool: which labels fit a pair of type ids; class 0, no relation, always does."""
    out = torch.zeros(NUMBER_TYPE + 1, NUMBER_TYPE + 1, len(RELATIONS) + 1, dtype=torch.bool)
    out[..., 0] = True
    for i, name in enumerate(RELATIONS):
        for a, b in PATTERNS[name]:
            out["MTDE".index(a), "MTDE".index(b), i + 1] = True
    return out


ALLOWED = allowed()


def pad(arrays: Sequence[np.ndarray], fill: float = 0) -> Tensor:
    """Stack arrays of one rank, padded at the end of each axis; long axes to multiples of 32, since every new shape costs a compilation."""
    shape = np.max([a.shape for a in arrays], axis=0)
    shape = np.where(shape > 64, -(-shape // 32) * 32, shape)
    out = np.full((len(arrays), *shape), fill, dtype=arrays[0].dtype)
    for i, a in enumerate(arrays):
        out[(i, *(slice(0, n) for n in a.shape))] = a
    return torch.from_numpy(out)


@dataclass
class Texts:
    pieces: Tensor
    shapes: Tensor
    mask: Tensor
    word_piece: Tensor
    word_mask: Tensor
    spans: Tensor  # (B, W, L, 1 + types) probabilities
    span_mask: Tensor


def texts(documents: Sequence[Document], pad_id: int, types: int) -> Texts:
    encoded = [d.encoded for d in documents]
    pieces, piece_mask = pad([e.pieces for e in encoded], pad_id), pad([np.ones(len(e.pieces), dtype=bool) for e in encoded])
    targets, masks = [], []
    for d in documents:
        target = np.zeros((d.encoded.words, MAX_WIDTH, types + 1), dtype=np.float32)
        target[..., 0] = 1
        for first, width, probabilities in d.spans:
            target[first, width] = probabilities
        targets.append(target)
        masks.append(np.arange(d.encoded.words)[:, None] + np.arange(MAX_WIDTH)[None] < d.encoded.words)
    words = pad([np.ones(e.words, dtype=bool) for e in encoded])
    return Texts(pieces, pad([e.shapes for e in encoded]), piece_mask, pad([e.word_piece for e in encoded]), words, pad(targets), pad(masks))


@dataclass
class Graphs:
    first: Tensor
    width: Tensor
    type: Tensor
    node_mask: Tensor
    string_pool: Tensor
    features: Tensor
    same: Tensor  # (B, S, S) 0/1
    same_mask: Tensor
    pool: Tensor
    members: Tensor
    entity_type: Tensor
    counts: Tensor
    entity_mask: Tensor
    distance: Tensor
    between: Tensor
    relation: Tensor  # (B, E, E, 10) probabilities
    relation_mask: Tensor
    role: Tensor  # (B, E, E, 5) probabilities, rows are numbers
    role_mask: Tensor
    unary: Tensor  # (B, E, 2 + kinds) probabilities
    unary_mask: Tensor


def _graph(doc: Document, extra: Sequence[tuple[int, list[tuple[int, int]]]], fits: np.ndarray, symmetric: int | None) -> dict[str, np.ndarray]:
    """Arrays of one document; `extra` are strings that are no gold entity: (type id, occurrences)."""
    string_types = [doc.entity_types[e] for e, _ in doc.strings] + [t for t, _ in extra]
    occurrences = [o for _, o in doc.strings] + [o for _, o in extra]
    gold, names = len(doc.entity_types), len(string_types)
    entity = [e for e, _ in doc.strings] + [gold + i for i in range(len(extra))]
    n: Nodes = nodes(doc.encoded, occurrences, string_types)
    concepts = gold + len(extra)
    owner = np.array([entity[s] if s < names else concepts + s - names for s in n.string], dtype=np.int64)
    total = concepts + len(doc.encoded.numbers)
    types = np.array([*doc.entity_types, *(t for t, _ in extra), *([NUMBER_TYPE] * len(doc.encoded.numbers))], dtype=np.int64)
    features = np.zeros((n.strings, n.strings, PAIR_FEATURES), dtype=np.float32)
    features[:names, :names] = string_features(n.keys, n.spans, doc.encoded.text)
    ids, kinds = np.array(entity, dtype=np.int64), np.array(string_types, dtype=np.int64)
    same, same_mask = np.zeros((n.strings, n.strings), dtype=np.float32), np.zeros((n.strings, n.strings), dtype=bool)
    same[:names, :names] = ids[:, None] == ids[None]
    real = ids < gold
    same_mask[:names, :names] = (kinds[:, None] == kinds[None]) & ~np.eye(names, dtype=bool) & real[:, None] & real[None]
    pool, members = pooling(owner, total)
    distance, between = pair_geometry(n.first, n.last, owner, doc.encoded.sentence, total)
    arrays = {
        "first": n.first, "width": n.last - n.first, "type": n.type, "node_mask": np.ones(len(n.first), dtype=bool),
        "string_pool": pooling(n.string, n.strings)[0], "features": features, "same": same, "same_mask": same_mask, "pool": pool,
        "members": members, "entity_type": types, "counts": np.minimum(members.sum(1), 5).astype(np.int64),
        "entity_mask": np.ones(total, dtype=bool), "distance": distance, "between": between,
    }  # fmt: skip
    return arrays | _targets(doc, types, concepts, distance, fits, symmetric)


def _targets(
    doc: Document, types: np.ndarray, concepts: int, distance: np.ndarray, fits: np.ndarray, symmetric: int | None
) -> dict[str, np.ndarray]:
    total = len(types)
    relation = np.zeros((total, total, fits.shape[-1]), dtype=np.float32)
    role = np.zeros((total, total, len(ROLES)), dtype=np.float32)
    unary = np.zeros((total, 2 + len(KINDS)), dtype=np.float32)
    unary_mask = np.zeros((total, 2 + len(KINDS)), dtype=bool)
    for h, label, t, p in doc.relations:
        if not fits[types[h], types[t], label + 1]:
            continue  # SciER allows more patterns than the ontology
        relation[h, t, label + 1] = p
        if label == symmetric and not any((a, b) == (t, h) for a, _, b, _ in doc.relations):
            relation[t, h, label + 1] = p
    over = relation.sum(-1, keepdims=True)
    relation = np.where(over > 1, relation / np.maximum(over, 1), relation)
    relation[..., 0] = 1 - relation.sum(-1)
    mask = fits[..., 1:].any(-1)[types[:, None], types[None]] & ~np.eye(total, dtype=bool)
    if not doc.across:
        mask &= distance < 14
    for number, r, entity, p in doc.roles:
        role[concepts + number, entity, r] = p
    role_mask = (types[:, None, None] == NUMBER_TYPE) & (types[None, :, None] == ROLE_TYPES) & doc.paper
    for index, column in ((doc.proposes, 0), (doc.addresses, 1)):
        for entity, p in index.items():
            unary[entity, column] = p
    unary_mask[:concepts, 0] = doc.paper
    unary_mask[:concepts, 1] = doc.paper & (types[:concepts] == 1)
    for number, probabilities in doc.kinds.items():
        unary[concepts + number, 2:] = probabilities
        unary_mask[concepts + number, 2:] = True
    return {"relation": relation, "relation_mask": mask, "role": role, "role_mask": role_mask, "unary": unary, "unary_mask": unary_mask}


def graphs(
    documents: Sequence[Document],
    extras: Sequence[Sequence[tuple[int, list[tuple[int, int]]]]],
    allowed: Tensor = ALLOWED,
    symmetric: int | None = SYMMETRIC,
) -> Graphs:
    """Padded arrays of the documents with further strings each; allowed: which labels fit a pair of type ids."""
    rows = [_graph(d, e, allowed.numpy(), symmetric) for d, e in zip(documents, extras, strict=True)]
    return Graphs(**{name: pad([row[name] for row in rows]) for name in rows[0]})


def epochs(documents: Sequence[Document], size: int, rng: random.Random) -> Iterator[list[Document]]:
    """Batches of documents of like length and one scheme, in random order: `size` counts pieces of a padded batch."""
    shuffled = sorted(documents, key=lambda d: (d.scheme or "", len(d.encoded.pieces) + rng.random() * 40))
    batches: list[list[Document]] = []
    for doc in shuffled:
        full = bool(batches) and (len(batches[-1]) + 1) * len(doc.encoded.pieces) > size
        if not batches or full or batches[-1][0].scheme != doc.scheme:
            batches.append([])
        batches[-1].append(doc)
    rng.shuffle(batches)
    yield from batches


