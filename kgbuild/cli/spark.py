"""The verb `spark`: the whole way on a cluster."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def spark(
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="Files, folders, patterns; or URLs of Parquet or JSON lines.")],
    output: Annotated[str, typer.Option("--output", "-o", metavar="DIR", help="Folder or URL for the graph's tables.")],
    extractor: Annotated[str | None, typer.Option(help="model or rules; by default the best that is installed.")] = None,
    format: Annotated[str | None, typer.Option(help="Format of plain files, where their content does not tell.")] = None,
    decisions: Annotated[Path | None, typer.Option(metavar="REVIEW", help="A review file that you have edited.")] = None,
    checkpoint: Annotated[str | None, typer.Option(metavar="DIR", help="Folder or URL for the stages; by default OUTPUT.stages.")] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Exit with 0 although some inputs could not be read.")] = False,
    master: Annotated[str | None, typer.Option(metavar="URL", help="By default the master of spark-submit, else this machine.")] = None,
    neo4j: Annotated[str | None, typer.Option(metavar="URL", help="Server to send the tables to by Neo4j's connector for Spark.")] = None,
    jars: Annotated[str, typer.Option(metavar="JAR,...", help="Jars for Spark, such as those of the connector.")] = "",
) -> None:
    """Build the graph of papers on a Spark cluster and leave it as Parquet.

    A run that is stopped goes on where it was when it is started again with the same inputs.

    Example:
      kgbuild spark papers/ -o graph/ --master local[8]
      kgbuild spark s3a://bucket/papers.parquet -o s3a://bucket/graph
      kgbuild spark papers/ -o graph/ --jars connector.jar --neo4j neo4j://localhost
    """
    from kgbuild.cli.console import say, warn
    from kgbuild.resolution import read_decisions
    from kgbuild.spark import build, open_session, write_neo4j
    from kgbuild.spark.session import check_jars

    given = read_decisions(decisions) if decisions else ()
    listed = [jar for jar in jars.split(",") if jar]
    check_jars(listed)
    session = None
    if neo4j:
        # A wrong password or a missing jar is better told before hours of work.
        from kgbuild.spark.connector import neo4j_store, require_connector

        neo4j_store(neo4j).close()
        require_connector(session := open_session(master, jars=listed))
    options = {"extractor": extractor, "format": format, "checkpoint": checkpoint, "master": master}
    report = build(inputs, output, decisions=given, jars=listed, spark=session, **options)
    for line in report.warnings:
        say(f"warning: {line}")
    for line in (*report.problems, *report.not_extracted):
        warn(f"skipped: {line}")
    rows = ", ".join(f"{count} {name}" for name, count in report.counts.items() if count)
    say(f"{output}: {report.papers} papers\n  {rows}")
    if neo4j:
        write_neo4j(output, neo4j)
        say(f"sent to {neo4j}")
    if report.problems and not skip_bad:
        sys.exit(2)
