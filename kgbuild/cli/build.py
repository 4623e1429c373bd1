"""The verb `build`, and the closing report that the verbs which change graphs share."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgbuild.errors import KgbuildError

if TYPE_CHECKING:
    from kgbuild.update import Engine, Report

SHOWN = 10  # ids in a list of the report; --verbose shows all


def build(
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="Files, folders, patterns, or - for standard input.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="GRAPH", help="The graph to make or to add to.")],
    records: Annotated[
        list[Path] | None, typer.Option(metavar="RECORDS.jsonl", help="Take these extraction records instead of extracting their papers.")
    ] = None,
    extractor: Annotated[
        str | None, typer.Option(help="model, rules, or none (use the given records alone); by default the graph's own, else the best.")
    ] = None,
    format: Annotated[str | None, typer.Option(help="Format of the inputs, where their content does not tell.")] = None,
    decisions: Annotated[
        Path | None, typer.Option(metavar="REVIEW", help="A review file that you have edited (see kgbuild review).")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Build from the given inputs alone, forgetting what the graph holds.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; tell what would change.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Exit with 0 although some inputs could not be read.")] = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes that extract.")] = 1,
    engine: Annotated[str, typer.Option(help="local, or spark: the same graph, made by Spark (see docs/spark.md).")] = "local",
    master: Annotated[str | None, typer.Option(metavar="URL", help="Master for --engine spark; by default this machine.")] = None,
    checkpoint: Annotated[
        str | None, typer.Option(metavar="DIR", help="Folder or URL where --engine spark keeps its stages, so that a second run goes on.")
    ] = None,
) -> None:
    """Build a graph from files of papers, or add them to one.

    The format of each file is told from its content. Papers that are in the graph already are not extracted again; a paper leaves the
    graph when its source, given again, no longer has it. A build that is stopped goes on where it was when it is started again.

    Example:
      kgbuild build examples/papers.jsonl -o papers.kg
      kgbuild build papers/ more/*.xml.gz -o papers.kg --workers 4
      kgbuild build papers/ -o papers.kg --engine spark --checkpoint stages/
    """
    from kgbuild import pipeline
    from kgbuild.cli import console

    start = time.monotonic()
    with console.progress() as on_progress:
        report = pipeline.build(
            inputs,
            output,
            records=records or (),
            extractor=extractor,
            decisions=decisions,
            format=format,
            fresh=fresh,
            dry_run=dry_run,
            workers=workers,
            engine=_engine(engine, master, checkpoint),
            on_progress=on_progress,
        )
    print_report(report, output, time.monotonic() - start, dry_run=dry_run)
    if report.problems and not skip_bad:
        sys.exit(2)


def _engine(name: str, master: str | None, checkpoint: str | None) -> Engine | None:
    if name == "spark":
        from kgbuild.spark import SparkEngine

        return SparkEngine(master, checkpoint)
    if name != "local":
        raise KgbuildError(f"unknown engine {name!r}", "known: local, spark")
    if master or checkpoint:
        raise KgbuildError("--master and --checkpoint are for --engine spark", "add --engine spark")
    return None


def print_report(report: Report, output: Path, seconds: float, *, dry_run: bool = False) -> None:
    """Problems one a line, then what was done; on standard error."""
    from kgbuild.cli.console import detail, level, say, warn

    for warning in report.warnings:
        say(f"warning: {warning}")
    for problem in report.problems:
        warn(f"skipped: {problem}")
    if dry_run:
        say(f"Nothing was written. {output} would hold {report.papers} papers:")
    elif not report.written:
        say(f"{output} is up to date: {report.papers} papers, nothing to do ({seconds:.1f} s).")
    else:
        read = f"{report.papers} papers from {report.records} records" if report.records else f"{report.papers} papers"
        say(f"{output}: {read}, {len(report.problems)} problems, {report.extracted} extracted, {seconds:.1f} s")
    for what in ("added", "updated", "removed"):
        ids = getattr(report, what)
        first_build = what == "added" and len(ids) == report.papers
        if ids and not first_build and (dry_run or what == "removed" or level.verbose):
            shown = ids if level.verbose else ids[:SHOWN]
            say(f"  {what} {len(ids)}: {', '.join(shown)}{', ...' if len(shown) < len(ids) else ''}")
        elif ids:
            say(f"  {what} {len(ids)}")
    if report.written:
        say("  " + ", ".join(f"{count} {name}" for name, count in report.counts.items() if count))
    for stage, spent in report.seconds.items():
        detail(f"  {stage}: {spent:.1f} s")
