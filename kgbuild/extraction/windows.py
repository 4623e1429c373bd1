"""The windows of one text as one extraction: entities of the same type that share a name are one, the surest statement counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from kgbuild.extraction.decisions import Decisions, Labels
from kgbuild.extraction.decode import String
from kgbuild.extraction.features import Encoded, Floats, Ints
from kgbuild.extraction.figures import Figure, unit_of
from kgbuild.records import Entity, Extraction, Paper, Relation, Result
from kgbuild.schema import load_schema
from kgbuild.text import sentences


@dataclass(slots=True)
class Part:
    """What one window says; entities are counted from 0, `owner` gives each string's entity.

    types: int64 (entities + numbers,). proposes, addresses: probabilities (entities,). relations: (head, label, tail, probability).
    """

    encoded: Encoded
    strings: list[String] = field(default_factory=list)
    owner: list[int] = field(default_factory=list)
    types: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    relations: list[tuple[int, int, int, float]] = field(default_factory=list)
    proposes: Floats = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    addresses: Floats = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    figures: list[Figure] = field(default_factory=list)

    @property
    def entities(self) -> int:
        """Number of entities."""
        return max(self.owner, default=-1) + 1


@dataclass(slots=True)
class _Merged:
    type: int
    spans: list[tuple[int, int]] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    given: str = ""


def unite(
    paper: Paper, parts: Sequence[Part], labels: Labels, decisions: Decisions, given: Sequence[Entity] | None, name: str
) -> Extraction:
    """One extraction of all windows, entities in order of their first mention; given entities keep their eids."""
    entities, index = _entities(parts)
    order = sorted(range(len(entities)), key=lambda i: min(entities[i].spans))
    eids = {i: entities[i].given or f"e{n + 1}" for n, i in enumerate(order)}
    relations: dict[tuple[str, str, str], float] = {}
    proposes: dict[str, float] = {}
    addresses: dict[str, float] = {}
    results: list[Result] = []
    for p, part in enumerate(parts):
        at = [eids[i] for i in index[p]]
        for head, label, tail, score in part.relations:
            head, tail = _oriented(part, head, tail) if _both_ways(labels, label) else (head, tail)
            key = (at[head], labels.relations[label], at[tail])
            if key[0] != key[2]:
                relations[key] = max(score, relations.get(key, 0.0))
        for target, scores in ((proposes, part.proposes), (addresses, part.addresses)):
            for i, score in enumerate(scores.tolist()):
                target[at[i]] = max(score, target.get(at[i], 0.0))
        results += [_result(paper.text, f, at, labels, decisions) for f in part.figures]
    position = {eid: n for n, eid in enumerate(eids[i] for i in order)}
    return Extraction(
        id=paper.id,
        entities=tuple(given) if given is not None else tuple(_entity(paper.text, eids[i], entities[i], labels, decisions) for i in order),
        relations=tuple(
            Relation(h, r, t, decisions.confidence("relation", s))
            for (h, r, t), s in sorted(relations.items(), key=lambda row: (position[row[0][0]], position[row[0][2]], row[0][1]))
        ),
        proposes=_kept(proposes, decisions.proposes, decisions, "proposes", position),
        addresses=_kept(addresses, decisions.addresses, decisions, "addresses", position, most=3),
        results=tuple(results),
        extractor=name,
    )


def _entities(parts: Sequence[Part]) -> tuple[list[_Merged], list[list[int]]]:
    """The united entities, and for each part the index of each of its entities."""
    merged: list[_Merged] = []
    by_name: dict[tuple[int, str], int] = {}
    index: list[list[int]] = []
    for part in parts:
        own = [-1] * part.entities
        for string, owner in zip(part.strings, part.owner, strict=True):
            known = by_name.get((string.type, string.given or string.key))
            if own[owner] < 0:
                own[owner] = len(merged) if known is None else known
            if own[owner] == len(merged):
                merged.append(_Merged(string.type, given=string.given))
            by_name.setdefault((string.type, string.given or string.key), own[owner])
            text = part.encoded
            merged[own[owner]].spans += [(int(text.word_start[a]), int(text.word_end[b])) for a, b in string.occurrences]
            merged[own[owner]].scores += [string.score] * len(string.occurrences)
        index.append(own)
    return merged, index


def _both_ways(labels: Labels, label: int) -> bool:
    return load_schema().relations[labels.relations[label]].symmetric


def _oriented(part: Part, head: int, tail: int) -> tuple[int, int]:
    """A symmetric relation starts at what the paper rather proposes, else at what it names first."""
    surer = float(part.proposes[head]) - float(part.proposes[tail])
    return (tail, head) if surer < -0.2 or (abs(surer) <= 0.2 and head > tail) else (head, tail)


def _kept(
    scores: dict[str, float], least: float, decisions: Decisions, part: str, position: dict[str, int], most: int = 99
) -> dict[str, float]:
    chosen = sorted((eid for eid, score in scores.items() if score >= least), key=lambda eid: -scores[eid])[:most]
    return {eid: decisions.confidence(part, scores[eid]) for eid in sorted(chosen, key=position.__getitem__)}


def _entity(text: str, eid: str, entity: _Merged, labels: Labels, decisions: Decisions) -> Entity:
    spans = tuple(sorted(set(entity.spans)))
    score = float(np.mean(entity.scores))
    return Entity(eid, labels.types[entity.type], _name([text[s:e] for s, e in spans]), spans, decisions.confidence("entity", score))


def _name(surfaces: Sequence[str]) -> str:
    """The longest surface that is no bare acronym; of equal ones the first."""
    expanded = [s for s in surfaces if not s.isupper()]
    return " ".join(max(expanded or surfaces, key=len).split())


def _result(text: str, figure: Figure, eids: Sequence[str], labels: Labels, decisions: Decisions) -> Result:
    number = figure.number
    roles = {role: None if i is None else eids[i] for role, i in figure.roles.items()}
    start, end = next(((s, e) for s, e in sentences(text) if s <= number.start < e), (number.start, number.end))
    return Result(
        value=number.value,
        unit=unit_of(number, text),
        kind=labels.kinds[figure.kind],
        quote=text[start:end],
        start=number.start,
        end=number.end,
        confidence=decisions.confidence("result", figure.probability),
        metric=roles["metric"] or "",
        method=roles["method"],
        dataset=roles["dataset"],
        task=roles["task"],
        baseline=roles["baseline"],
    )
