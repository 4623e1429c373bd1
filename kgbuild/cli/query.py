"""The verbs that read a graph: query, show, stats, verify."""

from __future__ import annotations

import json
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgbuild.cli.console import Format, say, shown, write_table

if TYPE_CHECKING:
    from kgbuild.description import Description, Neighbour

GraphPath = Annotated[Path, typer.Argument(metavar="GRAPH", help="The graph, a folder such as papers.kg.")]


def query(
    graph: Annotated[str, typer.Argument(metavar="GRAPH", help="The graph, or the address of a store that speaks Cypher.")],
    cypher: Annotated[str, typer.Argument(metavar="CYPHER", help="The query; - reads it from standard input.")],
    format: Annotated[Format, typer.Option(help="How rows are printed.")] = Format.table,
    parameter: Annotated[list[str] | None, typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="Value for $NAME.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Allow the query to change a store (never a graph file).")] = False,
) -> None:
    """Ask a graph in Cypher.

    Values of parameters are read as JSON where they are JSON, else as text.

    Example:
      kgbuild query papers.kg "MATCH (p:Paper)-[:PROPOSES]->(m:Method) RETURN p.title, m.name"
      kgbuild query papers.kg 'MATCH (m:Method {name: $name}) RETURN m.papers' -p name=Transformer --format json
    """
    from kgbuild.errors import QueryError
    from kgbuild.graphfile import data_folder
    from kgbuild.stores import open_store

    if graph.endswith(".kg"):
        data_folder(Path(graph))  # says more about a graph that is not there or not finished than a database can
    text = sys.stdin.read() if cypher == "-" else cypher
    with open_store(graph) as store:
        if store.language != "cypher":
            raise QueryError(f"{graph} does not speak Cypher", "kgbuild sparql asks RDF stores")
        write_table(store.query(text, dict(map(_parameter, parameter or ())), write=write), format)


def _parameter(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text!r} is not NAME=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def show(
    graph: GraphPath,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name, alias, title or id; letter case does not matter.")],
    type: Annotated[str | None, typer.Option(help="Only nodes of this type.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Neighbours of each relation.")] = 10,
    sentences: Annotated[int, typer.Option(min=0, help="Sentences under each of them.")] = 1,
) -> None:
    """Show an entity or a paper with its relations and the sentences behind them.

    Example: kgbuild show papers.kg transformer --sentences 2
    """
    import kgbuild
    from kgbuild.description import describe

    with kgbuild.open(graph) as opened:
        found = describe(opened.graph(), name, type_=type)
    for description in found:
        _print_description(description, limit, sentences)


def _print_description(description: Description, limit: int, sentences: int) -> None:
    row = description.row
    print(f"{shown(row.get('name') or row.get('title') or row['id'])}  [{description.type}, {row['id']}]")
    for key, value in row.items():
        if key not in ("id", "name", "title") and value not in (None, "", []):
            print(f"  {key}: {shown(value)}")
    for (relation, outgoing), group in groupby(description.neighbours, lambda n: (n.relation, n.outgoing)):
        neighbours = list(group)
        print(f"\n  {relation} ->" if outgoing else f"\n  <- {relation}")
        for neighbour in neighbours[:limit]:
            _print_neighbour(neighbour, sentences)
        if len(neighbours) > limit:
            print(f"    ... and {len(neighbours) - limit} more")
    print()


def _print_neighbour(neighbour: Neighbour, sentences: int) -> None:
    papers = f"{neighbour.support} {'paper' if neighbour.support == 1 else 'papers'}" if neighbour.support else "background knowledge"
    print(f"    {shown(neighbour.name)}  [{neighbour.type}, belief {neighbour.belief:.2f}, {papers}]")
    for paper, sentence in neighbour.sentences[:sentences]:
        print(f"      {paper}: {shown(' '.join(sentence.split()))}")


def stats(graph: GraphPath, format: Annotated[Format, typer.Option(help="How rows are printed.")] = Format.table) -> None:
    """Count the nodes and edges of a graph.

    Example: kgbuild stats papers.kg
    """
    import pyarrow as pa

    import kgbuild
    from kgbuild.schema import load_schema

    with kgbuild.open(graph) as opened:
        manifest = opened.manifest
    counts = manifest["counts"]
    kinds = ["node" if name in load_schema().nodes else "edge" for name in counts]
    write_table(pa.table({"kind": kinds, "type": list(counts), "count": list(counts.values())}), format)
    say("  ".join(f"{key}: {value}" for key, value in manifest.items() if key != "counts" and value))


def verify(graph: GraphPath) -> None:
    """Check every piece of evidence against the text of its paper.

    Exits with 1 where a span does not hold, and says which.

    Example: kgbuild verify papers.kg
    """
    import kgbuild

    with kgbuild.open(graph) as opened:
        found = kgbuild.verify(opened.graph())
    for fault in found.faults:
        print(shown(fault))
    share = 100 * found.share if not found.faults else min(100 * found.share, 99.99)
    print(f"{found.checked} spans checked, {len(found.faults)} wrong: {share:.4g} % hold")
    if found.faults:
        sys.exit(1)
