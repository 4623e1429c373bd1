"""One suite that every store passes, written once. What a store cannot do is declared in conftest.py, and checked to be so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from strategies import AWKWARD, graphs

from kgbuild.errors import KgbuildError, QueryError, StoreError
from kgbuild.graph import Graph
from kgbuild.stores import STORES, Store, open_store

# The same questions in each language: (text, parameter) with rows of the columns named.
BY_NAME = {
    "cypher": "MATCH (m:Method) WHERE m.name = $name RETURN m.id AS id",
    "sparql": "SELECT ?id ?name WHERE { ?m a kg:Method ; skos:prefLabel ?name ; dcterms:identifier ?id }",
}
COUNT = {
    "cypher": "MATCH (m:Method) RETURN count(m) AS n",
    "sparql": "SELECT (COUNT(?m) AS ?n) WHERE { ?m a kg:Method }",
}
USES = {
    "cypher": "MATCH (m:Method)-[r:USED_FOR]->(t:Task) RETURN m.name AS method, t.name AS task, r.belief AS belief, r.support AS support",
    "sparql": """SELECT ?method ?task ?belief ?support WHERE {
        ?s rdf:subject ?m ; rdf:predicate kg:USED_FOR ; rdf:object ?t ; kg:belief ?belief ; kg:support ?support .
        ?m skos:prefLabel ?method . ?t skos:prefLabel ?task }""",
}
WRITES = {
    "cypher": ("MATCH (m:Method) SET m.name = 'changed'", "MATCH (m:Method) DETACH DELETE m", "CREATE (m:Method {id: 'method:x'})"),
    "sparql": ("DELETE WHERE { ?s skos:prefLabel ?o }", "CLEAR ALL", "INSERT DATA { <http://x> a kg:Method }"),
}
BROKEN = {"cypher": "MATCH (m:Method RETURN m", "sparql": "SELECT ?m WHERE { ?m a kg:Method"}
MISSPELT = {
    "cypher": (("MATCH (m:Metod) RETURN m.id", "Method"), ("MATCH (m:Method) RETURN m.nme", "name")),
    "sparql": (("SELECT ?m WHERE { ?m a kg:Metod }", "Method"), ("SELECT ?m WHERE { ?m kg:beleif 1 }", "belief")),
}


def test_what_is_written_is_read_back(store: Store, graph: Graph) -> None:
    """Reading a store gives the graph that was written, its manifest too."""
    store.write(graph)

    read = store.read()

    assert graph.equals(read)
    assert graph.manifest == read.manifest


def test_writing_twice_changes_nothing(store: Store, graph: Graph) -> None:
    """A load that is repeated makes no doubles."""
    store.write(graph)
    store.write(graph)

    assert graph.equals(store.read())


def test_later_rows_replace_earlier_ones(store: Store, graph: Graph) -> None:
    """Rows with the same id or the same ends are replaced, whole and with fewer pieces of evidence; others stay; new ones come."""
    methods, uses = graph.nodes["Method"].to_pylist(), graph.edges["USED_FOR"].to_pylist()
    new_method = {**methods[-1], "name": "changed", "aliases": [], "papers": 7}
    new_edge = {name: value[:1] if isinstance(value, list) else value for name, value in uses[0].items()}
    papers, tasks = graph.nodes["Paper"].to_pylist(), graph.nodes["Task"].to_pylist()
    second = {
        "Method": [new_method, {**methods[0], "id": "method:new"}],
        "Paper": [{**papers[0], "year": None, "venue": "NeurIPS"}],
        "Task": tasks,
    }
    store.write(graph)
    store.write(Graph.from_rows(second, {"USED_FOR": [{**new_edge, "belief": 0.1}]}))

    read = store.read()
    expected = Graph.from_rows(
        {
            **{name: table.to_pylist() for name, table in graph.nodes.items()},
            "Method": [*second["Method"], *methods[:-1]],
            "Paper": [*second["Paper"], *papers[1:]],
        },
        {**{name: table.to_pylist() for name, table in graph.edges.items()}, "USED_FOR": [{**new_edge, "belief": 0.1}]},
    )

    for name in (*expected.nodes, *expected.edges):
        tables = (expected.nodes if name in expected.nodes else expected.edges)[name], {**read.nodes, **read.edges}[name]
        assert tables[0].to_pylist() == tables[1].to_pylist(), name


def test_an_empty_graph_round_trips(store: Store) -> None:
    """A graph without nodes is a graph."""
    store.write(Graph.from_rows({}, {}))

    assert Graph.from_rows({}, {}).equals(store.read())


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large])
@given(graph=graphs())
def test_any_graph_round_trips(new_store: Callable[[], Store], graph: Graph) -> None:
    """Nothing is lost or changed on the way: Unicode, quotes, line breaks, empty and very long texts, large and negative numbers."""
    graph.validate()
    with new_store() as store:
        store.write(graph)
        once = store.read()
        store.write(graph)
        twice = store.read()

    for name, table in {**graph.nodes, **graph.edges}.items():
        assert table.to_pylist() == {**once.nodes, **once.edges}[name].to_pylist(), name
    assert graph.equals(once)
    assert graph.equals(twice)
    assert graph.manifest == once.manifest


def test_a_query_gives_the_same_rows(speaker: Store, graph: Graph) -> None:
    """The same question has the same rows everywhere, types included."""
    text = USES[speaker.language or ""]
    speaker.write(graph)

    rows = speaker.query(text).to_pylist()

    assert rows == [{"method": "Transformer", "task": "machine translation", "belief": 0.9, "support": 2}]
    assert [str, str, float, int] == [type(value) for value in rows[0].values()]


def test_no_rows_keep_their_columns(speaker: Store, graph: Graph) -> None:
    """An answer without rows has its columns all the same."""
    text = BY_NAME[speaker.language or ""]
    speaker.write(graph)

    answer = speaker.query(text, {"name": "no such method"})

    assert (answer.column_names, answer.num_rows) == (["id"], 0)


@pytest.mark.parametrize("text", AWKWARD)
def test_parameters_are_never_query_text(speaker: Store, graph: Graph, text: str) -> None:
    """Whatever stands in a name or a parameter is compared as it is, and nothing happens to the graph."""
    spoken = speaker.language or ""
    nodes = {name: table.to_pylist() for name, table in graph.nodes.items()}
    nodes["Method"].append({**nodes["Method"][0], "id": f"method:{text}", "name": text})
    named = Graph.from_rows(nodes, {name: table.to_pylist() for name, table in graph.edges.items()})
    speaker.write(named)

    rows = speaker.query(BY_NAME[spoken], {"name": text}).to_pylist()

    assert [{"id": f"method:{text}"}] == rows
    assert named.equals(speaker.read())


def test_queries_are_read_only(speaker: Store, graph: Graph) -> None:
    """A query that would write is refused with one line, and nothing changes; with `write` it is carried out."""
    texts = WRITES[speaker.language or ""]
    speaker.write(graph)
    for text in texts:
        with pytest.raises(QueryError, match="read"):
            speaker.query(text)

    assert graph.equals(speaker.read())

    speaker.query(texts[1], write=True)

    assert speaker.query(COUNT[speaker.language or ""]).to_pylist() == [{"n": 0}]


def test_a_query_that_does_not_parse_says_where(speaker: Store, graph: Graph) -> None:
    """The line about a broken query has its line, its column and the text there, and is one line."""
    text = BROKEN[speaker.language or ""]
    speaker.write(graph)

    with pytest.raises(QueryError, match=r"does not parse at line 1, column \d+") as caught:
        speaker.query(text)

    assert text[:20] in caught.value.hint
    assert "\n" not in str(caught.value)


def test_a_misspelt_name_brings_the_nearest(speaker: Store, graph: Graph) -> None:
    """A label or property that does not exist is an error that names the nearest one that does."""
    cases = MISSPELT[speaker.language or ""]
    speaker.write(graph)
    for text, meant in cases:
        with pytest.raises(QueryError, match=f"did you mean '{meant}'"):
            speaker.query(text)


def test_a_missing_parameter_is_an_error(cypher_store: Store, graph: Graph) -> None:
    """A parameter of a Cypher query that is not given is no silent null."""
    cypher_store.write(graph)

    with pytest.raises(QueryError, match="name"):
        cypher_store.query(BY_NAME["cypher"])


def test_what_a_store_cannot_do_is_declared(store: Store, graph: Graph, languages: dict[str, str | None]) -> None:
    """A store without a query language says so, and only the declared ones do."""
    store.write(graph)
    assert store.language == languages[store.name]
    if store.language:
        assert store.query(COUNT[store.language]).num_rows == 1
        return
    with pytest.raises(QueryError, match="no query language"):
        store.query("MATCH (n) RETURN n")


def test_closing_twice_is_fine(store: Store) -> None:
    """A store may be closed again, and is a Store."""
    store.close()
    store.close()

    assert isinstance(store, Store)


@pytest.mark.parametrize("url", ["mysql://localhost", "sqlite:graph.db", "LADYBUGS:x"])
def test_an_unknown_kind_of_store_names_the_known_ones(url: str) -> None:
    """An address that nothing opens is an error that lists what would."""
    with pytest.raises(StoreError, match="known: ladybug, neo4j"):
        open_store(url)


@pytest.mark.parametrize("url", ["ladybug:missing", "rdf:missing"])
def test_reading_what_is_not_there_is_one_line(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that does not exist is an error that says how to make it, and asking does not make it."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(KgbuildError, match=r"no such store.*kgbuild load"):
        open_store(url).read()

    assert not any(tmp_path.iterdir())


def test_every_store_has_a_page(root: Path) -> None:
    """Each kind of store has its docs page."""
    pages = {row.module for row in STORES.values()} - {"oxigraph", "rdflib"} | {"rdf"}

    assert not [page for page in sorted(pages) if not (root / "docs" / "stores" / f"{page}.md").exists()]
