"""The ontology as OWL and as SHACL shapes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from rdflib import OWL, RDF, RDFS, SH, SKOS, XSD, BNode, Graph, Literal, URIRef
from rdflib.collection import Collection
from rdflib.term import Node

from kgbuild.schema import Property, RelationType, Schema

DATATYPES = {"string": XSD.string, "integer": XSD.integer, "float": XSD.double, "boolean": XSD.boolean}
NOTE = "Generated from ontology/kgbuild.yaml by scripts/generate.py; edit that file and run it again."


class Triples:
    """A graph under construction that knows the ontology's names; lists and unions keep their order."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.graph = Graph(bind_namespaces="none")
        self.blanks = 0
        for prefix, iri in {**schema.prefixes, "owl": OWL, "rdfs": RDFS, "rdf": RDF, "sh": SH, "xsd": XSD}.items():
            self.graph.bind(prefix, str(iri))

    def iri(self, curie: str) -> URIRef:
        return URIRef(self.schema.iri(curie))

    def kg(self, name: str) -> URIRef:
        return self.iri(f"kg:{name}")

    def add(self, subject: Node, predicate: URIRef, *objects: Node) -> None:
        for value in objects:
            self.graph.add((subject, predicate, value))

    def blank(self) -> BNode:
        # rdflib orders blank nodes by their label, which is random unless we give one
        self.blanks += 1
        return BNode(f"b{self.blanks:04}")

    def list(self, items: Iterable[Node]) -> BNode:
        head = self.blank()
        Collection(self.graph, head, list(items))
        return head

    def union(self, types: Iterable[str]) -> Node:
        classes = [self.kg(name) for name in types]
        if len(classes) == 1:
            return classes[0]
        node = self.blank()
        self.add(node, RDF.type, OWL.Class)
        self.add(node, OWL.unionOf, self.list(classes))
        return node

    def turtle(self) -> str:
        return f"# {NOTE}\n\n" + self.graph.serialize(format="turtle").strip() + "\n"


def unique(items: Iterable[str]) -> list[str]:
    """The items in order, each once."""
    return list(dict.fromkeys(items))


def ends(relation: RelationType, place: int) -> list[str]:
    """The source (place 0) or target (1) types of a relation, each once."""
    return unique(pattern[place] for pattern in relation.patterns)


def owners(schema: Schema) -> dict[str, list[tuple[str, Property]]]:
    """Who carries which property: its IRI -> (node type, or Statement and Evidence for the columns of edges; the property)."""
    carried: dict[str, list[tuple[str, Property]]] = {}
    for name, node in schema.nodes.items():
        for column in node.properties:
            carried.setdefault(column.iri, []).append((name, column))
    for column in next(iter(schema.relations.values())).properties:
        carried.setdefault(column.iri, []).append(("Evidence" if column.many else "Statement", column))
    return carried


# --- OWL ---------------------------------------------------------------------------------------------------------


def ontology(schema: Schema) -> str:
    """The ontology in OWL and RDFS, Turtle."""
    out = Triples(schema)
    here = URIRef(schema.namespace)
    out.add(here, RDF.type, OWL.Ontology)
    out.add(here, out.iri("dcterms:title"), Literal("kgbuild: methods, tasks, datasets, metrics and results of research papers", lang="en"))
    out.add(here, OWL.versionInfo, Literal(str(schema.version)))
    for name, node in schema.nodes.items():
        _class(out, name, node.description, node.match, node.close)
    for name, (description, match) in EDGE_CLASSES.items():
        _class(out, name, description, match, ())
    disjoint = out.blank()
    out.add(disjoint, RDF.type, OWL.AllDisjointClasses)
    out.add(disjoint, OWL.members, out.list(out.kg(name) for name in (*schema.nodes, *EDGE_CLASSES)))
    for relation in schema.relations.values():
        _object_property(out, relation)
    _evidence_link(out)
    for iri, carried in owners(schema).items():
        _data_property(out, iri, carried)
    return out.turtle()


EDGE_CLASSES = {
    "Statement": ("One edge of the graph as a thing of its own, with its belief and its evidence.", ("rdf:Statement", "prov:Entity")),
    "Evidence": ("One passage of one paper that states an edge, with the mentions of its two ends.", ("oa:Annotation", "prov:Entity")),
}


def _describe(out: Triples, term: URIRef, name: str, description: str) -> None:
    out.add(term, RDFS.label, Literal(name, lang="en"))
    out.add(term, SKOS.definition, Literal(description, lang="en"))
    out.add(term, RDFS.isDefinedBy, URIRef(out.schema.namespace))


