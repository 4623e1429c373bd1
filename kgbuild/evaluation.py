"""Scores of extraction records against gold records, by the definitions of the annotation guidelines.

What is counted, summed over all gold papers (a paper without a prediction counts as one with nothing):

mention    exact start, end and type
entity     node of a paper: same type and a shared surface, matched one to one
relation   head, label and tail, both ends matched; symmetric relations either way round
proposes   entities that the paper introduces
addresses  tasks that the paper is about
value      result with the right metric and the right number
result     result with the right metric, number, method and dataset, an empty one included
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kgbuild.errors import InputError, RecordError
from kgbuild.extraction.records import match_surfaces
from kgbuild.schema import load_schema

MEASURES = ("mention", "entity", "relation", "proposes", "addresses", "value", "result")
Record = Mapping[str, Any]
EMPTY: Record = {"entities": [], "relations": []}


@dataclass(slots=True)
class Count:
    """Right, predicted and gold items."""

    right: int = 0
    predicted: int = 0
    gold: int = 0

    def add(self, other: Count, times: int = 1) -> None:
        """Take in the items of another count."""
        self.right += times * other.right
        self.predicted += times * other.predicted
        self.gold += times * other.gold

    @property
    def precision(self) -> float:
        """Right among the predicted, in [0, 1]; 0 where nothing is predicted."""
        return self.right / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Right among the gold, in [0, 1]; 0 where there is no gold."""
        return self.right / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of the two."""
        precision, recall = self.precision, self.recall
        return 2 * precision * recall / (precision + recall) if self.right else 0.0


@dataclass(slots=True)
class Scores:
    """Counts of one paper or of many: by measure, of entities by type, of relations by label."""

    measures: dict[str, Count] = field(default_factory=lambda: {name: Count() for name in MEASURES})
    types: dict[str, Count] = field(default_factory=dict)
    labels: dict[str, Count] = field(default_factory=dict)

    def add(self, other: Scores, times: int = 1) -> None:
        """Take in the counts of other papers."""
        for mine, theirs in ((self.measures, other.measures), (self.types, other.types), (self.labels, other.labels)):
            for name, count in theirs.items():
                mine.setdefault(name, Count()).add(count, times)

    def f1(self) -> dict[str, float]:
        """F1 by measure in percent, rounded to two digits."""
        return {name: round(100 * count.f1, 2) for name, count in self.measures.items()}


@dataclass(frozen=True, slots=True)
class Scored:
    """One paper: its scores, and which gold eid each predicted eid stands for."""

    id: str
    scores: Scores
    matched: Mapping[str, str]


def score(gold: Mapping[str, Record], predicted: Mapping[str, Record], texts: Mapping[str, str]) -> tuple[Scores, list[Scored]]:
    """Scores over all gold papers and of each, in the order of `gold`; records and texts by paper id.

    Predicted entities are matched on the text of their `mentions`; without those their surfaces are looked up in the text.
    """
    papers = [score_paper(id_, record, predicted.get(id_, EMPTY), texts[id_]) for id_, record in gold.items()]
    total = Scores()
    for paper in papers:
        total.add(paper.scores)
    return total, papers


def score_paper(id_: str, gold: Record, predicted: Record, text: str) -> Scored:
    """Scores of one paper; raises RecordError where a record lacks what is scored."""
    try:
        return _score_paper(id_, gold, predicted, text)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordError(f"record {id_!r}: cannot be scored: {error!r}", "see the record format in docs/records.md") from error


def _score_paper(id_: str, gold: Record, predicted: Record, text: str) -> Scored:
    matched = match_entities(gold["entities"], predicted["entities"], text)

    def named(eid: Any) -> Any:
        """A predicted entity in the words of the gold record; one that is not there stays a stranger."""
        return matched.get(eid, ("unmatched", eid))

    scores = Scores()
    measure = scores.measures
    measure["mention"] = _compare(mentions(gold, text), mentions(predicted, text))
    measure["entity"] = _compare([e["eid"] for e in gold["entities"]], [named(e["eid"]) for e in predicted["entities"]])
    theirs, ours = _relations(gold, lambda eid: eid), _relations(predicted, named)
    measure["relation"] = _compare(theirs, ours)
    for key in ("proposes", "addresses"):
        measure[key] = _compare(gold.get(key, []), [named(eid) for eid in predicted.get(key, [])])
    for key, roles in (("value", ()), ("result", ("method", "dataset"))):
        measure[key] = _compare(_results(gold, roles, lambda eid: eid), _results(predicted, roles, named))
    found = set(matched.values())
    for entity in gold["entities"]:
        scores.types.setdefault(entity["type"], Count()).add(Count(right=entity["eid"] in found, gold=1))
    for entity in predicted["entities"]:
        scores.types.setdefault(entity["type"], Count()).add(Count(predicted=1))
    for row in theirs | ours:
        scores.labels.setdefault(row[1], Count()).add(Count(row in theirs and row in ours, row in ours, row in theirs))
    return Scored(id_, scores, matched)


def _compare(gold: Iterable[Hashable], predicted: Iterable[Hashable]) -> Count:
    ours, theirs = Counter(predicted), Counter(gold)
    return Count((ours & theirs).total(), ours.total(), theirs.total())


def fold(surface: str) -> str:
    """What two surfaces of one thing share: case, hyphens, slashes, outer punctuation and a plural s do not matter."""
    plain = re.sub(r"[\s\-_/]+", " ", surface.casefold()).strip(" .,;:'\"()[]")
    return re.sub(r"([a-z]{3})s$", r"\1", plain)


def mentions(record: Record, text: str) -> set[tuple[int, int, str]]:
    """(start, end, type) of every mention: as given, or of surfaces where they stand as whole words, the longest first."""
    types = {entity["eid"]: entity["type"] for entity in record["entities"]}
    given = {(start, end, entity["type"]) for entity in record["entities"] for start, end in entity.get("mentions", ())}
    looked_up = {entity["eid"]: entity["surfaces"] for entity in record["entities"] if "mentions" not in entity}
    return given | {(start, end, types[eid]) for eid, spans in match_surfaces(looked_up, text).items() for start, end in spans}


def match_entities(gold: Sequence[Record], predicted: Sequence[Record], text: str) -> dict[str, str]:
    """Predicted eid -> gold eid, one to one: those that share most surfaces first, then by gold and by predicted eid."""
    folded = [(entity, _folded(entity, text)) for entity in predicted]
    pairs = []
    for theirs in gold:
        surfaces = _folded(theirs, text)
        for ours, forms in folded:
            shared = len(surfaces & forms) if ours["type"] == theirs["type"] else 0
            if shared:
                pairs.append((-shared, theirs["eid"], ours["eid"]))
    matched: dict[str, str] = {}
    taken: set[str] = set()
    for _, their_eid, our_eid in sorted(pairs):
        if their_eid not in taken and our_eid not in matched:
            matched[our_eid] = their_eid
            taken.add(their_eid)
    return matched


def _folded(entity: Record, text: str) -> set[str]:
    if "mentions" in entity:
        return {fold(text[start:end]) for start, end in entity["mentions"]}
    return {fold(surface) for surface in entity["surfaces"] if surface in text}


def _relations(record: Record, named: Any) -> set[tuple[Any, str, Any]]:
    known = load_schema().relations
    rows = set()
    for head, label, tail in record["relations"]:
        ends = (named(head), named(tail))
        if label in known and known[label].symmetric:
            ends = tuple(sorted(ends, key=str))
        rows.add((ends[0], label, ends[1]))
    return rows


def _results(record: Record, roles: Sequence[str], named: Any) -> list[tuple[Any, ...]]:
    return [
        (named(row["metric"]), _number(row["value"]), *(named(row[role]) if row.get(role) else None for role in roles))
        for row in record.get("results", [])
    ]


def _number(value: Any) -> str:
    """A value in one spelling, so that `1,000` and `+1000.0%` agree; what is no number stays as it is."""
    plain = str(value).replace(",", "").strip().lstrip("+~≈").rstrip("%xX")
    try:
        return str(float(plain))
    except ValueError:
        return plain


def intervals(papers: Sequence[Scored], samples: int, *, level: float = 0.95, seed: int = 0) -> dict[str, tuple[float, float]]:
    """Percentile bootstrap intervals of F1 by measure, in percent: papers are drawn with replacement `samples` times.

    level: probability mass of the interval, in (0, 1). The same papers and seed give the same intervals.
    """
    import numpy as np

    rows = [[(c.right, c.predicted, c.gold) for c in (paper.scores.measures[name] for name in MEASURES)] for paper in papers]
    counts = np.array(rows, dtype=np.int64).reshape(len(papers), len(MEASURES), 3)
    drawn = np.random.default_rng(seed).multinomial(len(papers), [1 / len(papers)] * len(papers), size=samples)
    right, predicted, gold = np.moveaxis(np.einsum("sp,pmc->smc", drawn, counts), -1, 0)
    # 2PR / (P + R) with the counts put in
    f1 = 200 * right / np.maximum(predicted + gold, 1)
    low, high = np.quantile(f1, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return {name: (round(float(low[i]), 2), round(float(high[i]), 2)) for i, name in enumerate(MEASURES)}


def table(scores: Scores, bounds: Mapping[str, tuple[float, float]] | None = None) -> str:
    """The scores as text: precision, recall and F1 in percent and the number of gold items; types and labels in the ontology's order."""
    schema = load_schema()
    lines: list[str] = []
    parts = (
        ("", scores.measures, list(MEASURES)),
        ("entity, by type", scores.types, _ordered(scores.types, schema.nodes)),
        ("relation, by label", scores.labels, _ordered(scores.labels, schema.relations)),
    )
    for title, rows, names in parts:
        lines.append(f"\n{title:<18}{'P':>8}{'R':>8}{'F1':>8}{'gold':>8}{'   95 % interval of F1' if bounds and not title else ''}")
        for name in names:
            count = rows[name]
            figures = "".join(f"{100 * figure:8.2f}" for figure in (count.precision, count.recall, count.f1))
            interval = f"{bounds[name][0]:10.2f} - {bounds[name][1]:.2f}" if bounds and not title else ""
            lines.append(f"{name:<18}{figures}{count.gold:8d}{interval}")
    return "\n".join(lines)


def _ordered(rows: Mapping[str, Count], known: Iterable[str]) -> list[str]:
    order = {name: number for number, name in enumerate(known)}
    return sorted(rows, key=lambda name: (order.get(name, len(order)), name))


def read_records(paths: Iterable[Path]) -> dict[str, Record]:
    """Records of JSONL files by paper id; of several for one paper the last counts.

    Raises InputError for a file or line that cannot be read.
    """
    rows: dict[str, Record] = {}
    for path in paths:
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(str(path), getattr(error, "strerror", None) or "is not UTF-8 text") from error
        for number, line in enumerate(lines, 1):
            if line.strip():
                row = _row(line, str(path), f"line {number}")
                rows[row["id"]] = row
    return rows


def _row(line: str, path: str, position: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(path, f"is not JSON: {error}", position=position) from error
    lists = isinstance(row, dict) and all(isinstance(row.get(key), list) for key in ("entities", "relations"))
    if not lists or not isinstance(row.get("id"), str):
        raise InputError(path, "is no extraction record", position=position, hint="see docs/records.md")
    found: dict[str, Any] = row
    return found
