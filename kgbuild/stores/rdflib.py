"""RDF in memory as an rdflib Dataset, kept by Oxigraph through oxrdflib, for those who live in rdflib."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, cast

import oxrdflib
import pyoxigraph as ox
import rdflib

from kgbuild.errors import StoreError
from kgbuild.schema import Schema
from kgbuild.stores import rdf, sparql
from kgbuild.stores.oxigraph import OxigraphStore

if TYPE_CHECKING:
    import pyarrow as pa


class RdflibStore(OxigraphStore):
    """A graph as an rdflib Dataset at `.dataset`, whose default graph is the union of all; changes to it are read back."""

    name: ClassVar[str] = "rdflib"

    def __init__(self, schema: Schema | None = None) -> None:
        """An empty dataset with the ontology's prefixes."""
        super().__init__(None, schema)
        self.dataset = rdflib.Dataset(store=oxrdflib.OxigraphStore(store=self.inner()), default_union=True)
        for prefix, iri in rdf.prefixes_of(self.schema).items():
            self.dataset.bind(prefix, iri)

    @classmethod
    def open(cls, url: str) -> RdflibStore:
        """An empty store for `rdflib:`."""
        if url.partition(":")[2]:
            raise StoreError("rdflib: is a store in memory", "rdf:DIR keeps RDF on disk")
        return cls()

    def query(self, text: str, parameters: Mapping[str, Any] | None = None, *, write: bool = False) -> pa.Table:
        """The rows that rdflib gives; parameters and columns are as in OxigraphStore."""
        given = dict(parameters or {})
        sparql.check(text, self.schema, write=write)
        if sparql.is_update(text):
            return super().query(text, given, write=write)
        bindings = {name: _term(item) for name, item in given.items()}
        try:
            result = self.dataset.query(text, initBindings=bindings, initNs=rdf.prefixes_of(self.schema))
            if result.type == "SELECT":
                rows = [[_value(item) for item in cast(rdflib.query.ResultRow, row)] for row in result]
                return sparql.table([str(name) for name in result.vars or ()], rows, given)
            if result.type == "ASK":
                return sparql.table(("answer",), [[result.askAnswer]], {})
            rows = [[_value(item) for item in triple] for triple in result.graph or ()]
            return sparql.table(("subject", "predicate", "object"), rows, {})
        except (SyntaxError, RuntimeError, ValueError, OSError) as error:
            raise sparql.query_error(error, text) from error


def _term(item: Any) -> rdflib.term.Identifier:
    if isinstance(item, rdflib.term.Identifier):
        return item
    term = sparql.term(item)
    return (
        rdflib.URIRef(term.value)
        if isinstance(term, ox.NamedNode)
        else rdflib.Literal(term.value, datatype=rdflib.URIRef(term.datatype.value))
    )


def _value(item: Any) -> Any:
    if isinstance(item, rdflib.Literal):
        # Not toPython(): it gives other types than the other stores, and its own for what it cannot convert.
        return rdf.python_value(str(item), str(item.datatype or rdflib.XSD.string))
    return None if item is None else str(item)
