"""Edges with all their evidence, collected in columns: millions of pieces of evidence fit into little memory."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kgbuild.resolution.belief import BeliefModel
from kgbuild.resolution.passages import NOWHERE, Span
from kgbuild.schema import RelationType

End = tuple[str, str]  # type, id
Places = NDArray[np.int32]
T = TypeVar("T", str, End)
Quote = Callable[[int, int, int], str]
PART = 1 << 16  # rows that are Python objects at once
HALF = 32  # bits of an end in an edge


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


class Order(Generic[T]):
    """Distinct things in their order: `rank` of the thing at each place before, and `place` before of the thing of each rank."""

    def __init__(self, things: Sequence[T]) -> None:
        """Order things that come in any order."""
        self.place = np.array(sorted(range(len(things)), key=things.__getitem__), np.int32)
        self.rank = np.empty(len(things), np.int32)
        self.rank[self.place] = np.arange(len(things), dtype=np.int32)
        self.sorted = [things[at] for at in self.place]


class Ends:
    """Ends of edges by number, in the order in which they came; in their own order once all are there."""

    def __init__(self) -> None:
        """Start without ends."""
        self.numbers: dict[End, int] = {}

    def number(self, end: End) -> int:
        """The end's number, a new one where it is new."""
        return self.numbers.setdefault(end, len(self.numbers))

    @cached_property
    def ranks(self) -> Places:
        """The rank of each end by its number."""
        return self._order.rank

    @cached_property
    def columns(self) -> tuple[pa.Array, pa.Array]:
        """Types and ids by rank."""
        types, ids = zip(*self._order.sorted, strict=True) if self.numbers else ((), ())
        return pa.array(types, pa.string()), pa.array(ids, pa.string())

    @cached_property
    def _order(self) -> Order[End]:
        return Order(list(self.numbers))


class EdgeCollector:
    """All edges of one relation; `add` takes evidence in any order, `table` gives the canonical Arrow table.

    Ends are kept by their number in `ends`, which collectors of one graph share: the first table closes them all.
    """

    def __init__(self, relation: RelationType, ends: Ends) -> None:
        """Start without edges."""
        self.relation = relation
        self.ends = ends
        self.background: set[tuple[int, int]] = set()
        self.columns = [array("i") for _ in range(10)]  # source, target, paper, start, end, head, head end, tail, tail end, extractor
        self.confidence = array("d")

    def add(self, source: End, target: End, evidence: Evidence) -> None:
        """Add evidence for the edge between two (type, id) ends; symmetric relations are stored once, smaller end first."""
        if self.relation.symmetric and target < source:
            source, target, evidence = target, source, evidence.turned()
        places = (*evidence.passage, *evidence.head, *evidence.tail)
        row = (self.ends.number(source), self.ends.number(target), evidence.paper, *places, evidence.extractor)
        for column, value in zip(self.columns, row, strict=True):
            column.append(value)
        self.confidence.append(evidence.confidence)

    def add_background(self, source: End, target: End) -> None:
        """State the edge from the vocabulary alone; changes nothing where a paper states it too."""
        self.background.add((self.ends.number(source), self.ends.number(target)))

    def table(self, papers: Sequence[str], quote: Quote, extractors: Sequence[str], model: BeliefModel) -> pa.Table:
        """The edge table, sorted by its ends, evidence by paper, start and end; the same span twice counts once.

        papers: the ids that the indices of papers stand for, in any order, and `extractors` likewise; quote: the text between two
        offsets of the paper of an index.
        """
        ids, methods = Order(papers), Order(extractors)
        rows, confidence = self._sorted(ids.rank, methods.rank)
        told = _packed(rows[:, 0], rows[:, 1])
        background = np.array(sorted(self.background), np.int32).reshape(-1, 2)
        stated = _packed(*self.ends.ranks[background].T)
        keys = np.unique(np.r_[told, stated])
        edge, paper = np.searchsorted(keys, told), rows[:, 2]
        counts = np.bincount(edge, minlength=len(keys))
        belief = np.ones(len(keys))  # what only the vocabulary states is not in doubt
        belief[counts > 0] = model.combine(confidence, np.cumsum(counts > 0)[edge] - 1, paper)
        first = np.r_[True, (edge[1:] != edge[:-1]) | (paper[1:] != paper[:-1])] if len(edge) else np.zeros(0, bool)
        support = np.bincount(edge[first], minlength=len(keys))
        offsets = pa.array(np.r_[0, np.cumsum(counts)].astype(np.int32))
        lists = {
            "evidence_paper": pa.array(ids.sorted, pa.string()).take(pa.array(paper)),
            "evidence_start": rows[:, 3],
            "evidence_end": rows[:, 4],
            "evidence_text": _quotes(quote, np.stack([ids.place[paper], rows[:, 3], rows[:, 4]], axis=1)),
            "evidence_head_start": rows[:, 5],
            "evidence_head_end": rows[:, 6],
            "evidence_tail_start": rows[:, 7],
            "evidence_tail_end": rows[:, 8],
            "evidence_confidence": confidence,
            "evidence_extractor": pa.array(methods.sorted, pa.string()).take(pa.array(rows[:, 9])),
        }
        columns = {name: pa.ListArray.from_arrays(offsets, pa.array(values)) for name, values in lists.items()}
        columns |= {"belief": pa.array(belief), "support": pa.array(support), "background": pa.array(counts == 0)}
        for end, side in (("source", keys >> HALF), ("target", keys & (2**HALF - 1))):
            columns |= {name: column.take(pa.array(side)) for name, column in zip((f"{end}_type", end), self.ends.columns, strict=True)}
        arrow = self.relation.arrow
        return pa.Table.from_arrays([columns[field.name].cast(field.type) for field in arrow], schema=arrow)

    def _sorted(self, papers: Places, extractors: Places) -> tuple[Places, NDArray[np.float64]]:
        """Evidence rows, numbers turned into ranks, by ends, paper, passage and mentions; of equal rows the surest stays."""
        rows = np.stack([np.frombuffer(column, np.int32) if column else np.zeros(0, np.int32) for column in self.columns], axis=1)
        confidence = np.frombuffer(self.confidence) if self.confidence else np.zeros(0)
        if not len(rows):
            return rows, confidence
        for column, ranks in ((0, self.ends.ranks), (1, self.ends.ranks), (2, papers), (9, extractors)):
            rows[:, column] = ranks[rows[:, column]]
        order = np.lexsort((-confidence, *rows.T[::-1]))
        rows, confidence = rows[order], confidence[order]
        fresh = np.r_[True, (rows[1:] != rows[:-1]).any(axis=1)]
        return rows[fresh], confidence[fresh]


def _packed(source: Places, target: Places) -> NDArray[np.int64]:
    """An edge as one number, which sorts by source, then target."""
    return (np.asarray(source, np.int64) << HALF) | target


def _quotes(quote: Quote, places: Places) -> pa.Array:
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
    collector = EdgeCollector(relation, Ends())
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
