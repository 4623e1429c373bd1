"""What the page carries, checked without a browser."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from small_graphs import paper, result

from kgbuild.explorer import page
from kgbuild.explorer.communities import communities
from kgbuild.explorer.layout import layout
from kgbuild.explorer.payload import payload
from kgbuild.explorer.server import application
from kgbuild.graph import Graph


def test_the_same_graph_gives_the_same_page(small_graph: Graph) -> None:
    """Two exports of one graph are the same bytes."""
    assert page(small_graph) == page(small_graph.canonical())


def test_the_policy_lets_nothing_in(small_graph: Graph) -> None:
    """The page names no address to fetch from, and its policy allows its own script and style by hash and nothing else."""
    text = page(small_graph)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    assert "default-src &#x27;none&#x27;" in policy[1]
    assert "unsafe" not in policy[1]
    assert "http" not in policy[1]
    assert not re.search(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="(?!data:)', text.split("<script>")[0])


def test_every_piece_of_evidence_is_carried(small_graph: Graph) -> None:
    """As many pieces of evidence as the graph has, and each passage holds the mention it is evidence for."""
    parts = dict(payload(small_graph, "title"))
    wanted = sum(len(row["evidence_paper"]) for _, row in small_graph.edge_rows())
    evidence = [part for name, part in parts.items() if name.startswith("evidence-")]
    assert sum(sum(part["counts"]) for part in evidence) == wanted
    papers = [f"{row['title']}\n{row['abstract']}" for _, row in small_graph.node_rows("Paper")]
    for part in evidence:
        for number, start, end, _, _, tail, tail_end, *_ in np.array(part["rows"]).reshape(-1, 9).tolist():
            assert tail < 0 or start <= tail < tail_end <= end <= len(papers[number])


def test_an_empty_graph_is_a_page_too() -> None:
    """A graph without nodes exports without an error."""
    assert "<title>Knowledge graph of 0 papers</title>" in page(Graph.from_rows({}, {}))


def test_numbers_that_json_lacks_are_shown_too() -> None:
    """A result without a proper number does not keep the page from being written."""
    graph = Graph.from_rows({"Paper": [paper("p", "A title")], "Result": [result("result:1", "NaN", float("nan"))]}, {})
    details = dict(payload(graph, "title"))["details-0"]
    assert [row["number"] for row in details if "number" in row] == ["NaN"]
    assert "</html>" in page(graph)


@settings(max_examples=8)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=80))
def test_layout_places_every_node_once(pairs: list[tuple[int, int]]) -> None:
    """Any graph gets finite places of its own, the same ones each time; loops and repeats do no harm."""
    edges = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    weight = np.ones(len(edges))
    found = communities(31, edges[:, 0], edges[:, 1], weight)
    place = layout(31, edges[:, 0], edges[:, 1], weight, found)
    assert np.isfinite(place).all()
    assert len(np.unique(place.round(6), axis=0)) == 31
    assert (place == layout(31, edges[:, 0], edges[:, 1], weight, found)).all()


def test_communities_are_the_cliques_of_a_chain() -> None:
    """Four cliques that hang together by single edges are four communities, the largest first."""
    sizes, edges, first = [8, 7, 6, 5], [], 0
    for size in sizes:
        edges += [(first + a, first + b) for a in range(size) for b in range(a)]
        edges += [(first, first - 1)] if first else []
        first += size
    pairs = np.array(edges)
    found = communities(first, pairs[:, 0], pairs[:, 1], np.ones(len(pairs)))
    assert np.bincount(found).tolist() == sizes
    assert found.tolist() == [number for number, size in enumerate(sizes) for _ in range(size)]


def test_bundle_is_text_that_can_stand_in_a_page(root: Path) -> None:
    """The committed bundle holds nothing that ends a script element, and no address of a network library."""
    script = (root / "kgbuild/explorer/bundle/explorer.js").read_text(encoding="utf-8")
    assert "</script" not in script.lower()
    assert not re.search(r"\b(?:fetch|XMLHttpRequest|WebSocket|importScripts)\s*\(", script)


def test_the_server_answers_with_the_page_and_nothing_else() -> None:
    """`/` is the page with headers that keep it in its frame; any other path is not found."""
    from starlette.testclient import TestClient

    client = TestClient(application("<p>page</p>"))
    assert client.get("/").text == "<p>page</p>"
    assert client.get("/").headers["x-content-type-options"] == "nosniff"
    assert client.get("/etc/passwd").status_code == 404
