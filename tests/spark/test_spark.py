"""The Spark engine makes the graph of the local engine, row by row and byte by byte, whatever happens on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest
from builds import NetExtractor, exported, load_nets
from catalogue_asks import compare
from neo4j_server import CONNECTOR, Server, classpath
from pyspark import cloudpickle
from pyspark.sql import SparkSession

import kgbuild
from kgbuild import sources
from kgbuild.cli.spark import spark as spark_verb
from kgbuild.errors import KgbuildError, StoreError
from kgbuild.extraction import load_extractor
from kgbuild.queries import QUESTIONS
from kgbuild.records import Extraction, Paper
from kgbuild.resolution import Decision, assemble, resolve
from kgbuild.spark import SparkEngine, build, connector, frames, read_graph, write_neo4j
from kgbuild.spark.frames import make_frame
from kgbuild.stores import open_store

Documents = list[tuple[Paper, Extraction]]


def documents(papers: Iterable[Paper]) -> Documents:
    """The papers with what the rules say of them."""
    listed = list(papers)
    return list(zip(listed, load_extractor("rules").extract(listed), strict=True))


@pytest.fixture(scope="module")
def some(shared: Path) -> Documents:
    """120 papers of the seeds."""
    return documents(sources.unite(paper for _, paper in sources.read([shared / "seeds"], on_problem=lambda _: None))[::4])


def test_seeds_give_the_same_bytes(seeds_by_spark: Path, shared: Path, tmp_path: Path) -> None:
    """A graph file of the seeds has the same bytes from either engine: tables, manifest, exports, and the name of its content."""
    kgbuild.build(shared / "seeds", tmp_path / "local.kg", extractor="rules")
    assert exported(seeds_by_spark / "seeds.kg") == exported(tmp_path / "local.kg")
    with kgbuild.open(seeds_by_spark / "seeds.kg") as ours, kgbuild.open(tmp_path / "local.kg") as theirs:
        assert ours.digest == theirs.digest


def test_the_connector_writes_what_the_catalogue_asks_for(
    spark: SparkSession,
    seeds_by_spark: Path,
    pytestconfig: pytest.Config,
    neo4j_server: Server,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Neo4j's connector for Spark sends the seeds to a real server: the graph read back is whole, and every question has its rows.

    Without the connector nothing is begun.
    """
    classpath(pytestconfig.cache.mkdir("neo4j"), CONNECTOR)  # skips where the jars cannot be had
    for variable, value in neo4j_server.environment.items():
        monkeypatch.setenv(variable, value)
    (tables,) = map(str, seeds_by_spark.glob("*/graph"))
    graph = read_graph(tables, spark)
    with open_store("neo4j:") as store:
        store.query("MATCH (n) DETACH DELETE n", write=True)
        write_neo4j(tables, "neo4j:", spark)
        assert store.read().equals(graph)
        # the rules find no tasks of results, and these pages have no years
        assert len(compare(store, graph, 1, (0.7,))) > len(QUESTIONS) // 2
    with pytest.raises(StoreError, match="no finished graph"):
        write_neo4j(tables + "x", "neo4j:", spark)
    with pytest.raises(StoreError, match="no address of a Neo4j server"):
        write_neo4j(tables, f"ladybug:{tables}/x", spark)
    monkeypatch.setattr(connector, "FORMAT", "org.example.Missing")
    with pytest.raises(KgbuildError, match="no connector"):
        spark_verb([tables], str(tmp_path / "graph"), neo4j="neo4j:")
    assert not any(tmp_path.iterdir())


