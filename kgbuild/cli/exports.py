"""The verbs `export` and `plot`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kgbuild.cli import console
from kgbuild.errors import KgbuildError


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

    Example:
      kgbuild export papers.kg bert.gexf --around BERT --hops 2 --type Method --type Task
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


def plot(
    graph: Annotated[Path, typer.Argument(help="The graph.", show_default=False)],
    out: Annotated[Path, typer.Argument(help="The picture to write: .png, .svg or .pdf.", show_default=False)],
    around: Annotated[str | None, typer.Option(help="Draw what lies around this name, alias or id.")] = None,
    leaderboard: Annotated[str | None, typer.Option(metavar="DATASET", help="Draw the figures on this dataset.")] = None,
    metric: Annotated[str | None, typer.Option(help="Which metric of the leaderboard; by default the one with most figures.")] = None,
    matrix: Annotated[tuple[str, str], typer.Option(metavar="TYPE TYPE", help="Draw which things of two types meet in papers.")] = (
        "Task",
        "Dataset",
    ),
    limit: Annotated[int | None, typer.Option(min=1, help="Most nodes, figures, or rows and columns to draw.")] = None,
) -> None:
    """Draw a neighbourhood, a leaderboard or the type matrix.

    Needs the extra `plot`. Without --around and --leaderboard the matrix is drawn.

    Example:
      kgbuild plot papers.kg bert.svg --around BERT
    """
    import kgbuild
    from kgbuild import plot as pictures

    if around and leaderboard:
        raise KgbuildError("a picture shows a neighbourhood or a leaderboard", "give --around or --leaderboard")
    rows, columns = matrix
    with kgbuild.open(graph) as opened:
        whole = opened.graph()
    if around:
        figure = pictures.neighbourhood(whole, around, **({"limit": limit} if limit else {}))
    elif leaderboard:
        figure = pictures.leaderboard(whole, leaderboard, metric=metric, **({"limit": limit} if limit else {}))
    else:
        figure = pictures.matrix(whole, rows, columns, **({"size": limit} if limit else {}))
    pictures.save(figure, out)
    console.say(f"{out}: drawn")
