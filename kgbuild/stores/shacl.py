"""Validation against the ontology's SHACL shapes: each violation with the sentence it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pyoxigraph as ox
import pyshacl
import rdflib
from rdflib.namespace import RDF, SH

from kgbuild.schema import Schema, load_schema, ontology_path
from kgbuild.stores import rdf


@dataclass(frozen=True, slots=True)
class Violation:
    """What breaks a shape: `focus` is the IRI at fault, `about` the node or edge in words, `message` the rule, `value` what stands there.

    `paper` and `sentence` say where it comes from; both are empty where the graph has no evidence for it.
    """

    focus: str
    about: str
    message: str
    value: str
    paper: str
    sentence: str

    def __str__(self) -> str:
        """One line, and under it the paper and the sentence."""
        value = f" (found {self.value!r})" if self.value else ""
        source = f"\n    {self.paper}: {self.sentence}" if self.sentence else ""
        return f"{self.about}: {self.message}{value}{source}"


def validate(quads: Iterable[ox.Quad], schema: Schema | None = None) -> list[Violation]:
    """Every violation of the shapes in `ontology/generated/shapes.ttl`, sorted by what it is about; none means that all is well."""
    schema = schema or load_schema()
    data = as_rdflib(quads)
    shapes = rdflib.Graph().parse(ontology_path("generated/shapes.ttl"), format="turtle")
    conforms, report, _ = pyshacl.validate(data, shacl_graph=shapes, inference="none")
    if conforms or not isinstance(report, rdflib.Graph):
        return []
    words = _Words(data, schema)
    found = {_violation(report, result, words) for result in report.subjects(RDF.type, SH.ValidationResult)}
    return sorted(found, key=lambda violation: (violation.about, violation.message, violation.value))


def as_rdflib(quads: Iterable[ox.Quad]) -> rdflib.Graph:
    """All triples in one rdflib graph in memory, literals as they are written."""
    graph = rdflib.Graph()
    graph.addN((_term(quad.subject), _term(quad.predicate), _term(quad.object), graph) for quad in quads)
    return graph


def _term(term: Any) -> rdflib.term.Identifier:
    if isinstance(term, ox.Literal):
        # rdflib keeps "a" and "a"^^xsd:string apart, and its parsers give the first.
        plain = term.language or term.datatype.value == rdf.DATATYPES["string"]
        datatype = None if plain else rdflib.URIRef(term.datatype.value)
        return rdflib.Literal(term.value, lang=term.language, datatype=datatype, normalize=False)
    return rdflib.URIRef(term.value) if isinstance(term, ox.NamedNode) else rdflib.BNode(str(term))


def _violation(report: rdflib.Graph, result: Any, words: _Words) -> Violation:
    focus, value = report.value(result, SH.focusNode), report.value(result, SH.value)
    # Shapes of a relation bear its name: the rule is about one of the node's edges.
    shape = str(report.value(result, SH.sourceShape) or "").rpartition("#")[2].removesuffix("Shape")
    statement, about = words.place(focus, shape)
    paper, sentence = words.sentence(statement)
    message = str(report.value(result, SH.resultMessage) or "breaks a shape")
    return Violation(str(focus), about, message, "" if value is None or value == focus else words.name(value), paper, sentence)


class _Words:
    """Finds names, edges and sentences around a node."""

    def __init__(self, data: rdflib.Graph, schema: Schema) -> None:
        self.data, self.schema = data, schema
        self.iri = {curie: rdflib.URIRef(schema.iri(curie)) for curie in _CURIES}

    def name(self, term: Any) -> str:
        """The id of a node, or what the term is."""
        return str(self.data.value(term, self.iri["dcterms:identifier"]) or term)

    def place(self, focus: Any, shape: str) -> tuple[Any, str]:
        """The node, statement or piece of evidence where the sentence is to be found, and words for it."""
        body = self.data.value(focus, self.iri["oa:hasBody"])
        if body is not None:
            return focus, f"evidence of {self._edge(body)}"
        if (focus, RDF.type, RDF.Statement) in self.data:
            return focus, self._edge(focus)
        if shape in self.schema.relations:
            for statement in sorted(self.data.subjects(RDF.subject, focus), key=str):
                if self.data.value(statement, RDF.predicate) == rdflib.URIRef(self.schema.iri(f"kg:{shape}")) and not self._allowed(
                    statement
                ):
                    return statement, self._edge(statement)
        return focus, self.name(focus)

    def sentence(self, place: Any) -> tuple[str, str]:
        """(paper id, passage) of a piece of evidence, a statement or a node; empty strings where there is none."""
        for piece in self._pieces(place):
            target = self.data.value(piece, self.iri["oa:hasTarget"])
            selector = self.data.value(target, self.iri["oa:hasSelector"])
            text = self.data.value(selector, self.iri["oa:exact"])
            if text is not None:
                return self.name(self.data.value(target, self.iri["oa:hasSource"])), " ".join(text.split())
        quoted = self.data.value(place, self.iri["oa:exact"]) or self.data.value(place, self.iri["dcterms:title"])
        return (self.name(place), " ".join(quoted.split())) if quoted else ("", "")

    def _pieces(self, place: Any) -> Iterator[Any]:
        """Evidence in order: the piece itself, that of the statement, that of the statements about the node."""
        yield place
        evidence = self.iri["kg:evidence"]
        yield from sorted(self.data.objects(place, evidence), key=str)
        for end in (RDF.object, RDF.subject):
            for statement in sorted(self.data.subjects(end, place), key=str):
                yield from sorted(self.data.objects(statement, evidence), key=str)

    def _edge(self, statement: Any) -> str:
        source, predicate, target = (self.data.value(statement, part) for part in (RDF.subject, RDF.predicate, RDF.object))
        relation = unquote(str(predicate).removeprefix(self.schema.iri("kg:")))
        return f"{self.name(source)} {relation} {self.name(target)}"

    def _allowed(self, statement: Any) -> bool:
        kg = self.schema.iri("kg:")
        ends = []
        for part in (RDF.subject, RDF.object):
            types = self.data.objects(self.data.value(statement, part), RDF.type)
            ends.append(next((str(type_).removeprefix(kg) for type_ in types if str(type_).startswith(kg)), ""))
        relation = str(self.data.value(statement, RDF.predicate)).removeprefix(kg)
        return self.schema.allows(ends[0], relation, ends[1])


_CURIES = ("dcterms:identifier", "dcterms:title", "kg:evidence", "oa:hasBody", "oa:hasTarget", "oa:hasSelector", "oa:hasSource", "oa:exact")
