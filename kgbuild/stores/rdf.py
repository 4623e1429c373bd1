"""Graph <-> RDF, the one mapping behind the SPARQL stores, the RDF files and the validation.

| what                 | how                                                                                               |
|----------------------|---------------------------------------------------------------------------------------------------|
| node                 | `NAMESPACE id/KEY`, typed by its class and the classes it matches; properties as in the ontology  |
| edge                 | one triple `source kg:RELATION target`, and a `kg:Statement` (an rdf:Statement) with its belief   |
| evidence             | a `kg:Evidence` (an oa:Annotation) whose target is a passage of the paper, with PROV-O origin      |
| paper                | a named graph that holds the evidence from it; everything else lies in the default graph          |
| list with an order   | plain triples, and beside them the list itself as rdf:JSON at `kg:COLUMN_in_order`                 |

Statements about statements are classic reification with IRIs of their own, not RDF 1.2 triple terms: rdflib, pySHACL and most
SPARQL clients cannot read those yet, and a stable IRI for each edge can be cited, which a triple term cannot. No triple lies in two
graphs, so that the union of all graphs has no doubles.
"""

from __future__ import annotations

import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import blake2b
from json.encoder import encode_basestring as _quoted  # C speed; its escapes are those of N-Quads
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import pyoxigraph as ox

from kgbuild.errors import StoreError
from kgbuild.graph import Graph, node_key
from kgbuild.schema import Property, Schema, load_schema

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
XSD = "http://www.w3.org/2001/XMLSchema#"
DATATYPES = {"string": XSD + "string", "integer": XSD + "integer", "float": XSD + "double", "boolean": XSD + "boolean"}
FORMATS = {
    "turtle": ox.RdfFormat.TURTLE,
    "trig": ox.RdfFormat.TRIG,
    "ntriples": ox.RdfFormat.N_TRIPLES,
    "nquads": ox.RdfFormat.N_QUADS,
    "jsonld": ox.RdfFormat.JSON_LD,
}
PAPER, AGENT = "prov:wasDerivedFrom", "prov:wasAttributedTo"  # meanings of evidence columns that are things and not values
ABSENT = -1  # an offset that is not written


def node_iri(schema: Schema, type_: str, id_: str) -> str:
    """The IRI of a node; ids keep their letters, everything that an IRI may not hold is percent-encoded."""
    return f"{schema.namespace}id/{quote(node_key(type_, id_), safe=':/-._~')}"


def statement_iri(schema: Schema, source: str, relation: str, target: str) -> str:
    """The IRI of an edge from the IRIs of its ends: the same edge has the same IRI everywhere."""
    return f"{schema.namespace}statement/{blake2b(f'{source} {relation} {target}'.encode(), digest_size=12).hexdigest()}"


def paper_graph_iri(schema: Schema, paper: str) -> str:
    """The named graph that holds the evidence from one paper."""
    return f"{schema.namespace}graph/{quote(paper, safe=':/-._~')}"


def agent_iri(schema: Schema, name: str) -> str:
    """The IRI of an extractor, from its name and version."""
    return f"{schema.namespace}agent/{quote(name, safe='-._~')}"


def prefixes_of(schema: Schema) -> dict[str, str]:
    """The ontology's prefixes and those of RDF itself."""
    return {**schema.prefixes, "rdf": RDF, "rdfs": RDFS, "xsd": XSD}


def nquads(graph: Graph) -> Iterator[str]:
    """The graph as N-Quads, in pieces of a few lines, always in the same order."""
    writer = _Writer(graph.schema)
    text = json.dumps(dict(graph.manifest), ensure_ascii=False, sort_keys=True)
    yield f"<{graph.schema.namespace}graph> <{graph.schema.iri('kg:manifest')}> {_quoted(text)}^^<{RDF}JSON> .\n"
    for type_, row in graph.node_rows():
        yield writer.node(type_, row)
    for relation in graph.edges:
        columns = writer.edge_columns(relation)
        for _, row in graph.edge_rows(relation):
            yield writer.edge(relation, row, columns)
    for agent in sorted(writer.agents):
        iri = f"<{agent_iri(graph.schema, agent)}>"
        yield f"{iri} <{RDF}type> <{graph.schema.iri('prov:SoftwareAgent')}> .\n{iri} <{RDFS}label> {_quoted(agent)} .\n"


