"""RDF files: the mapping and the serialisers of the RDF stores, so that a file and a store hold the same triples."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from kgbuild.graph import Graph
from kgbuild.stores.rdf import serialize


def _write(graph: Graph, path: Path, *, syntax: str) -> None:
    path.write_bytes(serialize(graph, syntax))


write_turtle = partial(_write, syntax="turtle")
write_ntriples = partial(_write, syntax="ntriples")
write_nquads = partial(_write, syntax="nquads")
write_trig = partial(_write, syntax="trig")
write_jsonld = partial(_write, syntax="jsonld")
