"""Graph -> file: one table of formats, and one call that writes any of them beside the old file and renames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from kgbuild.errors import KgbuildError
from kgbuild.exporters.files import replacing
from kgbuild.exporters.selection import select

if TYPE_CHECKING:
    from kgbuild.graph import Graph

__all__ = ["FORMATS", "Format", "export", "format_of", "select"]


@dataclass(frozen=True, slots=True)
class Format:
    """A row of the table: `writer` is `module:function`, imported when used and called with (graph, path)."""

    name: str
    suffixes: tuple[str, ...]
    writer: str
    description: str

    def load(self) -> Callable[[Graph, Path], None]:
        """The writing function."""
        module, _, function = self.writer.partition(":")
        writer: Callable[[Graph, Path], None] = getattr(import_module(module), function)
        return writer


FORMATS = {
    row.name: row
    for row in (
        Format("graphml", (".graphml",), "kgbuild.exporters.graphml:write", "GraphML, for NetworkX, igraph, yEd, Cytoscape"),
        Format("gexf", (".gexf",), "kgbuild.exporters.gexf:write", "GEXF with colours by type and sizes by degree, for Gephi"),
        Format("node-link", (".json",), "kgbuild.exporters.jsongraph:write_node_link", "node-link JSON, for NetworkX and D3"),
        Format("cytoscape", (".cyjs", ".cytoscape.json"), "kgbuild.exporters.jsongraph:write_cytoscape", "Cytoscape JSON"),
        Format("dot", (".dot", ".gv"), "kgbuild.exporters.dot:write", "DOT, for Graphviz"),
        Format("csv", (".csv", ".csv.zip", ".zip"), "kgbuild.exporters.tables:write_csv", "a folder (or zip) of CSV tables"),
        Format("parquet", (".parquet", ".parquet.zip"), "kgbuild.exporters.tables:write_parquet", "a folder (or zip) of Parquet tables"),
        Format("cypher", (".cypher", ".cql"), "kgbuild.exporters.cypher:write", "a Cypher script that loads the graph into Neo4j"),
        Format("turtle", (".ttl",), "kgbuild.exporters.rdf:write_turtle", "RDF as Turtle"),
        Format("ntriples", (".nt",), "kgbuild.exporters.rdf:write_ntriples", "RDF as N-Triples"),
        Format("nquads", (".nq",), "kgbuild.exporters.rdf:write_nquads", "RDF as N-Quads, one named graph per paper"),
        Format("trig", (".trig",), "kgbuild.exporters.rdf:write_trig", "RDF as TriG, one named graph per paper"),
        Format("jsonld", (".jsonld",), "kgbuild.exporters.rdf:write_jsonld", "RDF as JSON-LD, with the same named graphs"),
        Format("leaderboards", (".leaderboards.csv",), "kgbuild.exporters.leaderboards:write_csv", "every result as a CSV row, ranked"),
        Format("sota", (".sota.json",), "kgbuild.exporters.leaderboards:write_sota", "leaderboards in the JSON of sota-extractor"),
        Format("bibtex", (".bib",), "kgbuild.exporters.bibtex:write", "BibTeX of the papers"),
        Format("html", (".html", ".htm"), "kgbuild.explorer:write_page", "the explorer as one self-contained page"),
    )
}


def format_of(path: Path | str) -> Format:
    """The format whose suffix the name ends with, the longest one winning; raises KgbuildError where none fits."""
    name = Path(path).name.lower()
    fitting = [(len(suffix), row.name) for row in FORMATS.values() for suffix in row.suffixes if name.endswith(suffix)]
    if not fitting:
        known = ", ".join(f"{row.name} ({' '.join(row.suffixes)})" for row in FORMATS.values())
        raise KgbuildError(f"{path}: the name does not say the format", f"name one with --format: {known}")
    return FORMATS[max(fitting)[1]]


def export(graph: Graph, path: Path | str, *, format: str | None = None) -> Path:
    """Write the graph to `path` and return it; the format follows from the suffix unless named.

    The file (or folder of tables) is written beside and renamed at the end: an export that fails or is interrupted leaves
    what was there whole. The same graph gives the same bytes. Raises KgbuildError for an unknown format and for a place
    that cannot be written.
    """
    path = Path(path)
    if format is not None and format not in FORMATS:
        raise KgbuildError(f"unknown format {format!r}", f"known: {', '.join(FORMATS)}")
    row = FORMATS[format] if format else format_of(path)
    writer = row.load()
    with replacing(path) as beside:
        writer(graph, beside)
    return path
