"""Neighbourhoods and shortest paths in any store: one step outwards at a time, the same walk whatever answers it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from kgbuild.errors import QueryError
from kgbuild.queries.catalogue import STRINGS

if TYPE_CHECKING:
    from kgbuild.queries.asking import Questions
    from kgbuild.queries.names import Known

LONGEST = 6  # steps of a path
EDGE = pa.schema(
    [
        ("hop", pa.int64()), ("source", pa.string()), ("relation", pa.string()), ("target", pa.string()),
        ("belief", pa.float64()), ("support", pa.int64()), ("papers", STRINGS), ("passages", STRINGS),
    ]
)  # fmt: skip
Row = dict[str, Any]


def neighbours(questions: Questions, name: str, *, hops: int = 1, relations: Sequence[str] = (), min_belief: float = 0.0) -> pa.Table:
    """The edges within `hops` steps of a thing, either way, nearest first: one row each, `hop` saying at which step it is met.

    relations: those to follow; without any, the ones between concepts. Raises QueryError for an unknown name or relation.
    """
    start, wanted = _start(questions, name), _relations(questions, relations)
    rows: dict[tuple[str, str, str], Row] = {}
    seen, frontier = {start.id}, [start.id]
    for hop in range(1, hops + 1):
        for row in step(questions, frontier, wanted, min_belief):
            rows.setdefault((row["source"], row["relation"], row["target"]), {"hop": hop, **row})
        reached = {row[end] for row in rows.values() if row["hop"] == hop for end in ("source", "target")}
        frontier = sorted(reached - seen)
        seen |= reached
    return pa.Table.from_pylist(sorted(rows.values(), key=_order), schema=EDGE)


def path(
    questions: Questions, first: str, second: str, *, relations: Sequence[str] = (), min_belief: float = 0.0, longest: int = LONGEST
) -> pa.Table:
    """The edges of a shortest path between two things, in order; no rows where none of at most `longest` steps joins them.

    Of several shortest paths the one whose edges are best supported, seen from the first thing; ties by id.
    """
    start, goal = _start(questions, first), _start(questions, second)
    wanted = _relations(questions, relations)
    came: dict[str, Row | None] = {start.id: None}
    frontier = [start.id]
    for _ in range(longest):
        if goal.id in came or not frontier:
            break
        reached: dict[str, Row] = {}
        ranks = {id_: place for place, id_ in enumerate(frontier)}
        for row in sorted(step(questions, frontier, wanted, min_belief), key=_strength):
            for here, there in ((row["source"], row["target"]), (row["target"], row["source"])):
                if here in ranks and there not in came:
                    reached.setdefault(there, row)
        came |= reached
        frontier = list(reached)
    return pa.Table.from_pylist(list(_backwards(came, goal.id)), schema=EDGE)


def _backwards(came: dict[str, Row | None], goal: str) -> Iterable[Row]:
    rows: list[Row] = []
    here = goal
    while row := came.get(here):
        rows.append(row)
        here = row["source"] if row["target"] == here else row["target"]
    return [{"hop": hop, **row} for hop, row in enumerate(reversed(rows), 1)]


def _strength(row: Row) -> tuple[Any, ...]:
    return -row["support"], -row["belief"], row["source"], row["relation"], row["target"]


def _order(row: Row) -> tuple[Any, ...]:
    return row["hop"], *_strength(row)


def _start(questions: Questions, name: str) -> Known:
    concepts = questions.schema.concepts
    return questions.names.find(name, concepts)


def _relations(questions: Questions, names: Sequence[str]) -> list[str]:
    known = questions.schema.relations
    if unknown := [name for name in names if name not in known]:
        raise QueryError(f"unknown relation {unknown[0]!r}", f"known: {', '.join(known)}")
    return list(names) or [relation.name for relation in questions.schema.group("concept")]


def step(questions: Questions, ids: Sequence[str], relations: Sequence[str], min_belief: float) -> Iterator[Row]:
    """All edges of the relations that touch one of the nodes: from the graph in memory, or by one query for each relation."""
    from kgbuild.stores.networkx import NetworkxStore

    if questions.language != "cypher" or isinstance(questions.target, NetworkxStore):
        yield from _step_memory(questions, ids, relations, min_belief)
        return
    for relation in relations:
        sources, targets = ("|".join(sorted({p[side] for p in questions.schema.relations[relation].patterns})) for side in (0, 1))
        met: set[tuple[str, str]] = set()
        for near in ("a", "b"):
            # The names are the ontology's own; what people type comes in as $ids.
            text = (
                f"UNWIND $ids AS near MATCH (a:{sources})-[r:{relation}]->(b:{targets}) WHERE {near}.id = near AND r.belief >= $min_belief "
                "RETURN a.id AS source, b.id AS target, r.belief AS belief, r.support AS support, "
                "r.evidence_paper AS papers, r.evidence_text AS passages"
            )
            for row in questions.target.query(text, {"ids": list(ids), "min_belief": min_belief}).to_pylist():  # type: ignore[union-attr]
                if (row["source"], row["target"]) not in met:
                    met.add((row["source"], row["target"]))
                    yield {**row, "relation": relation}


def _step_memory(questions: Questions, ids: Sequence[str], relations: Sequence[str], min_belief: float) -> Iterator[Row]:
    network, met = questions.network, set()
    for id_ in ids:
        edges = (*network.out_edges(id_, keys=True, data=True), *network.in_edges(id_, keys=True, data=True)) if id_ in network else ()
        for source, target, relation, edge in edges:
            if relation in relations and edge["belief"] >= min_belief and (source, relation, target) not in met:
                met.add((source, relation, target))
                values = {"belief": edge["belief"], "support": edge["support"]}
                ends = {"source": network.nodes[source]["id"], "relation": relation, "target": network.nodes[target]["id"]}
                yield {**ends, **values, "papers": edge["evidence_paper"], "passages": edge["evidence_text"]}
