"""Every format of the table: read back by a reader that is not ours, deterministic, and never half-written."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import readers
from readers import READERS

from kgbuild import exporters
from kgbuild.errors import KgbuildError
from kgbuild.exporters import FORMATS, export, format_of
from kgbuild.exporters.flat import visible
from kgbuild.graph import Graph

# These hold a part of the graph or triples, have tests of their own below or in a file of their own, and are not read as a graph here.
LEFT_OUT = {"cypher", "turtle", "ntriples", "nquads", "trig", "jsonld", "leaderboards", "sota", "bibtex", "html"}


def digest(path: Path) -> str:
    """A hash of a file, or of a folder's files with their names."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    parts = [f"{file.relative_to(path)}".encode() + file.read_bytes() for file in files if file.is_file()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def test_every_format_is_read_back() -> None:
    """A format that is added to the table fails here until a reader is found for it."""
    assert {name for name, _, _ in READERS} | LEFT_OUT == set(FORMATS)


@pytest.mark.parametrize(("name", "suffix", "reader"), READERS, ids=[f"{row[2].__name__}" for row in READERS])
def test_real_graph_read_back_whole(name: str, suffix: str, reader: object, gold: Graph, tmp_path: Path) -> None:
    """An independent reader finds the same nodes and edges of the annotated seeds, every property of each, and the manifest."""
    path = export(gold, tmp_path / f"gold{suffix}")
    assert format_of(path).name == name
    found = reader(path)  # type: ignore[operator]
    assert (len(found.nodes), len(found.edges)) == (
        sum(table.num_rows for table in gold.nodes.values()),
        sum(table.num_rows for table in gold.edges.values()),
    )
    assert found.graph(gold.schema).equals(gold)
    assert found.manifest == gold.manifest


@pytest.mark.parametrize(("name", "suffix", "reader"), READERS, ids=[f"{row[2].__name__}" for row in READERS])
def test_nasty_texts_survive(name: str, suffix: str, reader: object, nasty: Graph, tmp_path: Path) -> None:
    """Markup, quotes, control characters and the like reach the reader; where a format cannot hold a character it is spelt out."""
    found = reader(export(nasty, tmp_path / f"nasty{suffix}"))  # type: ignore[operator]
    assert len(found.edges) == sum(table.num_rows for table in nasty.edges.values())
    spelt = visible if name in ("graphml", "gexf", "dot") else str
    expected = sorted((type_, spelt(row["id"])) for type_, row in nasty.node_rows())
    assert sorted((values[found.type_key], values["node_id"]) for values in found.nodes.values()) == expected
    titles = {values.get("title") for values in found.nodes.values()} - {None, ""}
    assert titles == {spelt(title) for title in nasty.nodes["Paper"]["title"].to_pylist()}
    assert found.manifest == nasty.manifest


@pytest.mark.parametrize("name", ["turtle", "ntriples", "nquads", "trig", "jsonld"])
def test_rdf_read_back(name: str, gold: Graph, tmp_path: Path) -> None:
    """An RDF database finds a thing of the right class for every node, and a statement for every edge."""
    store = readers.rdf_store(export(gold, tmp_path / f"gold{FORMATS[name].suffixes[0]}"))
    for type_, table in gold.nodes.items():
        assert readers.things(store, gold.schema.iri(f"kg:{type_}")) == table.num_rows
    assert readers.things(store, gold.schema.iri("kg:Statement")) == sum(table.num_rows for table in gold.edges.values())


@pytest.mark.parametrize("name", ["turtle", "ntriples", "trig", "jsonld"])
def test_rdflib_agrees(name: str, board: Graph, nasty: Graph, tmp_path: Path) -> None:
    """rdflib, a second library, finds as many triples as pyoxigraph, nasty texts included."""
    import rdflib

    for number, graph in enumerate((board, nasty)):
        path = export(graph, tmp_path / f"{number}{FORMATS[name].suffixes[0]}")
        dataset = rdflib.Dataset(default_union=True)
        dataset.parse(path, format={"turtle": "turtle", "ntriples": "nt", "trig": "trig", "jsonld": "json-ld"}[name])
        assert len(set(dataset.triples((None, None, None)))) == len(readers.rdf_store(path)) > 0


EXPORT_ALL = """
import sys
from pathlib import Path
from kgbuild.exporters import FORMATS, export
from kgbuild.graph import Graph
graph = Graph.read(Path(sys.argv[1]))
for row in (FORMATS[name] for name in sys.argv[3:]):
    for suffix in row.suffixes:
        export(graph, Path(sys.argv[2]) / f"out{suffix}", format=row.name)
"""


