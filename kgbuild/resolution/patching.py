"""A graph after a revision: rows that rest on changed papers are made anew, all others stay as they are."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kgbuild.graph import EDGE_KEY, NODE_KEY, Change, Graph, in_order
from kgbuild.links import code_links, link_key
from kgbuild.records import Paper
from kgbuild.resolution.assembly import concept_row, hierarchy, of_kind
from kgbuild.resolution.belief import BeliefModel
from kgbuild.resolution.evidence import united
from kgbuild.resolution.revision import Revision
from kgbuild.schema import RelationType

Key = tuple[str, str, str, str]
Row = dict[str, Any]

FEW = 2000  # changed rows up to which putting the rest together around them is faster than sorting


@dataclass(frozen=True)
class Patch:
    """A graph and how it differs from the one before, by type or relation; tables without a change are left out."""

    graph: Graph
    changes: Mapping[str, Change]


def patch(old: Graph, revision: Revision, part: Graph, paper: Callable[[str], Paper], belief: BeliefModel | None = None) -> Patch:
    """The graph after the revision: equal to the one assembled from all papers.

    part: the graph of the papers of the revision alone. paper: gives a paper by id. belief: the model of the old graph.
    """
    patcher = _Patcher(old, revision, part, belief or BeliefModel())
    for name, relation in old.schema.relations.items():
        patcher.edges(name, relation)
    patcher.sources_and_facts()
    patcher.links(paper)
    patcher.concepts()
    patcher.background()
    return patcher.result()


@dataclass
class _Rows:
    """Positions of rows of the old table that go, and rows that come."""

    gone: set[int] = field(default_factory=set)
    come: list[Row] = field(default_factory=list)


class _Patcher:
    """One graph on its way to the next."""

    def __init__(self, old: Graph, revision: Revision, part: Graph, belief: BeliefModel) -> None:
        self.old = old
        self.schema = old.schema
        self.revision = revision
        self.part = part
        self.belief = belief
        self.papers = sorted(revision.papers | revision.gone)
        self.rows: dict[str, _Rows] = defaultdict(_Rows)
        self.source, self.fact, self.link = (of_kind(self.schema, kind) for kind in ("source", "fact", "link"))

    def edges(self, name: str, relation: RelationType) -> None:
        """Edges with evidence of changed papers: the evidence of others stays."""
        table, rows = self.old.edges[name], self.rows[name]
        come = [row for row in self.part.edges[name].to_pylist() if not row["background"]]
        gone = _supported(table, self.papers)
        gone |= _positions(table, map(_key, come))
        rows.gone |= gone
        listed = [prop.name for prop in relation.properties if prop.many]
        kept = (_unsaid(row, listed, set(self.papers)) for row in _take(table, gone))
        rows.come += united(relation, [*(row for row in kept if row["evidence_paper"]), *come], self.belief).to_pylist()

    def sources_and_facts(self) -> None:
        """The changed papers themselves, and what each of them alone reports."""
        self._replace(self.source, self.papers, self.part.nodes[self.source].to_pylist())
        relation = self._from_source(self.fact)
        before = _column(self.old.edges[relation], self.rows[relation].gone, "target")
        self._replace(self.fact, before, self.part.nodes[self.fact].to_pylist())

    def links(self, paper: Callable[[str], Paper]) -> None:
        """Addresses that changed papers name or named, each as the first of its papers by the alphabet writes it."""
        relation = self._from_source(self.link)
        rows = self.rows[relation]
        touched = {*_column(self.old.edges[relation], rows.gone, "target"), *(row["target"] for row in rows.come)}
        if not touched:
            return
        edges = self._after(relation)
        wanted = edges.filter(pc.is_in(edges["target"], _values(touched))).select(["source", "target"]).to_pylist()
        found: dict[str, str] = {}
        for id_ in sorted({row["source"] for row in wanted}):
            for url, _ in code_links(paper(id_)):
                target = f"{self.link.lower()}:{link_key(url)}"
                found[target] = min(url, found.get(target, url))
        self._replace(self.link, touched, [{"id": id_, "url": found[id_]} for id_ in sorted(touched & found.keys())])

    def concepts(self) -> None:
        """Things that were decided anew, with the papers and mentions that they have now."""
        decided, edges = self.revision.decided, self._after("MENTIONS")
        wanted = edges.filter(pc.is_in(edges["target"], _values(decided)))
        counts = pa.table({"id": wanted["target"], "mentions": pc.list_value_length(wanted["evidence_paper"])})
        counted = counts.group_by("id").aggregate([("mentions", "count"), ("mentions", "sum")]).to_pylist()
        come: dict[str, list[Row]] = defaultdict(list)
        for row in counted:
            node = decided[row["id"]]
            come[node.type].append(concept_row(self.schema, node, row["mentions_count"], row["mentions_sum"]))
        for name in self.schema.concepts:
            self._replace(name, {*decided, *self.revision.dropped}, come[name])

    def background(self) -> None:
        """Hierarchy that the vocabulary states and no paper, between things that are there now."""
        types = self._types({id_ for pair in self.revision.resolution.broader for id_ in pair})
        stated: dict[str, set[Key]] = defaultdict(set)
        for relation, head, tail in hierarchy(self.revision.resolution.broader, types, self.schema):
            stated[relation].add((*head, *tail))
        for name, table in self.old.edges.items():
            rows, wanted = self.rows[name], stated.get(name, set())
            before = np.flatnonzero(table["background"].to_numpy())
            keys = dict(zip(before.tolist(), map(_key, _take(table, before.tolist(), EDGE_KEY)), strict=True))
            rows.gone |= {position for position, key in keys.items() if key not in wanted}
            kept = {key for position, key in keys.items() if position not in rows.gone}
            kept |= {_key(row) for row in rows.come}
            missing = wanted - kept
            known = _positions(table, missing) - rows.gone
            missing -= set(map(_key, _take(table, known, EDGE_KEY)))
            rows.come += [self._unsupported(name, key) for key in sorted(missing)]

    def _unsupported(self, name: str, key: Key) -> Row:
        listed: Row = {prop.name: [] for prop in self.schema.relations[name].properties if prop.many}
        return {**dict(zip(EDGE_KEY, key, strict=True)), **listed, "belief": 1.0, "support": 0, "background": True}

    def _types(self, ids: set[str]) -> dict[str, str]:
        """The types of those of the things that are there now."""
        found: dict[str, str] = {}
        for name in self.schema.concepts:
            table = self.old.nodes[name]
            kept = set(_column(table, _among(table, "id", ids) - self.rows[name].gone, "id"))
            found |= dict.fromkeys(kept | {row["id"] for row in self.rows[name].come if row["id"] in ids}, name)
        return found

    def _from_source(self, target: str) -> str:
        return next(r.name for r in self.schema.group("paper") if (self.source, target) in r.patterns)

    def _replace(self, name: str, ids: Iterable[str], come: list[Row]) -> None:
        rows = self.rows[name]
        rows.gone |= _among(self.old.nodes[name], "id", ids)
        rows.come += come

    def _after(self, name: str) -> pa.Table:
        """The columns of a relation that tell which edge rests on what, as they are now."""
        columns = ["source", "target", "evidence_paper"]
        table = self.old.edges[name].select(columns)
        new = pa.Table.from_pylist([{column: row[column] for column in columns} for row in self.rows[name].come], schema=table.schema)
        return pa.concat_tables([_without(table, self.rows[name].gone), new])

    def result(self) -> Patch:
        """Graph and changes."""
        found = {name: self._change(name, table) for name, table in (*self.old.nodes.items(), *self.old.edges.items())}
        nodes, edges = ({name: found[name][0] for name in part} for part in (self.old.nodes, self.old.edges))
        changes = {name: change for name, (_, change) in found.items() if change}
        return Patch(Graph(nodes, edges, self.schema), changes)

    def _change(self, name: str, table: pa.Table) -> tuple[pa.Table, Change | None]:
        rows = self.rows[name]
        key = NODE_KEY if name in self.schema.nodes else EDGE_KEY
        new = in_order(pa.Table.from_pylist(rows.come, schema=table.schema), key)
        old = _at(table, rows.gone)
        if old.equals(new):
            return table, None
        return _spliced(table, rows.gone, new, key), Change(old, new)


def _spliced(table: pa.Table, gone: set[int], new: pa.Table, key: Sequence[str]) -> pa.Table:
    """A table in the order of its key without some rows and with new ones in their places.

    Between a few changes the rows stay in runs, which costs a copy of the table; to sort millions of lists anew takes far longer.
    """
    if len(gone) + new.num_rows > FEW:
        after = pa.concat_tables([_without(table, gone), new])
        return after.sort_by([(column, "ascending") for column in key]).combine_chunks()
    columns = [table[name].combine_chunks() for name in key]
    places = [bisect_left(range(table.num_rows), row, key=lambda at: tuple(c[at].as_py() for c in columns)) for row in _keys(new, key)]
    cuts = sorted([*((at, -1) for at in gone), *zip(places, range(new.num_rows), strict=True)])
    parts, done = [table.slice(0, 0)], 0
    for at, row in cuts:
        if at > done:
            parts.append(table.slice(done, at - done))
            done = at
        if row < 0:
            done += 1
        else:
            parts.append(new.slice(row, 1))
    return pa.concat_tables([*parts, table.slice(done)]).combine_chunks()


def _keys(table: pa.Table, key: Sequence[str]) -> list[tuple[str, ...]]:
    return list(zip(*(table[name].to_pylist() for name in key), strict=True))


def _unsaid(row: Row, listed: list[str], papers: set[str]) -> Row:
    """An edge with the evidence alone that does not rest on the papers."""
    kept = [position for position, paper in enumerate(row["evidence_paper"]) if paper not in papers]
    return row | {name: [row[name][position] for position in kept] for name in listed}


def _key(row: Row) -> Key:
    return row["source_type"], row["source"], row["target_type"], row["target"]


def _values(values: Iterable[str]) -> pa.Array:
    return pa.array(sorted(values), pa.string())


def _among(table: pa.Table, column: str, values: Iterable[str]) -> set[int]:
    """Positions of the rows whose column has one of the values."""
    return set(np.flatnonzero(pc.is_in(table[column], _values(values)).to_numpy()).tolist())


def _positions(table: pa.Table, keys: Iterable[Key]) -> set[int]:
    """Positions of the edges with these keys."""
    wanted = set(keys)
    ends = (_values({key[end] for key in wanted}) for end in (1, 3))
    source, target = (pc.is_in(table[name], values) for name, values in zip(("source", "target"), ends, strict=True))
    near = np.flatnonzero(pc.and_(source, target).to_numpy()).tolist()
    return {position for position, row in zip(near, _take(table, near, EDGE_KEY), strict=True) if _key(row) in wanted}


def _supported(table: pa.Table, papers: list[str]) -> set[int]:
    """Positions of the edges with evidence of one of the papers."""
    column = table["evidence_paper"]
    inside = pc.is_in(pc.list_flatten(column), _values(papers)).to_numpy()
    return set(np.unique(pc.list_parent_indices(column).to_numpy()[inside]).tolist())


def _take(table: pa.Table, positions: Iterable[int], columns: Iterable[str] | None = None) -> list[Row]:
    part = table.select(list(columns)) if columns else table
    rows: list[Row] = _at(part, positions).to_pylist()
    return rows


def _at(table: pa.Table, positions: Iterable[int]) -> pa.Table:
    return table.take(pa.array(sorted(positions), pa.int64()))


def _column(table: pa.Table, positions: Iterable[int], column: str) -> list[str]:
    return [row[column] for row in _take(table, positions, [column])]


def _without(table: pa.Table, positions: Iterable[int]) -> pa.Table:
    mask = np.ones(table.num_rows, bool)
    mask[np.array(sorted(positions), np.int64)] = False
    return table.filter(pa.array(mask))