def serialize(graph: Graph, format: str) -> bytes:
    """The graph in one of FORMATS, the same bytes for the same graph; Turtle and N-Triples drop the named graphs, not their triples."""
    if format == "nquads":
        return "".join(nquads(graph)).encode()
    kind, merged = FORMATS[format], format in ("turtle", "ntriples")
    quads = ox.parse(as_stream(graph), ox.RdfFormat.N_QUADS, lenient=True)
    # Turtle and its kin group by subject only where triples of one follow each other; TriG and JSON-LD by graph as well.
    ordered = sorted(quads, key=lambda quad: ("" if merged else str(quad.graph_name), str(quad.subject)))
    prefixes = None if format in ("ntriples", "jsonld") else prefixes_of(graph.schema)
    if merged:
        return _sorted_prefixes(ox.serialize((quad.triple for quad in ordered), format=kind, prefixes=prefixes) or b"")
    return _sorted_prefixes(ox.serialize(ordered, format=kind, prefixes=prefixes) or b"")


def read_file(path: Path, schema: Schema | None = None) -> Graph:
    """The graph in a file that kgbuild wrote (.ttl, .trig, .nt, .nq, .jsonld); raises StoreError for what is not one."""
    try:
        return from_quads(ox.parse(path=str(path)), schema)
    except (SyntaxError, ValueError, OSError) as error:
        raise StoreError(f"{path}: not readable as RDF: {error}", "known: .ttl, .trig, .nt, .nq, .jsonld") from error


def _sorted_prefixes(text: bytes) -> bytes:
    """The serializer writes prefixes in an order that changes from run to run."""
    lines = text.split(b"\n")
    count = next((number for number, line in enumerate(lines) if not line.startswith(b"@prefix ")), 0)
    return b"\n".join([*sorted(lines[:count]), *lines[count:]])


def as_stream(graph: Graph) -> io.BufferedReader:
    """The N-Quads of the graph as a binary file that is written while it is read."""
    return io.BufferedReader(_Pieces(nquads(graph)), buffer_size=1 << 20)


