"""From the network's scores to strings, entities and an extraction. Numpy only, shared by training and the shipped model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from kgbuild.extraction.features import MAX_WIDTH, NUMBER_TYPE, Encoded, Floats, Ints, fold

SEEN = 0.05  # spans below this probability never start a string
_ACRONYM = re.compile(r"[A-Z0-9][\w.+\-]*[A-Z0-9+]|[A-Z]{2,}s?")


@dataclass(slots=True)
class String:
    """A name in one document: its folded key, type id, occurrences as word spans (first, last), probability in [0, 1].

    given: the eid where the entity was given and not found.
    """

    key: str
    type: int
    occurrences: list[tuple[int, int]]
    score: float
    given: str = ""


@dataclass(slots=True)
class Nodes:
    """Arrays that describe the nodes of one document: every mention of every string, then every number.

    first, last, type, string: int64 (nodes,); string counts numbers as strings of their own, after the names.
    """

    first: Ints
    last: Ints
    type: Ints
    string: Ints
    strings: int
    keys: list[str] = field(default_factory=list)
    spans: list[list[tuple[int, int]]] = field(default_factory=list)


def strings(probabilities: Floats, encoded: Encoded, threshold: float, limit: int = 80) -> list[String]:
    """The names of a document by decreasing certainty; every occurrence of a name counts, none overlaps a surer one.

    probabilities: float32 (words, MAX_WIDTH, 1 + types); class 0 is no mention. threshold: least mean probability of a name.
    """
    count = encoded.words
    certain = 1.0 - probabilities[..., 0]
    rows, widths = np.nonzero(certain > SEEN)
    whole_start, whole_end = _whole_words(encoded)
    inside = (rows + widths < count) & whole_start[rows] & whole_end[np.minimum(rows + widths, count - 1)]
    rows, widths = rows[inside], widths[inside]
    order = np.argsort(-certain[rows, widths], kind="stable")[: limit * 4]
    occurrences = _occurrences(encoded, rows[order], widths[order])
    free = np.ones(count, dtype=bool)
    chosen: list[String] = []
    for key, places in occurrences.items():
        left = [(a, b) for a, b in places if free[a : b + 1].all()]
        if not left:
            continue
        mean = np.mean([probabilities[a, b - a] for a, b in left], axis=0)
        if 1.0 - mean[0] < threshold:
            continue
        chosen.append(String(key, int(np.argmax(mean[1:])), sorted(left), float(1.0 - mean[0])))
        for a, b in left:
            free[a : b + 1] = False
        if len(chosen) == limit:
            break
    return chosen


def _whole_words(encoded: Encoded) -> tuple[np.ndarray, np.ndarray]:
    """Bool (words,) each: whether a mention may begin, or end, there. Windows may cut words, and Chinese signs are words of their own."""
    text = encoded.text

    def split(at: int) -> bool:
        return 0 < at < len(text) and _is_word(text[at - 1]) and _is_word(text[at])

    starts = np.array([not split(at) for at in encoded.word_start.tolist()], dtype=bool)
    return starts, np.array([not split(at) for at in encoded.word_end.tolist()], dtype=bool)


def _is_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_"


def _occurrences(encoded: Encoded, rows: Ints, widths: Ints) -> dict[str, list[tuple[int, int]]]:
    """Word spans of every occurrence of the candidates' surfaces, by folded key, surest key first."""
    text = encoded.text
    small_text = text.lower() if len(text.lower()) == len(text) else text  # some letters grow in lower case and would shift offsets
    whole_start, whole_end = _whole_words(encoded)
    first = {int(s): i for i, s in enumerate(encoded.word_start) if whole_start[i]}
    last = {int(e): i for i, e in enumerate(encoded.word_end) if whole_end[i]}
    found: dict[str, set[tuple[int, int]]] = {}
    searched: set[str] = set()
    for row, width in zip(rows.tolist(), widths.tolist(), strict=True):
        surface = text[encoded.word_start[row] : encoded.word_end[row + width]]
        if not any(c.isalnum() for c in surface):
            continue
        places = found.setdefault(fold(surface), set())
        places.add((row, row + width))
        small = surface.lower()
        if small in searched:
            continue
        searched.add(small)
        # Acronyms are looked up as they stand: `all` is no mention of ALL. Plain `find`: compiling a pattern for each surface costs more.
        whole, wanted = (text, surface) if _ACRONYM.fullmatch(surface) else (small_text, small)
        at = whole.find(wanted)
        while at >= 0:
            a, b = first.get(at), last.get(at + len(wanted))
            if a is not None and b is not None and a <= b < a + MAX_WIDTH:
                places.add((a, b))
            at = whole.find(wanted, at + 1)
    return {key: sorted(places) for key, places in found.items() if key}


def nodes(encoded: Encoded, occurrences: Sequence[Sequence[tuple[int, int]]], types: Sequence[int]) -> Nodes:
    """The node arrays for strings with the given occurrences (word spans) and type ids, plus the document's numbers."""
    rows = [(a, b, types[i], i) for i, places in enumerate(occurrences) for a, b in places]
    rows += [(n.first, min(n.last, n.first + MAX_WIDTH - 1), NUMBER_TYPE, len(types) + i) for i, n in enumerate(encoded.numbers)]
    table = np.array(rows, dtype=np.int64).reshape(-1, 4)
    spans = [[(int(encoded.word_start[a]), int(encoded.word_end[b])) for a, b in places] for places in occurrences]
    keys = [fold(encoded.text[places[0][0] : places[0][1]]) for places in spans]
    return Nodes(table[:, 0], table[:, 1], table[:, 2], table[:, 3], len(types) + len(encoded.numbers), keys, spans)


def pooling(owner: Ints, owners: int) -> tuple[Floats, Floats]:
    """(rows that sum to one, 0/1 membership), both float32 (owners, nodes)."""
    members = (owner[None, :] == np.arange(owners)[:, None]).astype(np.float32)
    return members / np.maximum(members.sum(1, keepdims=True), 1), members


def cluster(same: Floats, types: Sequence[int], threshold: float = 0.5) -> list[int]:
    """Entity of each string: average-linkage merging of strings of one type while the mean probability reaches `threshold`.

    same: float32 (strings, strings) probabilities. Returns entity indices in order of first string.
    """
    kinds = np.asarray(types)
    linked = np.where((kinds[:, None] == kinds[None]) & ~np.eye(len(kinds), dtype=bool), same[: len(kinds), : len(kinds)], -1.0)
    groups: dict[int, list[int]] = {i: [i] for i in range(len(kinds))}
    while linked.size and linked.max() > threshold:
        i, j = sorted(divmod(int(linked.argmax()), len(kinds)))
        mean = (len(groups[i]) * linked[i] + len(groups[j]) * linked[j]) / (len(groups[i]) + len(groups[j]))
        linked[i] = linked[:, i] = np.where((linked[i] < 0) | (linked[j] < 0), -1.0, mean)
        linked[j] = linked[:, j] = -1.0
        groups[i] += groups.pop(j)
    entity = [0] * len(types)
    for index, group in enumerate(sorted(groups.values(), key=min)):
        for i in group:
            entity[i] = index
    return entity