def test_decisions_hubs_and_a_second_run(spark: SparkSession, some: Documents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decisions count on Spark as they do locally, salted joins change nothing, and a second run takes up finished stages."""
    plain = resolve(some)
    methods = sorted((node for node in plain.nodes.values() if node.type == "Method"), key=lambda node: node.name)
    decisions = [
        Decision("same", "Method", methods[0].name, methods[-1].name),
        Decision("different", "Method", methods[1].name, methods[-2].name),
        Decision("rename", "Method", methods[2].name, "another name"),
        Decision("type", "Method", methods[3].name, "Task"),
    ]
    expected = assemble(some, resolve(some, decisions=decisions))
    assert not expected.equals(assemble(some, plain))
    monkeypatch.setattr(frames, "HUB", 3)
    engine = SparkEngine(checkpoint=str(tmp_path))
    assert engine.graph(some, decisions).equals(expected)
    (last,) = tmp_path.glob("*/graph/edges/_SUCCESS")
    last.unlink()  # as if the driver had died while it wrote the last table
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/*/*.parquet")}
    assert engine.graph(some, decisions).equals(expected)
    assert len(before) > 10
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_hubs_are_salted(spark: SparkSession) -> None:
    """A key with many rows is spread over tasks, and the join gives what a plain join gives."""
    rows = [{"id": f"p{i}", "name": "deep learning" if i % 2 else f"n{i}"} for i in range(200)]
    left = make_frame(spark, rows, pa.schema([("id", "string"), ("name", "string")]))
    nodes = [{"name": name, "node": f"node of {name}"} for name in ("deep learning", "n2", "n4")]
    right = make_frame(spark, nodes, pa.schema([("name", "string"), ("node", "string")]))
    salted, bare = frames.join(left, right, ["name"], hub=50), left.join(right, ["name"], "left")
    assert sorted(map(tuple, salted.collect()), key=str) == sorted(map(tuple, bare.collect()), key=str)
    assert "explode(sequence(0" in salted._jdf.queryExecution().toString()


class Fatal(NetExtractor):
    """Kills its process at one paper, the first time only."""

    def __init__(self, marker: Path) -> None:
        """`marker`: a file that remembers that it happened."""
        super().__init__()
        self.marker = marker

    def extract(self, papers: Iterable[Paper]) -> Iterator[Extraction]:
        """One extraction per paper."""
        for paper in papers:
            if paper.id == "p33" and not self.marker.exists():
                self.marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            yield from super().extract([paper])


def test_a_killed_worker_changes_nothing(spark: SparkSession, tmp_path: Path) -> None:
    """A Python worker that dies in the middle is replaced: every paper is extracted, none twice."""
    papers = [Paper(f"p{i}", f"AlphaNet against Beta{'x' * (i % 7)}Net") for i in range(60)]
    marker = tmp_path / "killed"
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    found = list(SparkEngine().extract(papers, partial(Fatal, marker)))
    assert marker.exists()
    assert sorted(found, key=lambda pair: pair[0].id) == sorted(
        zip(papers, NetExtractor().extract(papers), strict=True), key=lambda p: p[0].id
    )


def test_a_paper_that_fails_is_named(spark: SparkSession) -> None:
    """A paper on which the extractor raises comes back with the reason, the others with their extractions."""
    papers = [Paper("a", "AlphaNet"), Paper("b", "told to raise"), Paper("c", "BetaNet")]
    found = {paper.id: outcome for paper, outcome in SparkEngine().extract(papers, load_nets)}
    assert found["b"] == "ValueError: told to raise"
    assert isinstance(found["a"], Extraction)
    assert isinstance(found["c"], Extraction)


def test_the_cluster_job_gives_the_local_graph(spark: SparkSession, some: Documents, tmp_path: Path) -> None:
    """From files and a URL to Parquet: the same papers united, the same graph, problems told, and a second run has nothing to do."""
    papers = [paper for paper, _ in some[:40]]
    rows = [paper.to_json() for paper in papers]
    copies = [{**row, "id": f"copy-{row['id']}", "abstract": "" if i % 2 else row["abstract"].upper()} for i, row in enumerate(rows[:10])]
    for name, part in (("first.jsonl", rows[:25]), ("second.jsonl", [*rows[25:], *copies])):
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in part) + ("not json\n" if "second" in name else ""))
    inputs = [str(tmp_path / "first.jsonl"), f"file://{tmp_path}/second.jsonl"]
    report = build(inputs, str(tmp_path / "graph"), extractor="rules", spark=spark)
    kgbuild.build([tmp_path / "first.jsonl", tmp_path / "second.jsonl"], tmp_path / "local.kg", extractor="rules")
    with kgbuild.open(tmp_path / "local.kg") as local:
        assert read_graph(str(tmp_path / "graph")).equals(local.graph())
        assert report.counts == local.manifest["counts"]
    assert len(report.problems) == 1
    assert "not a JSON object" in report.problems[0]
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}
    assert build(inputs, str(tmp_path / "graph"), extractor="rules", spark=spark) == report
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")} == before


def test_errors_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pyspark the engine says what to install; an unknown engine and options of the other one are named."""
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(KgbuildError, match=r'pip install "kgbuild\[spark\]"'):
        SparkEngine()
    paper = tmp_path / "p.jsonl"
    paper.write_text('{"id": "a", "title": "AlphaNet"}\n')
    for options, words in ((["--engine", "flink"], "unknown engine 'flink'"), (["--master", "local"], "are for --engine spark")):
        command = [sys.executable, "-m", "kgbuild", "build", str(paper), "-o", str(tmp_path / "p.kg"), *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "p.kg").exists()
    for options, words in (
        ([str(tmp_path / "missing.jsonl")], "missing.jsonl"),
        ([str(paper), "--jars", "connector.jar"], "connector.jar: there is no such jar"),
        ([str(paper), "--neo4j", "localhost:7687"], "localhost:7687"),
    ):
        command = [sys.executable, "-m", "kgbuild", "spark", *options, "-o", str(tmp_path / "tables")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["p.jsonl"]
