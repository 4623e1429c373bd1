"""Hypothesis strategies: arbitrary valid graphs with awkward names and numbers."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from kgbuild.graph import Graph
from kgbuild.schema import NodeType, Property, RelationType, load_schema

SCHEMA = load_schema()
AWKWARD = (
    "",
    " ",
    "'; DROP TABLE Method; --",
    '"}) DETACH DELETE n //',
    "x' OR '1'='1",
    "`Method`",
    "\\",
    "\\'",
    "$name {{id}} %s",
    "line\nbreak\r\n\ttab",
    "null",
    "[1,2;3]",
    "<script>alert(1)</script>",
    '" . <http://a> <http://b> <http://c> .\n"',
    "https://example.org/a b?c=d#e",
    "Ünïcödé 漢字 🙂 \u200f\u0301",
    "\u0085\u2028",
    "\x00\x01\x1f\x7f",
    "n" * 5000,
)
INT64 = st.integers(-(2**63), 2**63 - 1)


def texts() -> st.SearchStrategy[str]:
    """Any text that Unicode allows, the awkward ones often."""
    return st.one_of(st.sampled_from(AWKWARD), st.text(st.characters(exclude_categories=["Cs"]), max_size=20))


def values(prop: Property) -> st.SearchStrategy[Any]:
    """Values of a property's type; numbers of any size where the ontology sets no bound."""
    single: dict[str, st.SearchStrategy[Any]] = {
        "string": st.sampled_from(prop.values) if prop.values else texts(),
        "integer": INT64 if prop.minimum is None else st.integers(int(prop.minimum), 2**63 - 1),
        "float": st.floats(prop.minimum, prop.maximum, allow_nan=False, allow_infinity=False),
        "boolean": st.booleans(),
    }
    value = single[prop.type]
    if prop.many:
        return st.lists(value, max_size=3)
    return st.none() | value if prop.optional else value


def ids(kind: NodeType) -> st.SearchStrategy[str]:
    """Identifiers: any for papers, those of the other types begin with their type."""
    return texts() if kind.kind == "source" else texts().map(f"{kind.name.lower()}:{{}}".format)


@st.composite
def node_rows(draw: st.DrawFn, kind: NodeType) -> list[dict[str, Any]]:
    """Up to three nodes of a type."""
    names = draw(st.lists(ids(kind), max_size=3, unique=True))
    return [{"id": name, **{prop.name: draw(values(prop)) for prop in kind.properties}} for name in names]


@st.composite
def edge_properties(draw: st.DrawFn, relation: RelationType, papers: list[str]) -> dict[str, Any]:
    """Properties of an edge: the evidence columns are of one length."""
    count = draw(st.integers(0, 2)) if papers else 0
    row = {}
    for prop in relation.properties:
        if prop.name == "evidence_paper":
            row[prop.name] = [draw(st.sampled_from(papers)) for _ in range(count)]
        elif prop.many:
            single = Property(prop.name, prop.type, prop.iri, prop.description, minimum=prop.minimum, maximum=prop.maximum)
            row[prop.name] = [draw(values(single)) for _ in range(count)]
        else:
            row[prop.name] = draw(values(prop))
    row["background"] = row["background"] or not count  # what no paper says, the vocabulary states
    return row


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """A valid graph of the shipped ontology."""
    nodes = {name: draw(node_rows(kind)) for name, kind in SCHEMA.nodes.items()}
    papers = [row["id"] for row in nodes["Paper"]]
    edges: dict[str, list[dict[str, Any]]] = {}
    for name in draw(st.lists(st.sampled_from(sorted(SCHEMA.relations)), max_size=4, unique=True)):
        relation = SCHEMA.relations[name]
        ends = [(s, a["id"], t, b["id"]) for s, t in relation.patterns for a in nodes[s] for b in nodes[t]]
        for source_type, source, target_type, target in draw(st.lists(st.sampled_from(ends), max_size=3, unique=True)) if ends else ():
            row = {"source_type": source_type, "source": source, "target_type": target_type, "target": target}
            edges.setdefault(name, []).append({**row, **draw(edge_properties(relation, papers))})
    manifest = draw(st.dictionaries(texts(), texts() | st.integers(), max_size=2))
    return Graph.from_rows(nodes, edges, manifest, SCHEMA)
