"""The two steps of a build that take long, on Spark: extraction, and from documents to the graph."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

import pyarrow as pa

from kgbuild.graph import Graph
from kgbuild.ledger import digest
from kgbuild.records import Extraction, Paper, dumps
from kgbuild.resolution.values import Decision
from kgbuild.spark.extraction import PAPERS, TEXT, extract_rows, outcome
from kgbuild.spark.frames import Stages, make_frame
from kgbuild.spark.job import make_graph, read_graph
from kgbuild.spark.session import open_session
from kgbuild.workers import LoadExtractor, Outcome

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

CHUNK = 20_000  # papers that are sent out together
DOCUMENTS = pa.schema([("id", TEXT), ("paper", TEXT), ("record", TEXT)])


class SparkEngine:
    """Builds graph files with Spark: papers and records go out from the driver, extractions and the graph's tables come back to it.

    What is extracted is kept in the graph file as it comes, so that a build that is stopped goes on there. For more papers than one
    machine can hold, `python -m kgbuild.spark` does all of it on the cluster.
    """

    def __init__(self, master: str | None = None, checkpoint: str | None = None) -> None:
        """Start Spark, or take the session that is active.

        master: such as `local[2]` or `spark://host:7077`; without one that of the environment, else all cores of this machine.
        checkpoint: a folder or URL that the executors reach; stages are kept there, so that a second run goes on. Without one they
        go to a temporary folder of this machine. Raises MissingExtraError without pyspark, KgbuildError where Spark does not start.
        """
        self.spark: SparkSession = open_session(master)
        self.checkpoint = checkpoint

    def extract(self, papers: Iterable[Paper], load: LoadExtractor) -> Iterator[Outcome]:
        """Each paper with its extraction, or with what went wrong in one line."""
        queue = iter(papers)
        parts = 4 * self.spark.sparkContext.defaultParallelism  # some papers take longer: small parts even that out
        while chunk := {paper.id: paper for paper in islice(queue, CHUNK)}:
            rows = ({"id": paper.id, "paper": dumps(paper.to_json())} for paper in chunk.values())
            frame = make_frame(self.spark, rows, PAPERS).repartition(min(parts, len(chunk)))
            for row in extract_rows(frame, load).toLocalIterator(prefetchPartitions=True):
                yield chunk[row["id"]], outcome(row.asDict())

    def graph(self, documents: Iterable[tuple[Paper, Extraction]], decisions: Sequence[Decision] = ()) -> Graph:
        """The graph of the documents, the same as that of `resolve` and `assemble`."""
        with self._folder() as folder:
            parts, names = [], []
            for name, rows in _chunks(documents):
                stage = Stages(self.spark, f"{folder}/given")
                parts.append(stage(name, lambda rows=rows: make_frame(self.spark, rows, DOCUMENTS)))  # type: ignore[misc]
                names.append(name)
            run = f"{folder}/{digest(*names, *map(str, decisions))}"
            make_graph(_together(parts or [make_frame(self.spark, [], DOCUMENTS)]), decisions, Stages(self.spark, run), f"{run}/graph")
            return read_graph(f"{run}/graph", self.spark)

    @contextmanager
    def _folder(self) -> Iterator[str]:
        if self.checkpoint is not None:
            yield self.checkpoint.rstrip("/")
            return
        with tempfile.TemporaryDirectory(prefix="kgbuild-spark-") as folder:
            yield folder


def _chunks(documents: Iterable[tuple[Paper, Extraction]]) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """(a name that follows from the content, rows) of as many documents as go out together."""
    queue = iter(documents)
    while chunk := list(islice(queue, CHUNK)):
        rows = [{"id": p.id, "paper": dumps(p.to_json()), "record": dumps(e.to_json(p.text))} for p, e in chunk]
        yield digest(*(row[name] for row in rows for name in ("paper", "record"))), rows


def _together(frames: list[DataFrame]) -> DataFrame:
    first, *others = frames
    for other in others:
        first = first.unionByName(other)
    return first