def test_same_graph_same_bytes(board: Graph, nasty: Graph, tmp_path: Path) -> None:
    """Two processes with different hash seeds write the same bytes, in every format."""
    # The page is made of JSON, which has no room for the numbers of the nasty graph that no result has.
    for name, graph, formats in (("board", board, [*FORMATS]), ("nasty", nasty, [name for name in FORMATS if name != "html"])):
        graph.write(tmp_path / name)
        for seed in ("1", "2"):
            (tmp_path / f"{name}{seed}").mkdir()
            command = [sys.executable, "-c", EXPORT_ALL, str(tmp_path / name), str(tmp_path / f"{name}{seed}"), *formats]
            subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": seed})
        for row in (FORMATS[format_] for format_ in formats):
            for suffix in row.suffixes:
                digests = {digest(tmp_path / f"{name}{seed}" / f"out{suffix}") for seed in ("1", "2")}
                assert len(digests) == 1, (name, suffix)


@pytest.mark.parametrize("name", FORMATS)
def test_failing_export_leaves_the_old_file(name: str, board: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that breaks in the middle (full disk, Ctrl-C) leaves the old file whole and nothing beside it."""
    path = export(board, tmp_path / f"out{FORMATS[name].suffixes[0]}", format=name)
    before = digest(path)
    real = FORMATS[name].load()
    failures: list[BaseException] = [KeyboardInterrupt(), OSError(28, "No space left on device")]

    def breaks(graph: Graph, beside: Path) -> None:
        real(graph, beside)
        raise failures.pop()

    monkeypatch.setattr(exporters.Format, "load", lambda self: breaks)
    for raised in (KgbuildError, KeyboardInterrupt):
        with pytest.raises(raised):
            export(board, path, format=name)
        assert digest(path) == before
        assert os.listdir(tmp_path) == [path.name]


KILLED = """
import os, signal, sys
from pathlib import Path
from kgbuild import exporters
from kgbuild.graph import Graph
def writer(graph, path):
    real(graph, path)
    os.kill(os.getpid(), signal.SIGKILL)
graph = Graph.read(Path(sys.argv[1]))
real = exporters.FORMATS[sys.argv[3]].load()
exporters.Format.load = lambda self: writer
exporters.export(graph, Path(sys.argv[2]))
"""


@pytest.mark.parametrize(("name", "suffix"), [("graphml", ".graphml"), ("parquet", ".parquet")])
def test_killed_export_leaves_the_old_file(name: str, suffix: str, board: Graph, nasty: Graph, tmp_path: Path) -> None:
    """kill -9 in the middle leaves the old file (or folder) whole, and the next export takes its place."""
    nasty.write(tmp_path / "nasty")
    path = export(board, tmp_path / f"out{suffix}")
    before = digest(path)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "nasty"), str(path), name])
    assert killed.returncode == -signal.SIGKILL
    assert digest(path) == before
    assert digest(export(nasty, path)) != before


def test_folders_of_others_are_left_alone(board: Graph, tmp_path: Path) -> None:
    """A table export never replaces a folder that holds anything but an earlier one."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(KgbuildError, match="holds other things"):
        export(board, tmp_path / "mine", format="csv")
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "years of work"
    export(board, tmp_path / "tables", format="csv")
    export(board, tmp_path / "tables", format="parquet")
    assert not list((tmp_path / "tables").rglob("*.csv"))


def test_what_is_wrong_is_said(board: Graph, tmp_path: Path) -> None:
    """Unknown suffixes and formats, missing folders and folders in the way are one line with a way out."""
    with pytest.raises(KgbuildError, match=r"does not say the format.*--format.*graphml"):
        export(board, tmp_path / "out.docx")
    with pytest.raises(KgbuildError, match=r"unknown format 'gephi'.*gexf"):
        export(board, tmp_path / "out", format="gephi")
    with pytest.raises(KgbuildError, match="no such folder"):
        export(board, tmp_path / "missing" / "out.dot")
    (tmp_path / "out.dot").mkdir()
    with pytest.raises(KgbuildError, match="a folder is in the way"):
        export(board, tmp_path / "out.dot")
    (tmp_path / "tables").write_text("a file")
    with pytest.raises(KgbuildError, match="a file is in the way"):
        export(board, tmp_path / "tables", format="csv")


def test_the_longest_suffix_names_the_format() -> None:
    """`.leaderboards.csv` and `.sota.json` are not mistaken for tables and node-link JSON, whatever the case."""
    names = {"a.json": "node-link", "A.SOTA.JSON": "sota", "a.csv": "csv", "a.leaderboards.csv": "leaderboards", "a.csv.zip": "csv"}
    assert {path: format_of(path).name for path in names} == names


def test_the_docs_name_every_format(root: Path) -> None:
    """Each format and each of its suffixes stands in the table of docs/exports.md."""
    page = (root / "docs" / "exports.md").read_text(encoding="utf-8")
    for row in FORMATS.values():
        assert f"`{row.name}`" in page
        assert all(f"`{suffix}`" in page for suffix in row.suffixes)
