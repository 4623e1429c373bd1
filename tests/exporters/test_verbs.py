"""The verbs `export` and `plot` on a graph that `kgbuild build` made."""

from __future__ import annotations

import json
from pathlib import Path

import networkx as nx
import pytest

import kgbuild
from kgbuild.cli import main


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """The graph of the example papers."""
    path = tmp_path_factory.mktemp("graph") / "papers.kg"
    kgbuild.build([str(root / "examples" / "papers.jsonl")], path, extractor="rules")
    return path


def run(*arguments: object) -> int:
    """Run the command line and return its exit code."""
    with pytest.raises(SystemExit) as exit_:
        main([str(argument) for argument in arguments])
    return int(exit_.value.code or 0)


def test_export(papers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`export` writes what `select` leaves and says how much that is."""
    out = tmp_path / "bert.graphml"
    assert run("export", papers, out, "--around", "BERT", "--hops", 2, "--type", "Method", "--type", "Task", "--min-belief", 0.1) == 0
    read = nx.read_graphml(out, force_multigraph=True)
    assert f"{read.number_of_nodes():,} nodes, {read.number_of_edges():,} edges" in capsys.readouterr().err
    assert {values["type"] for _, values in read.nodes(data=True)} == {"Method", "Task"}


def test_manifest_rides_along(papers: Path, tmp_path: Path) -> None:
    """What the graph was made from stands in the export."""
    assert run("export", papers, tmp_path / "out.graphml", "--quiet") == 0
    manifest = json.loads(nx.read_graphml(tmp_path / "out.graphml").graph["manifest"])
    with kgbuild.open(papers) as opened:
        assert manifest == opened.graph().manifest
    assert manifest


def test_two_builds_export_the_same_bytes(papers: Path, tmp_path: Path, root: Path) -> None:
    """Building the same papers again elsewhere gives byte-identical exports."""
    kgbuild.build([str(root / "examples" / "papers.jsonl")], tmp_path / "again.kg", extractor="rules")
    for suffix in (".gexf", ".json", ".csv.zip", ".ttl", ".html", ".bib"):
        assert run("export", papers, tmp_path / f"a{suffix}") == 0
        assert run("export", tmp_path / "again.kg", tmp_path / f"b{suffix}") == 0
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes(), suffix


def test_plot(papers: Path, tmp_path: Path) -> None:
    """`plot` draws each of its three pictures."""
    for number, options in enumerate(
        (["--around", "BERT"], ["--leaderboard", "ImageNet"], ["--matrix", "Method", "Dataset", "--limit", "5"])
    ):
        assert run("plot", papers, tmp_path / f"{number}.png", *options) == 0
        assert (tmp_path / f"{number}.png").read_bytes().startswith(b"\x89PNG")


def test_mistakes_are_one_line(papers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong name or suffix exits with 2, writes nothing and prints one line."""
    for arguments in (["export", papers, tmp_path / "x.doc"], ["plot", papers, tmp_path / "x.png", "--around", "BERTT"]):
        assert run(*arguments) == 2
        error = capsys.readouterr().err
        assert error.startswith("kgbuild: ")
        assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())
