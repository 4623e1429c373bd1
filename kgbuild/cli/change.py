"""The verbs that change or compare graphs: remove, merge, diff."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from kgbuild.cli import console
from kgbuild.cli.build import print_report
from kgbuild.cli.console import Format, say, write_table
from kgbuild.cli.query import GraphPath


def remove(
    graph: GraphPath,
    names: Annotated[list[str], typer.Argument(metavar="PAPER|SOURCE...", help="Ids of papers, or sources as they were given.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; tell what would change.")] = False,
) -> None:
    """Take papers or sources out of a graph.

    What no other paper supports goes with them. A paper comes back when a source that has it is given again.

    Example: kgbuild remove papers.kg arxiv:1706.03762
    """
    import kgbuild

    start = time.monotonic()
    with console.progress() as on_progress:
        report = kgbuild.remove(graph, names, dry_run=dry_run, on_progress=on_progress)
    print_report(report, graph, time.monotonic() - start, dry_run=dry_run)


def merge(
    graphs: Annotated[list[Path], typer.Argument(metavar="GRAPH...", help="The graphs to unite.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="GRAPH", help="Where the union goes; by default into the first graph.")
    ] = None,
    extractor: Annotated[str | None, typer.Option(help="Extract all papers with this one, where the graphs used different ones.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that extract.")] = 1,
) -> None:
    """Unite two graphs.

    The result is the same as building from the inputs of both at once; more than two are fine.

    Example: kgbuild merge mine.kg yours.kg -o ours.kg
    """
    import kgbuild

    start, output = time.monotonic(), output or graphs[0]
    with console.progress() as on_progress:
        report = kgbuild.merge(graphs, output, extractor=extractor, workers=workers, on_progress=on_progress)
    print_report(report, output, time.monotonic() - start)


def diff(
    left: Annotated[Path, typer.Argument(metavar="GRAPH", help="The graph before.")],
    right: Annotated[Path, typer.Argument(metavar="GRAPH", help="The graph after.")],
    format: Annotated[Format, typer.Option(help="How rows are printed.")] = Format.table,
) -> None:
    """Say what differs between two graphs.

    Exits with 0 where they are the same, with 1 where they are not.

    Example: kgbuild diff yesterday.kg today.kg
    """
    import kgbuild

    with kgbuild.open(left) as old, kgbuild.open(right) as new:
        changes = kgbuild.diff(old.graph(), new.graph())
    if not changes.num_rows:
        say("The graphs hold the same nodes and edges.")
        return
    write_table(changes, format)
    sys.exit(1)