class _Pieces(io.RawIOBase):
    """Text pieces as a raw binary file."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            joined = io.StringIO()
            for piece in self._pieces:
                if joined.write(piece) and joined.tell() > len(buffer):
                    break
            self._rest = joined.getvalue().encode()
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


class _Column(NamedTuple):
    """A column of evidence: where its triple hangs, its predicate, and how a value becomes a term (None: not written)."""

    name: str
    on_selector: bool
    predicate: str
    term: Callable[[Any], str | None]


class _Writer:
    """Rows to lines of N-Quads."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.agents: set[str] = set()
        self._iris: dict[tuple[str, str], str] = {}
        self._term = {name: literal_writer(name) for name in DATATYPES}
        self._identifier = schema.iri("dcterms:identifier")

    def iri(self, type_: str, id_: str) -> str:
        key = type_, id_
        if key not in self._iris:
            self._iris[key] = node_iri(self.schema, type_, id_)
        return self._iris[key]

    def node(self, type_: str, row: Mapping[str, Any]) -> str:
        kind, subject = self.schema.nodes[type_], f"<{self.iri(type_, row['id'])}>"
        classes = (f"kg:{type_}", *kind.match)
        lines = [f"{subject} <{RDF}type> <{self.schema.iri(name)}> ." for name in classes]
        lines.append(f"{subject} <{self._identifier}> {_quoted(row['id'])} .")
        for prop in kind.properties:
            value, predicate, term = row[prop.name], self.schema.iri(prop.iri), self._term[prop.type]
            if prop.many:
                values = sorted(set(value))
                lines.extend(f"{subject} <{predicate}> {term(item)} ." for item in values)
                if values != value:
                    text = json.dumps(value, ensure_ascii=False)
                    lines.append(f"{subject} <{in_order(self.schema, prop)}> {_quoted(text)}^^<{RDF}JSON> .")
            elif value is not None:
                lines.append(f"{subject} <{predicate}> {term(value)} .")
        if kind.kind == "source":
            graph = f"<{paper_graph_iri(self.schema, row['id'])}>"
            lines.append(f"{graph} <{RDF}type> <{self.schema.iri('prov:Bundle')}> .")
            lines.append(f"{graph} <{self.schema.iri(PAPER)}> {subject} .")
        return "\n".join(lines) + "\n"

    def edge_columns(self, relation: str) -> list[_Column]:
        columns = []
        for prop in self.schema.relations[relation].properties:
            if prop.many:
                term = {PAPER: self._paper, AGENT: self._agent}.get(prop.iri)
                # Offsets that do not apply are left out.
                plain = self._offset if prop.type == "integer" else self._term[prop.type]
                columns.append(_Column(prop.name, prop.iri.startswith("oa:"), self.schema.iri(prop.iri), term or plain))
        return columns

    def edge(self, relation: str, row: Mapping[str, Any], columns: list[_Column]) -> str:
        iri, kg = self.schema.iri, self.schema.iri("kg:")
        source, target = self.iri(row["source_type"], row["source"]), self.iri(row["target_type"], row["target"])
        statement = statement_iri(self.schema, source, relation, target)
        lines = [
            f"<{source}> <{kg}{relation}> <{target}> .\n<{statement}> <{RDF}type> <{kg}Statement> .\n"
            f"<{statement}> <{RDF}type> <{RDF}Statement> .\n<{statement}> <{RDF}subject> <{source}> .\n"
            f"<{statement}> <{RDF}predicate> <{kg}{relation}> .\n<{statement}> <{RDF}object> <{target}> ."
        ]
        for prop in self.schema.relations[relation].properties:
            if not prop.many:
                lines.append(f"<{statement}> <{iri(prop.iri)}> {self._term[prop.type](row[prop.name])} .")
        papers = row[next(column.name for column in columns if column.term == self._paper)]
        for number, paper in enumerate(papers):
            values = [(column, row[column.name][number]) for column in columns]
            lines.append(self._evidence(statement, f"{statement}/{number}", paper, values))
        return "\n".join(lines) + "\n"

    def _evidence(self, statement: str, evidence: str, paper: str, values: list[tuple[_Column, Any]]) -> str:
        kg, oa = self.schema.iri("kg:"), self.schema.iri("oa:")
        graph = f"<{paper_graph_iri(self.schema, paper)}> ."
        target, selector = f"{evidence}/target", f"{evidence}/selector"
        lines = [
            f"<{statement}> <{kg}evidence> <{evidence}> {graph}\n"
            f"<{evidence}> <{RDF}type> <{kg}Evidence> {graph}\n<{evidence}> <{RDF}type> <{oa}Annotation> {graph}\n"
            f"<{evidence}> <{oa}hasBody> <{statement}> {graph}\n<{evidence}> <{oa}hasTarget> <{target}> {graph}\n"
            f"<{target}> <{oa}hasSource> {self._paper(paper)} {graph}\n<{target}> <{oa}hasSelector> <{selector}> {graph}\n"
            f"<{selector}> <{RDF}type> <{oa}TextPositionSelector> {graph}\n<{selector}> <{RDF}type> <{oa}TextQuoteSelector> {graph}"
        ]
        for column, value in values:
            if (term := column.term(value)) is not None:
                lines.append(f"<{selector if column.on_selector else evidence}> <{column.predicate}> {term} {graph}")
        return "\n".join(lines)

    def _paper(self, id_: str) -> str:
        return f"<{self.iri(_source_type(self.schema), id_)}>"

    def _agent(self, name: str) -> str:
        self.agents.add(name)
        return f"<{agent_iri(self.schema, name)}>"

    def _offset(self, value: int) -> str | None:
        return None if value == ABSENT else self._term["integer"](value)


def literal_writer(type_: str) -> Callable[[Any], str]:
    """What turns values of a property type into N-Quads literals."""
    if type_ == "string":
        return _quoted
    suffix = f"^^<{DATATYPES[type_]}>"
    if type_ == "float":
        return lambda value: f'"{repr(value).replace("inf", "INF").replace("nan", "NaN")}"{suffix}'
    return lambda value: f'"{str(value).lower()}"{suffix}'


def in_order(schema: Schema, prop: Property) -> str:
    """The predicate that holds a list whose order or repetitions plain triples would lose."""
    return schema.iri(f"kg:{prop.name}_in_order")


def _source_type(schema: Schema) -> str:
    return next(name for name, kind in schema.nodes.items() if kind.kind == "source")


# --- and back --------------------------------------------------------------------------------------------------------

_About = Mapping[str, Mapping[str, list[Any]]]


