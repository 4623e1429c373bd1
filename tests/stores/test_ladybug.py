"""The embedded store under changes of single rows."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from kgbuild.graph import EDGE_KEY, Change, Graph
from kgbuild.schema import load_schema
from kgbuild.stores.ladybug import LadybugStore

RELATION = "PART_OF"


@pytest.fixture(scope="module")
def big() -> Graph:
    """A graph of 2,000 methods and 5,000 edges whose lists of confidences are as uneven as real ones."""
    order = random.Random(1)
    schema = load_schema()
    names = [f"method:m{number}" for number in range(2000)]
    row: dict[str, Any] = {"aliases": [], "same_as": [], "papers": 1, "mentions": 1}
    nodes = [{"id": name, "name": name, **row} for name in names]
    pairs = sorted({(order.choice(names), order.choice(names)) for _ in range(5000)})
    edges = []
    for source, target in pairs:
        count = order.choice((1, 1, 1, 2, 5))
        lists = {p.name: [1 if p.type == "integer" else "text"] * count for p in schema.relations[RELATION].properties if p.many}
        confidence = [round(order.betavariate(2, 5), 4) for _ in range(count)]
        ends = dict(zip(EDGE_KEY, ("Method", source, "Method", target), strict=True))
        edges.append(ends | lists | {"evidence_confidence": confidence, "belief": max(confidence), "support": count, "background": False})
    return Graph.from_rows({"Method": nodes}, {RELATION: edges})


def test_changed_rows_leave_the_others_alone(big: Graph, tmp_path: Path) -> None:
    """Edges and nodes that come, go or change touch no number of any other row, in a store that was loaded as a whole."""
    table, methods = big.edges[RELATION], big.nodes["Method"]
    with LadybugStore(tmp_path / "store") as store:
        store.write(big)
        gone = Graph(big.nodes, {**big.edges, RELATION: table.slice(5)}, big.schema, {"left": 5})
        store.change(gone, {RELATION: Change(table.slice(0, 5), table.slice(0, 0))})
        assert store.read().equals(gone.canonical())
        assert store.read().manifest == {"left": 5}
        store.change(
            big, {RELATION: Change(table.slice(900, 5), table.slice(0, 5)), "Method": Change(methods.slice(3, 1), methods.slice(3, 1))}
        )
        back = Graph(big.nodes, {**big.edges, RELATION: big.edges[RELATION].filter([not 900 <= i < 905 for i in range(table.num_rows)])})
        assert store.read().equals(back.canonical())


def test_a_second_graph_leaves_the_rows_of_the_first_alone(big: Graph, tmp_path: Path) -> None:
    """Writing rows into a store that is there changes no number of any other row."""
    part = Graph(big.nodes, {**big.edges, RELATION: big.edges[RELATION].slice(700, 7)}, big.schema)
    with LadybugStore(tmp_path / "store") as store:
        store.write(big)
        store.write(part)
        assert store.read().equals(big)
