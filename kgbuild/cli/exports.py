"""The verbs `export` and `plot`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kgbuild.cli import console


def export(
    graph: Annotated[Path, typer.Argument(help="The graph.", show_default=False)],
    out: Annotated[Path, typer.Argument(help="The file (or folder of tables) to write; its suffix says the format.", show_default=False)],
    format_: Annotated[str | None, typer.Option("--format", help="Name of the format, where the suffix does not say it.")] = None,
    type_: Annotated[list[str] | None, typer.Option("--type", help="Keep nodes of this type (repeatable).")] = None,
    relation: Annotated[list[str] | None, typer.Option(help="Keep edges of this relation (repeatable).")] = None,
    min_belief: Annotated[float, typer.Option(min=0, max=1, help="Keep edges of at least this belief.")] = 0.0,
    paper: Annotated[list[str] | None, typer.Option(help="Keep what the paper with this id states (repeatable).")] = None,
    around: Annotated[list[str] | None, typer.Option(help="Keep what lies around this name, alias or id (repeatable).")] = None,
    hops: Annotated[int, typer.Option(min=0, help="How far around goes.")] = 1,
    top: Annotated[int | None, typer.Option(min=1, help="Keep the nodes with the most edges.")] = None,
) -> None:
    """Write a graph for another tool.

    Formats: GraphML, GEXF, node-link and Cytoscape JSON, DOT, CSV and Parquet tables, Cypher, Turtle, N-Triples, TriG, JSON-LD,
    leaderboards (.leaderboards.csv, .sota.json), BibTeX and the explorer as one page (.html).

    Example: kgbuild export papers.kg bert.gexf --around BERT --hops 2 --type Method --type Task
    """
    import kgbuild
    from kgbuild import exporters

    with kgbuild.open(graph) as opened:
        whole = opened.graph()
    part = exporters.select(
        whole,
        types=type_ or (),
        relations=relation or (),
        min_belief=min_belief,
        papers=paper or (),
        around=around or (),
        hops=hops,
        top=top,
    )
    exporters.export(part, out, format=format_)
    nodes, edges = (sum(table.num_rows for table in tables.values()) for tables in (part.nodes, part.edges))
    console.say(f"{out}: {nodes:,} nodes, {edges:,} edges")
