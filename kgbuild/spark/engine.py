"""The two steps of a build that take long, on Spark: extraction, and from documents to the graph."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

import pyarrow as pa

from kgbuild.graph import Graph
from kgbuild.ledger import digest
from kgbuild.records import Extraction, Paper, dumps
from kgbuild.resolution.values import Decision
from kgbuild.spark.extraction import PAPERS, PARTS, TEXT, extract_rows, outcome
from kgbuild.spark.frames import Stages, make_frame, together
from kgbuild.spark.job import make_graph, read_graph
from kgbuild.spark.session import open_session, require_spark, spark_errors
from kgbuild.workers import LoadExtractor, Outcome

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CHUNK = 20_000  # papers that are sent out together
DOCUMENTS = pa.schema([("id", TEXT), ("paper", TEXT), ("record", TEXT)])


class SparkEngine:
    """Builds graph files with Spark: papers and records go out from the driver, extractions and the graph's tables come back to it.

    What is extracted is kept in the graph file as it comes, so that a build that is stopped goes on there. For more papers than one
    machine can hold, `python -m kgbuild.spark` does all of it on the cluster.
    """

    def __init__(self, master: str | None = None, checkpoint: str | None = None) -> None:
        """Spark starts with the first step; a session that is active is taken.

        master: such as `local[2]` or `spark://host:7077`; without one that of spark-submit, else all cores of this machine.
        checkpoint: a folder or URL that the executors reach; stages are kept there, so that a second run goes on. Without one they
        go to a temporary folder of this machine. Raises MissingExtraError without pyspark; the steps raise KgbuildError where Spark
        does not start or gives up.
        """
        require_spark()
        self.master = master
        self.checkpoint = checkpoint

    @cached_property
    def spark(self) -> SparkSession:
        """The session, started when there is something to do."""
        return open_session(self.master)

    def extract(self, papers: Iterable[Paper], load: LoadExtractor) -> Iterator[Outcome]:
        """Each paper with its extraction, or with what went wrong in one line."""
        queue = iter(papers)
        parts = PARTS * self.spark.sparkContext.defaultParallelism
        while chunk := {paper.id: paper for paper in islice(queue, CHUNK)}:
            rows = ({"id": paper.id, "paper": dumps(paper.to_json())} for paper in chunk.values())
            frame = make_frame(self.spark, rows, PAPERS).repartition(min(parts, len(chunk)))
            with spark_errors():
                for row in extract_rows(frame, load).toLocalIterator(prefetchPartitions=True):
                    yield chunk[row["id"]], outcome(row.asDict())

    def graph(self, documents: Iterable[tuple[Paper, Extraction]], decisions: Sequence[Decision] = ()) -> Graph:
        """The graph of the documents, the same as that of `resolve` and `assemble`."""
        with spark_errors(), self._folder() as folder:
            parts, names = [], []
            for name, rows in _chunks(documents):
                stage = Stages(self.spark, f"{folder}/given")
                parts.append(stage(name, lambda rows=rows: make_frame(self.spark, rows, DOCUMENTS)))  # type: ignore[misc]
                names.append(name)
            run = f"{folder}/{digest(*names, *map(str, decisions))}"
            make_graph(together(parts or [make_frame(self.spark, [], DOCUMENTS)]), decisions, Stages(self.spark, run), f"{run}/graph")
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
