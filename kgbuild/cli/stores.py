"""The verbs `load`, `sparql`, `serve` and `validate`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgbuild.cli.console import Format, say, shown, write_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyoxigraph

    from kgbuild.graph import Graph
    from kgbuild.stores.oxigraph import OxigraphStore

RDF_FILES = (".ttl", ".trig", ".nt", ".nq", ".jsonld")
GRAPH = "A graph, an RDF file, or the address of a store: rdf:DIR, neo4j://HOST, ladybug:PATH."
Place = Annotated[str, typer.Argument(metavar="GRAPH", help=GRAPH)]


def load(
    graph: Place,
    to: Annotated[str, typer.Option("--to", metavar="ADDRESS", help="Where to: neo4j://HOST, rdf:DIR, ladybug:PATH, neo4j-import:DIR.")],
) -> None:
    """Load a graph into a database.

    What is already there with the same id is replaced, so that a load may be repeated. User, password and database of a server come
    from NEO4J_USERNAME, NEO4J_PASSWORD and NEO4J_DATABASE, in the environment or in .env. neo4j-import:DIR writes the files and the
    script for neo4j-admin import. Any address also serves as GRAPH: reading a store gives the same graph back.

    Example:
      kgbuild load papers.kg --to neo4j://localhost
      kgbuild load papers.kg --to rdf:papers-rdf
    """
    from kgbuild.stores import open_store

    whole = read_any(graph)
    whole.validate()
    if to.startswith("neo4j-import:"):
        from kgbuild.stores.neo4j_import import write_import

        write_import(whole, Path(to.partition(":")[2]))
    else:
        with open_store(to) as store:
            store.write(whole)
    nodes, edges = (sum(table.num_rows for table in tables.values()) for tables in (whole.nodes, whole.edges))
    say(f"{to}: {nodes:,} nodes, {edges:,} edges")


def sparql(
    graph: Place,
    query: Annotated[str, typer.Argument(metavar="SPARQL", help="The query; - reads it from standard input.")],
    format: Annotated[Format, typer.Option(help="How rows are printed.")] = Format.table,
    parameter: Annotated[list[str] | None, typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="Value for ?NAME.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Allow updates of an rdf:DIR store.")] = False,
) -> None:
    """Ask a graph in SPARQL.

    The prefixes of the ontology need no declaration. A graph is turned into RDF in memory for each call; kgbuild load --to rdf:DIR
    saves that. A parameter gives its value to a variable, which SELECT must name.

    Example:
      kgbuild sparql papers.kg "SELECT ?name WHERE { ?m a kg:Method ; skos:prefLabel ?name }"
      kgbuild sparql rdf:papers-rdf "SELECT ?m ?name WHERE { ?m skos:prefLabel ?name }" -p name=Transformer --format json
    """
    text = sys.stdin.read() if query == "-" else query
    with as_rdf(graph, write=write) as store:
        write_table(store.query(text, dict(map(_parameter, parameter or ())), write=write), format)


def serve(
    graph: Place,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 7878,
    write: Annotated[bool, typer.Option("--write", help="Allow updates of an rdf:DIR store: anybody who reaches the port may.")] = False,
) -> None:
    """Serve a graph over HTTP for SPARQL clients.

    The endpoint is /sparql and follows the SPARQL 1.1 protocol; it is read-only unless --write is given.

    Example: kgbuild serve papers.kg --port 7878
    """
    import uvicorn

    from kgbuild.stores.endpoint import app

    with as_rdf(graph, write=write) as store:
        store.inner(write=write)
        say(f"http://{host}:{port}/sparql answers {'queries and updates' if write else 'queries'}; Ctrl-C ends it")
        uvicorn.run(app(store, write=write), host=host, port=port, log_level="warning")


def validate(
    graph: Place,
    format: Annotated[Format, typer.Option(help="How violations are printed.")] = Format.table,
) -> None:
    """Check a graph against the ontology's shapes.

    Prints each violation with the sentence that it comes from, and exits with 1 where there is one.

    Example: kgbuild validate papers.kg
    """
    import pyarrow as pa

    from kgbuild.stores.shacl import validate as find

    violations = find(quads_of(graph))
    if format is Format.table:
        for violation in violations:
            print("\n".join(map(shown, str(violation).splitlines())))
        print(f"{graph}: {len(violations)} {'violation' if len(violations) == 1 else 'violations'} of the shapes")
    else:
        names = ("about", "message", "value", "paper", "sentence", "focus")
        write_table(
            pa.table({name: pa.array([getattr(violation, name) for violation in violations], pa.string()) for name in names}), format
        )
    if violations:
        raise typer.Exit(1)


def read_any(place: str) -> Graph:
    """The graph in a graph folder, tables of the Spark engine, an RDF file or a store."""
    from kgbuild.graphfile import GraphFile
    from kgbuild.stores import open_store
    from kgbuild.stores.rdf import read_file

    if place.endswith(RDF_FILES):
        return read_file(Path(place))
    if (Path(place) / "edges").is_dir():
        from kgbuild.spark.job import read_graph

        return read_graph(place)
    if Path(place).is_dir() or place.endswith(".kg"):
        return GraphFile(place).graph()
    with open_store(place) as store:
        return store.read()


def quads_of(place: str) -> Iterable[pyoxigraph.Quad]:
    """The triples of a graph, an RDF file or a store; those of a file or an RDF store just as they stand there."""
    import pyoxigraph

    from kgbuild.errors import StoreError
    from kgbuild.stores import rdf

    if place.startswith("rdf:"):
        return as_rdf(place).inner()
    if not place.endswith(RDF_FILES):
        return pyoxigraph.parse(rdf.as_stream(read_any(place)), pyoxigraph.RdfFormat.N_QUADS)
    try:
        return list(pyoxigraph.parse(path=place))
    except (SyntaxError, OSError) as error:
        raise StoreError(f"{place}: not readable as RDF: {error}", f"known: {', '.join(RDF_FILES)}") from error


def as_rdf(place: str, *, write: bool = False) -> OxigraphStore:
    """The RDF store at rdf:DIR, or one in memory with the graph in it; raises StoreError where writing to that would be lost."""
    from kgbuild.errors import StoreError
    from kgbuild.stores.oxigraph import OxigraphStore

    if place.startswith("rdf:"):
        return OxigraphStore.open(place)
    if write:
        raise StoreError(f"{place}: updates would be lost", "load it first: kgbuild load GRAPH --to rdf:DIR")
    store = OxigraphStore()
    store.write(read_any(place))
    return store


def _parameter(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text!r} is not NAME=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
