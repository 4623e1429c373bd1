"""The Cypher script, run in a real Neo4j."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import neo4j
import pytest

from kgbuild.exporters import export
from kgbuild.exporters.cypher import literal, name
from kgbuild.graph import Graph
from kgbuild.stores.neo4j import Neo4jStore


def run(server: Any, script: Path) -> None:
    """Run the statements of a script, which end where a line ends with a semicolon, in one session."""
    statements = re.split(r";\n", script.read_text(encoding="utf-8"))
    with (
        neo4j.GraphDatabase.driver(server.uri, auth=("neo4j", server.environment["NEO4J_PASSWORD"])) as driver,
        driver.session() as session,
    ):
        for statement in statements:
            if statement.strip():
                session.run(statement).consume()


@pytest.fixture
def store(neo4j_server: Any, monkeypatch: pytest.MonkeyPatch) -> Neo4jStore:
    """An empty database of the test server."""
    for key, item in neo4j_server.environment.items():
        monkeypatch.setenv(key, item)
    opened = Neo4jStore.open("neo4j:")
    opened.query("MATCH (n) DETACH DELETE n", write=True)
    # other tests of this server leave the store's indexes on names behind, which hold no text of 20 kB
    for row in opened.query("SHOW RANGE INDEXES YIELD name, owningConstraint WHERE owningConstraint IS NULL", write=True).to_pylist():
        opened.query(f"DROP INDEX {row['name']}", write=True)
    return opened


def test_script_loads_the_graph(board: Graph, nasty: Graph, store: Neo4jStore, neo4j_server: Any, tmp_path: Path) -> None:
    """After the script, run twice, Neo4j holds exactly the graph and its manifest, nasty texts letter for letter."""
    for graph in (board, _without_odd_numbers(nasty)):
        store.query("MATCH (n) DETACH DELETE n", write=True)
        script = export(graph, tmp_path / "graph.cypher")
        run(neo4j_server, script)
        run(neo4j_server, script)
        found = store.read()
        assert found.equals(graph)
        assert found.manifest == graph.manifest


def _without_odd_numbers(graph: Graph) -> Graph:
    """Without not-a-number, which equals nothing, itself included."""
    nodes = {type_: [row for _, row in graph.node_rows(type_) if row["id"] != "result:2"] for type_ in graph.nodes}
    edges = {relation: [row for _, row in graph.edge_rows(relation) if row["target"] != "result:2"] for relation in graph.edges}
    return Graph.from_rows(nodes, edges, graph.manifest)


def test_literals() -> None:
    """Values become literals that cannot end early, names are quoted where they must be."""
    assert literal({"a b": ["it's", None, True, 1.5, float("nan"), -3], "c": "x\\\n"}) == (
        "{`a b`: ['it\\'s', null, true, 1.5, (0.0/0.0), -3], c: 'x\\\\\\n'}"
    )
    assert name("we`ird") == "`we``ird`"
