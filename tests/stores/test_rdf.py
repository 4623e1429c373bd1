"""RDF: the files, what stands in them, other people's clients at the endpoint, and the shapes."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
import uvicorn
from hypothesis import HealthCheck, given, settings
from SPARQLWrapper import CSV, JSON, POST, TSV, TURTLE, XML, SPARQLWrapper
from SPARQLWrapper.SPARQLExceptions import QueryBadFormed
from strategies import graphs

from kgbuild.errors import StoreError
from kgbuild.graph import Graph
from kgbuild.schema import load_schema
from kgbuild.stores import open_store, rdf
from kgbuild.stores.endpoint import app
from kgbuild.stores.oxigraph import OxigraphStore
from kgbuild.stores.rdflib import RdflibStore
from kgbuild.stores.shacl import as_rdflib, validate

SCHEMA = load_schema()
SUFFIXES = {"turtle": "ttl", "trig": "trig", "ntriples": "nt", "nquads": "nq", "jsonld": "jsonld"}
STATEMENT = """SELECT ?statement WHERE { ?statement rdf:predicate kg:%s }"""


@pytest.mark.parametrize("format", sorted(rdf.FORMATS))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graph=graphs())
def test_every_file_format_round_trips(format: str, graph: Graph, tmp_path: Path) -> None:
    """A graph written to an RDF file and read back is the same, and written again has the same bytes."""
    path = tmp_path / f"graph.{SUFFIXES[format]}"
    path.write_bytes(rdf.serialize(graph, format))

    read = rdf.read_file(path)

    assert graph.equals(read)
    assert graph.manifest == read.manifest
    assert path.read_bytes() == rdf.serialize(read, format)


@pytest.mark.parametrize(("format", "theirs"), [("turtle", "turtle"), ("ntriples", "nt"), ("trig", "trig"), ("jsonld", "json-ld")])
def test_rdflib_reads_the_same_triples(graph: Graph, format: str, theirs: str) -> None:
    """The files say the same to rdflib, which parses them by code of its own."""
    expected = set(as_rdflib(ox.parse(rdf.as_stream(graph), ox.RdfFormat.N_QUADS)))
    dataset = rdflib.Dataset(default_union=True)
    dataset.parse(data=rdf.serialize(graph, format).decode(), format=theirs)

    assert expected == {(s, p, o) for s, p, o in dataset.triples((None, None, None))}


def test_no_triple_lies_in_two_graphs(graph: Graph) -> None:
    """The union of all graphs has no doubles, so that counts are right without DISTINCT."""
    triples = [quad.triple for quad in ox.parse(rdf.as_stream(graph), ox.RdfFormat.N_QUADS)]

    assert len(triples) == len(set(triples))


def test_evidence_is_a_web_annotation_in_the_graph_of_its_paper(graph: Graph) -> None:
    """Each piece of evidence is an annotation of the statement whose target is a passage of the paper, and says where it is from."""
    text = """SELECT ?graph ?title ?start ?end ?exact ?agent WHERE {
        ?statement rdf:predicate kg:USED_FOR ; kg:evidence ?piece .
        GRAPH ?graph { ?piece a oa:Annotation ; oa:hasBody ?statement ; oa:hasTarget [ oa:hasSource ?paper ; oa:hasSelector ?passage ] ;
            prov:wasDerivedFrom ?paper ; prov:wasAttributedTo/^a? ?by .
            ?passage a oa:TextPositionSelector, oa:TextQuoteSelector ; oa:start ?start ; oa:end ?end ; oa:exact ?exact }
        ?graph a prov:Bundle ; prov:wasDerivedFrom ?paper .
        ?paper dcterms:title ?title . ?by a prov:SoftwareAgent ; rdfs:label ?agent } ORDER BY ?title"""
    with OxigraphStore() as store:
        store.write(graph)
        rows = store.query(text).to_pylist()

    title = "Attention Is All You Need"
    graphs_ = [rdf.paper_graph_iri(SCHEMA, paper) for paper in ("1706.03762", "1810.04805")]
    assert rows == [
        {"graph": graphs_[0], "title": title, "start": 0, "end": len(title), "exact": title, "agent": "rules 1"},
        {"graph": graphs_[1], "title": "BERT", "start": 0, "end": 4, "exact": "BERT", "agent": "rules 1"},
    ]


def test_iris_are_stable_and_safe() -> None:
    """An id always has the same IRI, whatever stands in it; no id can end the IRI or begin another."""
    assert rdf.node_iri(SCHEMA, "Method", "method:transformer") == "https://w3id.org/kgbuild/id/method:transformer"
    assert rdf.node_iri(SCHEMA, "Paper", "1706.03762") == "https://w3id.org/kgbuild/id/paper:1706.03762"
    assert rdf.node_iri(SCHEMA, "Paper", 'x> . <a "ü') == "https://w3id.org/kgbuild/id/paper:x%3E%20.%20%3Ca%20%22%C3%BC"


def test_the_rdflib_dataset_is_live(graph: Graph) -> None:
    """What rdflib users add to the dataset is in the graph that is read back."""
    with RdflibStore() as store:
        store.write(graph)
        method = rdflib.URIRef(rdf.node_iri(SCHEMA, "Method", "method:rnn"))
        store.dataset.add((method, rdflib.SKOS.altLabel, rdflib.Literal("recurrent network", datatype=rdflib.XSD.string)))

        names = {row["id"]: row["aliases"] for row in store.read().nodes["Method"].to_pylist()}

    assert names["method:rnn"] == ["recurrent network"]


def test_a_store_that_is_being_written_is_one_line(graph: Graph, tmp_path: Path) -> None:
    """A second writer is told to wait; readers are not in the way."""
    url = f"rdf:{tmp_path / 'store'}"
    with open_store(url) as store:
        store.write(graph)
    holder = ox.Store(str(tmp_path / "store"))

    with open_store(url) as store, pytest.raises(StoreError, match="another process is writing"):
        store.write(graph)
    with open_store(url) as store:
        assert store.read().equals(graph)
    del holder


# --- the endpoint ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=[False, True], ids=["read-only", "write"])
def endpoint(request: pytest.FixtureRequest, graph: Graph) -> Iterator[tuple[str, bool]]:
    """A running endpoint: its address, and whether it allows updates."""
    store = OxigraphStore()
    store.write(graph)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app(store, write=request.param), host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}/sparql", request.param
    server.should_exit = True
    thread.join()


NAMES = "PREFIX skos: <http://www.w3.org/2004/02/skos/core#> SELECT ?name WHERE { ?m skos:prefLabel ?name } ORDER BY ?name LIMIT 2"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_sparql_client_gets_every_format(endpoint: tuple[str, bool], method: str) -> None:
    """SPARQLWrapper, a client that knows nothing of us, gets JSON, XML, CSV, TSV and Turtle by GET and POST."""
    client = SPARQLWrapper(endpoint[0])
    client.setMethod(method)
    client.setQuery(NAMES)
    client.setReturnFormat(JSON)
    names = [row["name"]["value"] for row in client.queryAndConvert()["results"]["bindings"]]
    client.setReturnFormat(XML)
    from_xml = [node.firstChild.data for node in client.queryAndConvert().getElementsByTagName("literal")]
    client.setReturnFormat(CSV)
    from_csv = client.queryAndConvert().decode().split()
    client.setReturnFormat(TSV)
    from_tsv = client.queryAndConvert().decode().split("\n")
    client.setQuery("CONSTRUCT { ?s a ?o } WHERE { ?s a ?o }")
    client.setReturnFormat(TURTLE)
    triples = rdflib.Graph().parse(data=client.queryAndConvert(), format="turtle")

    assert names == ["BERT", "BLEU"] == from_xml
    assert from_csv == ["name", *names]
    assert from_tsv[:3] == ["?name", *(f'"{name}"' for name in names)]
    assert len(triples) > 20


def test_updates_need_write(endpoint: tuple[str, bool]) -> None:
    """An update is refused with 403 by a read-only endpoint and carried out by one with --write."""
    url, write = endpoint
    client = SPARQLWrapper(url)
    client.setMethod(POST)
    client.setQuery("INSERT DATA { <http://example.org/a> a <http://example.org/Added> }")
    if write:
        client.query()
    else:
        with pytest.raises(Exception, match="403"):
            client.query()
    client.setQuery("ASK { ?s a <http://example.org/Added> }")
    client.setReturnFormat(JSON)

    assert client.queryAndConvert()["boolean"] is write


@pytest.mark.parametrize(
    "text", ["SELECT ?s WHERE { ?s", "DELETE WHERE { ?s ?p ?o }", "SELECT * { SERVICE <http://localhost:1/> { ?s ?p ?o } }"]
)
def test_what_is_no_query_is_a_bad_request(endpoint: tuple[str, bool], text: str) -> None:
    """A broken query, an update sent as a query and a call to elsewhere get 400 and a line that says why."""
    client = SPARQLWrapper(endpoint[0])
    client.setQuery(f"#\n{text}")
    client.queryType = "SELECT"

    with pytest.raises(QueryBadFormed, match=r"does not parse|read-only|elsewhere"):
        client.query()


def test_the_protocol_in_detail(endpoint: tuple[str, bool]) -> None:
    """Status and type of the answers follow SPARQL 1.1 Protocol for the ways that SPARQLWrapper does not take."""
    import httpx

    url, _ = endpoint
    ask = "ASK { ?s ?p ?o }"
    direct = {"content-type": "application/sparql-query; charset=utf-8"}
    graph_iri = rdf.paper_graph_iri(SCHEMA, "1810.04805")
    count = {"query": "SELECT (COUNT(*) AS ?n) WHERE { ?s a oa:Annotation }", "default-graph-uri": graph_iri}
    with httpx.Client() as client:
        assert client.post(url, content=ask, headers=direct).json() == {"head": {}, "boolean": True}
        assert (
            client.get(url, params={"query": ask}, headers={"accept": "application/sparql-results+xml;q=0.5, text/csv;q=0.1"})
            .headers["content-type"]
            .startswith("application/sparql-results+xml")
        )
        assert client.get(url, params={"query": ask}, headers={"accept": "image/png"}).status_code == 406
        assert client.post(url, content=ask, headers={"content-type": "text/plain"}).status_code == 415
        assert client.get(url, params=[("query", ask), ("query", ask)]).status_code == 400
        assert client.get(url, params={"update": "CLEAR ALL"}).status_code == 400
        assert client.post(url, content=b"x" * (2 << 20), headers=direct).status_code == 413
        assert client.get(url, params=count).json()["results"]["bindings"][0]["n"]["value"] == "2"
        assert "sparql-service-description#Service" in client.get(url).text
        assert client.put(url).status_code == 405


# --- shapes ------------------------------------------------------------------------------------------------------------

KG, ID = SCHEMA.iri("kg:"), SCHEMA.namespace + "id/"
PREFIXES = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in rdf.prefixes_of(SCHEMA).items()) + f"PREFIX id: <{ID}>\n"
# What is done to a sound graph, and what the violation must be about and say.
SEEDED = [
    ("DELETE { ?m skos:prefLabel ?n } WHERE { ?m dcterms:identifier 'method:bert' ; skos:prefLabel ?n }", "method:bert", "name"),
    ("INSERT { ?m skos:prefLabel 'other' } WHERE { ?m dcterms:identifier 'method:bert' }", "method:bert", "name"),
    ("DELETE { ?m kg:papers ?n } INSERT { ?m kg:papers 'many' } WHERE { ?m dcterms:identifier 'task:machine-translation' ; kg:papers ?n }",
     "task:machine-translation", "papers"),
    ("DELETE { ?m kg:papers ?n } INSERT { ?m kg:papers -1 } WHERE { ?m dcterms:identifier 'metric:bleu' ; kg:papers ?n }",
     "metric:bleu", "papers"),
    ("DELETE { ?m kg:better ?n } INSERT { ?m kg:better 'sideways' } WHERE { ?m kg:better ?n }", "metric:bleu", "better"),
    ("DELETE { ?r kg:kind ?n } INSERT { ?r kg:kind 'guess' } WHERE { ?r dcterms:identifier 'result:1' ; kg:kind ?n }", "result:1", "kind"),
    ("DELETE { ?p dcterms:title ?n } WHERE { ?p dcterms:identifier '1810.04805' ; dcterms:title ?n }", "1810.04805", "title"),
    ("DELETE { ?s kg:belief ?n } INSERT { ?s kg:belief 1.5e0 } WHERE { ?s rdf:predicate kg:PROPOSES ; kg:belief ?n }",
     "1706.03762 PROPOSES method:transformer", "belief"),
    ("INSERT { ?t kg:USED_FOR ?m } WHERE { ?t dcterms:identifier 'task:machine-translation' . ?m dcterms:identifier 'metric:bleu' }",
     "task:machine-translation", "USED_FOR"),
    ("DELETE { GRAPH ?g { ?e kg:confidence ?n } } INSERT { GRAPH ?g { ?e kg:confidence 2.0e0 } } WHERE { GRAPH ?g "
     "{ ?e kg:confidence ?n ; oa:hasBody ?s } ?s rdf:predicate kg:MEASURED_BY }",
     "evidence of task:machine-translation MEASURED_BY metric:bleu", "confidence"),
]  # fmt: skip


def test_a_sound_graph_has_no_violation(graph: Graph) -> None:
    """The shapes accept what the stores write."""
    assert validate(ox.parse(rdf.as_stream(graph), ox.RdfFormat.N_QUADS)) == []


@settings(max_examples=4, suppress_health_check=[HealthCheck.too_slow])
@given(graph=graphs())
def test_every_valid_graph_has_no_violation(graph: Graph) -> None:
    """The shapes accept every graph that the ontology allows, whatever its texts and numbers."""
    assert [str(found) for found in validate(ox.parse(rdf.as_stream(graph), ox.RdfFormat.N_QUADS))] == []


@pytest.mark.parametrize(("change", "about", "rule"), SEEDED, ids=[f"{about}-{rule}".replace(" ", "-") for _, about, rule in SEEDED])
def test_each_seeded_violation_is_found(graph: Graph, change: str, about: str, rule: str) -> None:
    """Ten ways to break a graph: each is found, named by node or edge and rule, and nothing else is reported."""
    store = OxigraphStore()
    store.write(graph)
    before = set(store.inner())
    store.query(PREFIXES + change, write=True)

    found = validate(store.inner())

    assert before != set(store.inner())
    assert {violation.about for violation in found} == {about}
    assert any(rule in violation.message for violation in found)


def test_a_violation_comes_with_its_sentence(graph: Graph) -> None:
    """The report of an edge at fault quotes the passage that it was taken from, with the paper."""
    store = OxigraphStore()
    store.write(graph)
    store.query(PREFIXES + SEEDED[7][0], write=True)

    found = validate(store.inner())

    assert [(violation.paper, violation.sentence) for violation in found] == [("1706.03762", "Attention Is All You Need")]
    assert str(found[0]).splitlines()[1:] == ["    1706.03762: Attention Is All You Need"]
