"""The learned extractor: scores from a network, decisions from thresholds that were tuned on held-out gold.

The network is any object with the three methods of `Network`; `kgbuild.extraction.onnx` runs the shipped one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from tokenizers import Tokenizer

from kgbuild.extraction.decisions import Decisions, Labels
from kgbuild.extraction.decode import String, cluster, nodes, pooling, strings
from kgbuild.extraction.features import (
    MAX_WIDTH,
    NUMBER_TYPE,
    PAIR_FEATURES,
    Encoded,
    Floats,
    Ints,
    encode,
    fold,
    pair_geometry,
    string_features,
)
from kgbuild.extraction.figures import Figure, figures
from kgbuild.extraction.lists import certain, listed, sorted_out
from kgbuild.extraction.windows import Part, unite
from kgbuild.records import Entity, Extraction, Paper
from kgbuild.schema import load_schema
from kgbuild.text import sentences


class Network(Protocol):
    """What scores a window of text; one window at a time, so that a text's scores never depend on its neighbours in a batch."""

    def encode(self, encoded: Encoded) -> tuple[Floats, Floats]:
        """Word vectors (words, hidden) and span probabilities (words, MAX_WIDTH, 1 + types)."""
        ...

    def nodes(self, words: Floats, first: Ints, width: Ints, types: Ints, pool: Floats, features: Floats) -> tuple[Floats, Floats]:
        """Node vectors (nodes, width) and probabilities that strings are one entity (strings, strings)."""
        ...

    def pairs(self, words: Floats, nodes: Floats, arrays: Mapping[str, Any]) -> tuple[Floats, Floats]:
        """Pair logits (entities, entities, 1 + relations + roles) and unary logits (entities, 2 + kinds)."""
        ...


