"""Edges with all their evidence, collected in columns: millions of pieces of evidence fit into little memory."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kgbuild.graph import EDGE_KEY
from kgbuild.resolution.belief import BeliefModel, Integers
from kgbuild.resolution.passages import NOWHERE, Span
from kgbuild.schema import RelationType

Key = tuple[str, str, str, str]
Quote = Callable[[int, int, int], str]
PART = 1 << 16  # rows


@dataclass(frozen=True, slots=True)
class Evidence:
    """One place in one paper (`paper` is its index) that supports an edge; `head` and `tail` are the mentions of the two ends."""

    paper: int
    passage: Span
    tail: Span
    confidence: float
    extractor: int
    head: Span = NOWHERE

    def turned(self) -> Evidence:
        """The same evidence for the edge written the other way round."""
        return Evidence(self.paper, self.passage, self.head, self.confidence, self.extractor, self.tail)


class EdgeCollector:
    """All edges of one relation; `add` takes evidence in any order, `table` gives the canonical Arrow table."""

    def __init__(self, relation: RelationType) -> None:
        """Start without edges."""
        self.relation = relation
        self.keys: dict[Key, int] = {}
        self.integers = [array("q") for _ in range(9)]  # edge, paper, start, end, head, head end, tail, tail end, extractor
        self.confidence = array("d")

    def add(self, source: tuple[str, str], target: tuple[str, str], evidence: Evidence) -> None:
        """Add evidence for the edge between two (type, id) ends; symmetric relations are stored once, smaller end first."""
        if self.relation.symmetric and target < source:
            source, target, evidence = target, source, evidence.turned()
        edge = self.keys.setdefault((*source, *target), len(self.keys))
        row = (edge, evidence.paper, *evidence.passage, *evidence.head, *evidence.tail, evidence.extractor)
        for column, value in zip(self.integers, row, strict=True):
            column.append(value)
        self.confidence.append(evidence.confidence)

    def add_background(self, source: tuple[str, str], target: tuple[str, str]) -> None:
        """State the edge from the vocabulary alone; changes nothing where a paper states it already."""
        self.keys.setdefault((*source, *target), len(self.keys))

    def table(self, papers: Sequence[str], quote: Quote, extractors: Sequence[str], model: BeliefModel) -> pa.Table:
        """The edge table, sorted by its ends, evidence by paper, start and end; the same span twice counts once.

        papers: ids in their order; quote: the text between two offsets of the paper of an index.
        """
        keys = sorted(self.keys)
        rank = np.empty(len(keys), np.int64)
        for position, key in enumerate(keys):
            rank[self.keys[key]] = position
        rows, confidence = self._sorted(rank)
        edge, paper = rows[:, 0], rows[:, 1]
        counts = np.bincount(edge, minlength=len(keys))
        belief = np.ones(len(keys))  # what only the vocabulary states is not in doubt
        belief[counts > 0] = model.combine(confidence, np.cumsum(counts > 0)[edge] - 1, paper)
        first = np.r_[True, (edge[1:] != edge[:-1]) | (paper[1:] != paper[:-1])] if len(edge) else np.zeros(0, bool)
        support = np.bincount(edge[first], minlength=len(keys))
        offsets = pa.array(np.r_[0, np.cumsum(counts)].astype(np.int32))
        lists = {
            "evidence_paper": pa.array(papers, pa.string()).take(pa.array(paper)),
            "evidence_start": rows[:, 2],
            "evidence_end": rows[:, 3],
            "evidence_text": _quotes(quote, rows[:, 1:4]),
            "evidence_head_start": rows[:, 4],
            "evidence_head_end": rows[:, 5],
            "evidence_tail_start": rows[:, 6],
            "evidence_tail_end": rows[:, 7],
            "evidence_confidence": confidence,
            "evidence_extractor": pa.array(extractors, pa.string()).take(pa.array(rows[:, 8])),
        }
        columns = {name: pa.ListArray.from_arrays(offsets, pa.array(values)) for name, values in lists.items()}
        columns |= {"belief": pa.array(belief), "support": pa.array(support), "background": pa.array(counts == 0)}
        columns |= {end: pa.array([key[i] for key in keys], pa.string()) for i, end in enumerate(EDGE_KEY)}
        arrow = self.relation.arrow
        return pa.Table.from_arrays([columns[field.name].cast(field.type) for field in arrow], schema=arrow)

    def _sorted(self, rank: Integers) -> tuple[Integers, NDArray[np.float64]]:
        """Evidence rows by edge, paper, passage and mentions, and their confidences; of equal rows the surest stays."""
        rows = np.stack([np.frombuffer(column, np.int64) if column else np.zeros(0, np.int64) for column in self.integers], axis=1)
        confidence = np.frombuffer(self.confidence) if self.confidence else np.zeros(0)
        if not len(rows):
            return rows, confidence
        rows[:, 0] = rank[rows[:, 0]]
        order = np.lexsort((-confidence, *rows.T[::-1]))
        rows, confidence = rows[order], confidence[order]
        fresh = np.r_[True, (rows[1:] != rows[:-1]).any(axis=1)]
        return rows[fresh], confidence[fresh]


def _quotes(quote: Quote, places: Integers) -> pa.Array:
    """The texts of rows of paper, start and end; a part at a time, as Python's own strings take several times the room."""
    parts = [places[at : at + PART].tolist() for at in range(0, len(places), PART)]
    return pa.concat_arrays([pa.array([quote(*place) for place in part], pa.string()) for part in parts] or [pa.array([], pa.string())])


def united(relation: RelationType, rows: Iterable[Mapping[str, Any]], model: BeliefModel) -> pa.Table:
    """Rows of an edge table, of which several may have the same ends, as the one table that all their evidence makes.

    What a row states without evidence is background, as in `add_background`.
    """
    rows = list(rows)
    papers = sorted({paper for row in rows for paper in row["evidence_paper"]})
    extractors = sorted({extractor for row in rows for extractor in row["evidence_extractor"]})
    index, method = ({text: place for place, text in enumerate(texts)} for texts in (papers, extractors))
    columns = ("paper", "start", "end", "head_start", "head_end", "tail_start", "tail_end", "confidence", "extractor", "text")
    quotes: dict[tuple[int, int, int], str] = {}
    collector = EdgeCollector(relation)
    for row in rows:
        source, target = (row["source_type"], row["source"]), (row["target_type"], row["target"])
        if not row["evidence_paper"]:
            collector.add_background(source, target)
        for paper, start, end, head, head_end, tail, tail_end, sure, extractor, text in zip(
            *(row[f"evidence_{name}"] for name in columns), strict=True
        ):
            quotes[index[paper], start, end] = text
            place = Evidence(index[paper], (start, end), (tail, tail_end), sure, method[extractor], (head, head_end))
            collector.add(source, target, place)
    return collector.table(papers, lambda paper, start, end: quotes[paper, start, end], extractors, model)
