"""The whole way on a cluster: papers on any file system that Spark reads -> tables of the graph as Parquet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from kgbuild.errors import InputError, KgbuildError, StoreError
from kgbuild.extraction import load_extractor
from kgbuild.graph import Graph
from kgbuild.ledger import digest
from kgbuild.resolution.decisions import rules
from kgbuild.resolution.values import Decision
from kgbuild.resolution.vocabulary import load_vocabulary
from kgbuild.schema import load_schema
from kgbuild.sources.locations import files
from kgbuild.spark.extraction import extract_papers
from kgbuild.spark.frames import Stages, exists, listing, read_text, remove, write_text
from kgbuild.spark.names import name_entities
from kgbuild.spark.nodes import make_nodes
from kgbuild.spark.papers import read_copies, unite
from kgbuild.spark.session import open_session, require_spark, spark_errors
from kgbuild.spark.tables import make_tables, read_tables
from kgbuild.update import ontology_digest

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MANIFEST, MARK = "manifest.json", "_runs"
SHOWN = 1000  # problems that are told
SLICE = 250_000  # papers that are extracted in one stage: what a run that is stopped loses at most


@dataclass
class Report:
    """What a run did: papers in the graph, problems and warnings of the inputs and of extraction (1,000 each), rows by type."""

    papers: int
    problems: list[str]
    warnings: list[str]
    not_extracted: list[str]
    counts: dict[str, int]


def build(
    inputs: Sequence[str],
    output: str,
    *,
    extractor: str | None = None,
    decisions: Sequence[Decision] = (),
    format: str | None = None,
    checkpoint: str | None = None,
    master: str | None = None,
    jars: Sequence[str] = (),
    spark: SparkSession | None = None,
) -> Report:
    """Build the graph of the inputs as Parquet under the output: `nodes/type=TYPE`, `edges/relation=RELATION`, `manifest.json`.

    Args:
        inputs: see `kgbuild.spark.papers.read_copies`.
        output: a folder or URL; a graph that is there is replaced.
        checkpoint: a folder or URL for the stages; without one `OUTPUT.stages`, which may be removed after the run. A second run
            with the same inputs takes up what is there.
        master, jars: of the session that is opened where none is given and none is active.

    Raises MissingExtraError without pyspark, KgbuildError where nothing could be read or Spark gives up.
    """
    require_spark()
    output = output.rstrip("/")
    problems: list[InputError] = []
    load = partial(load_extractor, extractor)
    name = load().name
    places = [place for place in inputs if "://" in place]
    paths = [str(path.absolute()) for place in inputs if "://" not in place for _, path in files(place, problems.append) if path]
    if not places and not paths:
        raise _nothing(problems)  # before Spark starts, which takes seconds and prints
    spark = spark or open_session(master, jars=jars)
    with spark_errors():
        settings = (version("kgbuild"), ontology_digest(), name, format or "", *map(str, decisions))
        run = digest(*settings, *(line for place in (*places, *paths) for line in listing(spark, place)))
        if exists(spark, output) and not exists(spark, f"{output}/{MARK}"):
            raise KgbuildError(f"{output}: exists and is not a graph of the Spark engine", "choose another name, or move it away")
        stage = Stages(spark, f"{(checkpoint or f'{output}.stages').rstrip('/')}/{run}")
        copies = stage("read", lambda: read_copies(spark, places, paths, format))
        slices = 1 + copies.count() // SLICE
        documents = extract_papers(unite(copies, slices, stage), load, slices, stage)
        report = _report(copies, documents, problems)
        if not report.papers:
            remove(spark, stage.folder if checkpoint else f"{output}.stages")
            raise _nothing(report.problems)
        _claim(spark, output, run)
        make_graph(documents, decisions, stage, output)
        report.counts = _counts(spark, output)
        manifest = {"kgbuild": settings[0], "ontology": settings[1], "extractor": name, "counts": report.counts}
        write_text(spark, f"{output}/{MANIFEST}", json.dumps(manifest, indent=2) + "\n")
    return report


def _nothing(problems: Sequence[object]) -> KgbuildError:
    return KgbuildError("nothing could be read: no graph is written", str(next(iter(problems), "no papers in the inputs")))


def _claim(spark: SparkSession, output: str, run: str) -> None:
    """Make the output ready: what another run wrote there goes, what this one wrote before it was stopped stays."""
    mark = f"{output}/{MARK}"
    remove(spark, f"{output}/{MANIFEST}")
    if exists(spark, mark) and not exists(spark, f"{mark}/{run}"):
        for name in ("nodes", "edges", MARK):
            remove(spark, f"{output}/{name}")
    write_text(spark, f"{mark}/{run}", "")


def _report(copies: DataFrame, documents: DataFrame, found: Sequence[InputError]) -> Report:
    from pyspark.sql import functions as fn

    rows = copies.filter("problem is not null").select("problem", "warning").sort("problem").limit(SHOWN).collect()
    failed = documents.filter("problem is not null").select(fn.concat_ws(": ", "id", "problem").alias("line")).sort("line").limit(SHOWN)
    return Report(
        papers=documents.count(),
        problems=[str(problem) for problem in found] + [row["problem"] for row in rows if not row["warning"]],
        warnings=[row["problem"] for row in rows if row["warning"]],
        not_extracted=[row["line"] for row in failed.collect()],
        counts={},
    )


def _counts(spark: SparkSession, output: str) -> dict[str, int]:
    """Rows by node type and relation, from the footers of the files."""
    schema = load_schema()
    places = {**{name: f"nodes/type={name}" for name in schema.nodes}, **{name: f"edges/relation={name}" for name in schema.relations}}
    present = {name: f"{output}/{place}" for name, place in places.items() if exists(spark, f"{output}/{place}")}
    return {name: spark.read.parquet(present[name]).count() if name in present else 0 for name in places}


def make_graph(documents: DataFrame, decisions: Sequence[Decision], stage: Stages, output: str) -> None:
    """Resolve and assemble documents (columns `id`, `paper`, `record`, JSON) and write the tables under the output."""
    by_person = rules(decisions, load_vocabulary())
    entities, names = name_entities(documents, by_person, stage)
    nodes = make_nodes(names, by_person, stage)
    make_tables(documents, entities, nodes, stage, output)


def read_graph(path: str, spark: SparkSession | None = None) -> Graph:
    """The graph whose tables lie at the path, in memory; paths with a scheme are read by Spark.

    Raises StoreError where no finished graph is there.
    """
    path = path.rstrip("/")
    if "://" not in path:
        folder = Path(path)
        if not (folder / "edges" / "_SUCCESS").exists():
            raise StoreError(f"{path}: no finished graph of the Spark engine", "run the same command again: it goes on where it stopped")
        manifest = folder / MANIFEST
        # through the JVM the same would take twice the memory
        return read_tables(
            lambda place: pq.read_table(folder / place, partitioning=None) if any((folder / place).glob("*.parquet")) else None,
            json.loads(manifest.read_text(encoding="utf-8")) if manifest.exists() else None,
        )
    session = spark or open_session()
    text = read_text(session, f"{path}/{MANIFEST}")
    return read_tables(
        lambda place: session.read.parquet(f"{path}/{place}").toArrow() if exists(session, f"{path}/{place}") else None,
        json.loads(text) if text else None,
    )