class LearnedExtractor:
    """Turns papers into extractions with a network; satisfies the Extractor protocol."""

    def __init__(self, network: Network, tokenizer: Tokenizer, labels: Labels, decisions: Decisions, name: str) -> None:
        """The tokenizer must neither truncate nor pad; `name` is written on every edge."""
        self.network, self.tokenizer, self.labels, self.decisions = network, tokenizer, labels, decisions
        self._name = name
        self._allowed = labels.allowed(load_schema())
        self._symmetric = {i for i, r in enumerate(labels.relations) if load_schema().relations[r].symmetric}

    @property
    def name(self) -> str:
        """Name and version of the weights."""
        return self._name

    def extract(self, papers: Iterable[Paper]) -> Iterator[Extraction]:
        """One extraction for each paper, in order."""
        for paper in papers:
            yield self._extraction(paper, None)

    def relate(self, paper: Paper, entities: Sequence[Entity]) -> Extraction:
        """Relations, contributions and results between the given entities, which come back unchanged."""
        return self._extraction(paper, entities)

    def _extraction(self, paper: Paper, given: Sequence[Entity] | None) -> Extraction:
        parts, start, text = [], 0, paper.text
        bounds, end = sentences(text), len(text.rstrip())
        while start < end:
            encoded, start = encode(text, self.tokenizer, start, bounds)
            if encoded.words:
                parts.append(self._window(encoded, given))
        return unite(paper, parts, self.labels, self.decisions, given, self.name)

    def _window(self, encoded: Encoded, given: Sequence[Entity] | None) -> Part:
        words, probabilities = self.network.encode(encoded)
        if given is None:
            found, owner = strings(probabilities, encoded, self.decisions.mention), None
        else:
            found, owner = self._given(encoded, given)
        types = [s.type for s in found]
        n = nodes(encoded, [s.occurrences for s in found], types)
        if not len(n.first):
            return Part(encoded)
        features = np.zeros((n.strings, n.strings, PAIR_FEATURES), dtype=np.float32)
        features[: len(found), : len(found)] = string_features(n.keys, n.spans, encoded.text)
        vectors, same = self.network.nodes(words, n.first, n.last - n.first, n.type, pooling(n.string, n.strings)[0], features)
        if owner is None:
            owner = cluster(same, types, self.decisions.same)
        part = Part(encoded, found, owner)
        total = part.entities + len(encoded.numbers)
        entity = np.array([owner[s] if s < len(found) else part.entities + s - len(found) for s in n.string], dtype=np.int64)
        pool, members = pooling(entity, total)
        distance, between = pair_geometry(n.first, n.last, entity, encoded.sentence, total)
        part.types = self._entity_types(types, owner, part.entities, len(encoded.numbers))
        arrays = {
            "pool": pool, "members": members, "types": part.types, "counts": np.minimum(members.sum(1), 5).astype(np.int64),
            "distance": distance, "between": between,
        }  # fmt: skip
        pair, unary = self.network.pairs(words, vectors, arrays)
        self._decide(part, pair, unary)
        return part

    def _given(self, encoded: Encoded, given: Sequence[Entity]) -> tuple[list[String], list[int]]:
        """The given entities' mentions inside the window as strings; a mention that cuts a word takes the whole word."""
        found, owner, index = [], [], 0
        for entity in given:
            places: dict[str, list[tuple[int, int]]] = {}
            for start, end in entity.mentions:
                a = int(np.searchsorted(encoded.word_end, start, side="right"))
                b = int(np.searchsorted(encoded.word_start, end, side="left")) - 1
                if a <= b < encoded.words and encoded.word_start[0] <= start:
                    places.setdefault(fold(encoded.text[start:end]), []).append((a, min(b, a + MAX_WIDTH - 1)))
            for key, occurrences in sorted(places.items()):
                found.append(String(key, self.labels.types.index(entity.type), occurrences, entity.confidence, entity.eid))
                owner.append(index)
            index += bool(places)
        return found, owner

    @staticmethod
    def _entity_types(types: Sequence[int], owner: Sequence[int], entities: int, numbers: int) -> Ints:
        out = np.full(entities + numbers, NUMBER_TYPE, dtype=np.int64)
        for type_, entity in zip(types, owner, strict=True):
            out[entity] = type_
        return out

    def _decide(self, part: Part, pair: Floats, unary: Floats) -> None:
        """Fill the part with the relations, contributions and figures whose probabilities reach their thresholds."""
        count, relations = part.entities, 1 + len(self.labels.relations)
        types = part.types
        logits = np.where(self._allowed[types[:, None], types[None]], pair[..., :relations], -1e4)
        logits = np.exp(logits - logits.max(-1, keepdims=True))
        part.relations = self._relations((logits / logits.sum(-1, keepdims=True))[:count, :count])
        binary = _sigmoid(unary[:, :2])
        part.proposes = binary[:count, 0]
        part.addresses = np.where(types[:count] == self.labels.types.index("Task"), binary[:count, 1], np.float32(0)).astype(np.float32)
        roles = _sigmoid(pair[..., relations:])
        part.figures = self._figures(part, roles[count:, :count], unary[count:, 2:])

    def _relations(self, probabilities: Floats) -> list[tuple[int, int, int, float]]:
        """(head, relation, tail, probability): at most one for each two entities, the more probable direction."""
        out = []
        for i in range(len(probabilities)):
            for j in range(i):
                best = max(self._label(probabilities, j, i), self._label(probabilities, i, j), key=lambda row: row[3])
                if best[3] >= self.decisions.relation:
                    out.append(best)
        return out

    def _label(self, probabilities: Floats, head: int, tail: int) -> tuple[int, int, int, float]:
        row = probabilities[head, tail, 1:].copy()
        for i in self._symmetric:
            row[i] = (row[i] + probabilities[tail, head, 1 + i]) / 2
        label = int(row.argmax())
        return head, label, tail, float(row[label])

    def _figures(self, part: Part, roles: Floats, kinds: Floats) -> list[Figure]:
        names = {role: i for i, role in enumerate(self.labels.roles)}
        fits = {role: part.types[: part.entities] == self.labels.types.index(_role_type(role)) for role in names}
        scores = {role: np.where(fits[role], roles[..., i], 0) for role, i in names.items()}
        for role, corrected in (("metric", sorted_out), ("dataset", certain)):
            mentions = [(a, b, e) for s, e in zip(part.strings, part.owner, strict=True) if fits[role][e] for a, b in s.occurrences]
            scores[role] = corrected(scores[role], listed(part.encoded, mentions))
        return figures(part.encoded, scores, kinds, self.decisions.result, self.decisions.role)


def _sigmoid(logits: Floats) -> Floats:
    return (1 / (1 + np.exp(-logits))).astype(np.float32)


def _role_type(role: str) -> str:
    """The node type that a role of a result takes, from the ontology."""
    return next(r.patterns[0][1] for r in load_schema().group("result") if r.role == role)