def _class(out: Triples, name: str, description: str, match: Iterable[str], close: Iterable[str]) -> None:
    term = out.kg(name)
    out.add(term, RDF.type, OWL.Class)
    _describe(out, term, name, description)
    out.add(term, RDFS.subClassOf, *(RDF.Statement if curie == "rdf:Statement" else out.iri(curie) for curie in match))
    out.add(term, SKOS.closeMatch, *map(out.iri, close))


def _object_property(out: Triples, relation: RelationType) -> None:
    term = out.kg(relation.name)
    out.add(term, RDF.type, OWL.ObjectProperty, *([OWL.SymmetricProperty] if relation.symmetric else []))
    _describe(out, term, relation.name, relation.description)
    out.add(term, SKOS.example, Literal(" -> ".join(relation.example), lang="en"))
    out.add(term, RDFS.domain, out.union(ends(relation, 0)))
    out.add(term, RDFS.range, out.union(ends(relation, 1)))
    out.add(term, RDFS.subPropertyOf, *map(out.iri, relation.match))
    out.add(term, SKOS.closeMatch, *map(out.iri, relation.close))
    if relation.inverse:
        inverse = out.blank()
        out.add(inverse, OWL.inverseOf, term)
        out.add(inverse, RDFS.subPropertyOf, *map(out.iri, relation.inverse))


def _evidence_link(out: Triples) -> None:
    term = out.kg("evidence")
    out.add(term, RDF.type, OWL.ObjectProperty)
    _describe(out, term, "evidence", "Leads from a statement to a piece of its evidence.")
    out.add(term, RDFS.domain, out.kg("Statement"))
    out.add(term, RDFS.range, out.kg("Evidence"))


def _data_property(out: Triples, iri: str, carried: list[tuple[str, Property]]) -> None:
    """Only our own terms get a domain and a definition: a borrowed one means what its owner says."""
    if not iri.startswith("kg:"):
        return
    term, column = out.iri(iri), carried[0][1]
    out.add(term, RDF.type, OWL.DatatypeProperty)
    _describe(out, term, iri.removeprefix("kg:"), column.description)
    out.add(term, RDFS.domain, out.union(unique(owner for owner, _ in carried)))
    out.add(term, RDFS.range, DATATYPES[column.type])


# --- SHACL -------------------------------------------------------------------------------------------------------


def shapes(schema: Schema) -> str:
    """The shapes that `kgbuild validate` checks a graph with, Turtle."""
    out = Triples(schema)
    for name, node in schema.nodes.items():
        shape = out.kg(f"{name}Shape")
        out.add(shape, RDF.type, SH.NodeShape)
        out.add(shape, SH.targetClass, out.kg(name))
        _identifier_shape(out, shape, name)
        for column in node.properties:
            _column_shape(out, shape, name, column)
    for relation in schema.relations.values():
        _relation_shape(out, relation)
    _statement_shape(out)
    _evidence_shape(out)
    return out.turtle()


def _identifier_shape(out: Triples, shape: URIRef, owner: str) -> None:
    _column_shape(out, shape, owner, Property("id", "string", "dcterms:identifier", "Identifier of the node."))


def _column_shape(out: Triples, shape: URIRef, owner: str, column: Property, path: Node | None = None) -> None:
    part = out.kg(f"{owner}Shape-{column.name}")
    out.add(shape, SH.property, part)
    out.add(part, RDF.type, SH.PropertyShape)
    out.add(part, SH.path, path or out.iri(column.iri))
    out.add(part, SH.name, Literal(column.name))
    out.add(part, SH.datatype, DATATYPES[column.type])
    single = not column.many
    if single:
        out.add(part, SH.maxCount, Literal(1))
    if single and not column.optional:
        out.add(part, SH.minCount, Literal(1))
    if column.values:
        out.add(part, SH["in"], out.list(map(Literal, column.values)))
    for bound, limit in ((SH.minInclusive, column.minimum), (SH.maxInclusive, column.maximum)):
        if limit is not None:
            out.add(part, bound, Literal(float(limit)) if column.type == "float" else Literal(int(limit)))
    out.add(part, SH.message, Literal(f"{owner}.{column.name}: {_rule(column, single)}"))


def _rule(column: Property, single: bool) -> str:
    """What a property must be, in words, for the report of a violation."""
    count = "any number of values" if not single else "at most one value" if column.optional else "exactly one value"
    parts = [f"{count} of type {column.type}"]
    if column.values:
        parts.append(f"one of {', '.join(column.values)}")
    if column.minimum is not None:
        parts.append(f"at least {column.minimum:g}")
    if column.maximum is not None:
        parts.append(f"at most {column.maximum:g}")
    return ", ".join(parts)