def from_quads(quads: Iterable[ox.Quad], schema: Schema | None = None) -> Graph:
    """The graph that the triples describe, in whichever named graph they lie; what the ontology does not know is left aside.

    Raises StoreError for a node or statement that lacks something required, and for a value that is not of its type.
    """
    schema = schema or load_schema()
    about: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for quad in quads:
        if not isinstance(quad.subject, ox.Triple):
            about[quad.subject.value][quad.predicate.value].append(quad.object)
    kg, nodes, edges = schema.iri("kg:"), defaultdict(list), defaultdict(list)
    ends: dict[str, tuple[str, str]] = {}
    statements = []
    for subject, facts in about.items():
        for kind in facts.get(f"{RDF}type", ()):
            name = kind.value.removeprefix(kg)
            if name in schema.nodes:
                row = _node_row(schema, name, subject, facts)
                ends[subject] = name, row["id"]
                nodes[name].append(row)
            elif name == "Statement":
                statements.append(subject)
    for subject in statements:
        relation, row = _edge_row(schema, subject, about, ends)
        edges[relation].append(row)
    manifest = about.get(f"{schema.namespace}graph", {}).get(f"{kg}manifest")
    return Graph.from_rows(nodes, edges, json.loads(manifest[0].value) if manifest else {}, schema)


def _node_row(schema: Schema, type_: str, subject: str, facts: Mapping[str, list[Any]]) -> dict[str, Any]:
    row = {"id": _single(subject, facts, schema.iri("dcterms:identifier")).value}
    for prop in schema.nodes[type_].properties:
        found = facts.get(schema.iri(prop.iri), [])
        if prop.many:
            ordered = facts.get(in_order(schema, prop))
            row[prop.name] = json.loads(ordered[0].value) if ordered else sorted(_python(subject, prop, term) for term in found)
        elif found or not prop.optional:
            row[prop.name] = _python(subject, prop, _single(subject, facts, schema.iri(prop.iri)))
    return row


def _edge_row(schema: Schema, statement: str, about: _About, ends: Mapping[str, tuple[str, str]]) -> tuple[str, dict[str, Any]]:
    facts = about[statement]
    relation = _single(statement, facts, f"{RDF}predicate").value.removeprefix(schema.iri("kg:"))
    if relation not in schema.relations:
        raise StoreError(f"{statement}: {relation!r} is no relation of the ontology", f"known: {', '.join(schema.relations)}")
    source, target = (_single(statement, facts, f"{RDF}{end}").value for end in ("subject", "object"))
    for end in (source, target):
        if end not in ends:
            raise StoreError(f"{statement}: {end} is no node", "load the nodes with the edges")
    row: dict[str, Any] = dict(zip(("source_type", "source", "target_type", "target"), (*ends[source], *ends[target]), strict=True))
    # Pieces of evidence are numbered: shorter names first puts /9 before /10.
    pieces = sorted((term.value for term in facts.get(schema.iri("kg:evidence"), ())), key=lambda iri: (len(iri), iri))
    for prop in schema.relations[relation].properties:
        if prop.many:
            row[prop.name] = [_evidence_value(schema, prop, about, piece) for piece in pieces]
        else:
            row[prop.name] = _python(statement, prop, _single(statement, facts, schema.iri(prop.iri)))
    return relation, row


def _evidence_value(schema: Schema, prop: Property, about: _About, piece: str) -> Any:
    subject = piece
    if prop.iri.startswith("oa:"):
        target = _single(piece, about.get(piece, {}), schema.iri("oa:hasTarget")).value
        subject = _single(target, about.get(target, {}), schema.iri("oa:hasSelector")).value
    facts, predicate = about.get(subject, {}), schema.iri(prop.iri)
    if prop.type == "integer" and predicate not in facts:
        return ABSENT
    term = _single(subject, facts, predicate)
    if prop.iri == PAPER:
        return unquote(term.value.removeprefix(node_iri(schema, _source_type(schema), "")))
    return unquote(term.value.removeprefix(agent_iri(schema, ""))) if prop.iri == AGENT else _python(subject, prop, term)


def _single(subject: str, facts: Mapping[str, list[Any]], predicate: str) -> Any:
    found = facts.get(predicate, [])
    if len(found) != 1:
        raise StoreError(f"{subject}: {len(found)} values for {predicate}, one is needed", "see what kgbuild validate says")
    return found[0]


def _python(subject: str, prop: Property, term: Any) -> Any:
    try:
        return python_value(term.value, DATATYPES[prop.type])
    except ValueError as error:
        raise StoreError(f"{subject}: {prop.name} {term.value!r} is no {prop.type}", "see what kgbuild validate says") from error


def python_value(text: str, datatype: str) -> Any:
    """The Python value of a literal; text for datatypes without one."""
    name = datatype.removeprefix(XSD)
    if name in ("integer", "int", "long"):
        return int(text)
    if name in ("double", "float", "decimal"):
        return float(text)
    return text in ("true", "1") if name == "boolean" else text