def _relation_shape(out: Triples, relation: RelationType) -> None:
    """Whatever has the relation must be one of its source types, and what it points at a target type allowed for that source."""
    shape = out.kg(f"{relation.name}Shape")
    out.add(shape, RDF.type, SH.NodeShape)
    out.add(shape, SH.targetSubjectsOf, out.kg(relation.name))
    branches = []
    for source in ends(relation, 0):
        branch, part = out.blank(), out.blank()
        out.add(branch, SH["class"], out.kg(source))
        out.add(branch, SH.property, part)
        out.add(part, SH.path, out.kg(relation.name))
        _any_class(out, part, [target for head, target in relation.patterns if head == source])
        branches.append(branch)
    out.add(shape, SH["or"], out.list(branches))
    allowed = ", ".join(f"{source} -> {target}" for source, target in relation.patterns)
    out.add(shape, SH.message, Literal(f"{relation.name} may only go {allowed}"))


def _any_class(out: Triples, part: BNode, types: list[str]) -> None:
    if len(types) == 1:
        out.add(part, SH["class"], out.kg(types[0]))
        return
    options = []
    for name in types:
        option = out.blank()
        out.add(option, SH["class"], out.kg(name))
        options.append(option)
    out.add(part, SH["or"], out.list(options))


def _statement_shape(out: Triples) -> None:
    """A statement has its three parts, its own columns, and evidence unless only the vocabulary makes it."""
    shape = out.kg("StatementShape")
    out.add(shape, RDF.type, SH.NodeShape)
    out.add(shape, SH.targetClass, out.kg("Statement"))
    for name, predicate in (("subject", RDF.subject), ("predicate", RDF.predicate), ("object", RDF.object)):
        part = _thing_shape(out, shape, "Statement", name, predicate)
        if name == "predicate":
            out.add(part, SH["in"], out.list(out.kg(relation) for relation in out.schema.relations))
    relation = next(iter(out.schema.relations.values()))
    for column in relation.properties:
        if not column.many:
            _column_shape(out, shape, "Statement", column)
    known, stated, part, other = out.blank(), out.blank(), out.blank(), out.blank()
    out.add(known, SH.property, part)
    out.add(part, SH.path, out.kg("background"))
    out.add(part, SH.hasValue, Literal(True))
    out.add(stated, SH.property, other)
    out.add(other, SH.path, out.kg("evidence"))
    out.add(other, SH.minCount, Literal(1))
    supported = out.kg("StatementShape-supported")
    out.add(supported, RDF.type, SH.NodeShape)
    out.add(supported, SH.targetClass, out.kg("Statement"))
    out.add(supported, SH["or"], out.list([known, stated]))
    out.add(supported, SH.message, Literal("Statement: at least one piece of evidence, unless it is background knowledge"))


def _evidence_shape(out: Triples) -> None:
    """Evidence says from which paper and by whom, and where and what the passage is; offsets of mentions may be absent."""
    shape = out.kg("EvidenceShape")
    out.add(shape, RDF.type, SH.NodeShape)
    out.add(shape, SH.targetClass, out.kg("Evidence"))
    for column in next(iter(out.schema.relations.values())).properties:
        if not column.many:
            continue
        name = column.name.removeprefix("evidence_")
        if column.iri.startswith("prov:"):
            _thing_shape(out, shape, "Evidence", name, out.iri(column.iri))
            continue
        absent = column.minimum is not None and column.minimum < 0  # -1 stands for absent and is not written
        single = replace(column, name=name, many=False, optional=absent, minimum=0 if absent else column.minimum)
        steps = [out.iri("oa:hasTarget"), out.iri("oa:hasSelector"), out.iri(column.iri)]
        _column_shape(out, shape, "Evidence", single, out.list(steps) if column.iri.startswith("oa:") else None)


def _thing_shape(out: Triples, shape: URIRef, owner: str, name: str, predicate: URIRef) -> URIRef:
    """Exactly one value, which is a thing and not a literal."""
    part = out.kg(f"{owner}Shape-{name}")
    out.add(shape, SH.property, part)
    out.add(part, RDF.type, SH.PropertyShape)
    out.add(part, SH.path, predicate)
    out.add(part, SH.nodeKind, SH.IRI)
    out.add(part, SH.minCount, Literal(1))
    out.add(part, SH.maxCount, Literal(1))
    out.add(part, SH.message, Literal(f"{owner}.{name}: exactly one thing"))
    return part
