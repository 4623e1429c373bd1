"""Write everything that derives from ontology/kgbuild.yaml: OWL, SHACL, JSON-LD context and the docs page.

python scripts/generate.py            write the files
python scripts/generate.py --check    change nothing; exit 1 and name each file that is missing or stale
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from rdflib import OWL, RDF, RDFS, SH, SKOS, XSD, BNode, Graph, Literal, URIRef
from rdflib.collection import Collection
from rdflib.term import Node

from kgbuild.schema import Property, RelationType, Schema, load_schema

ROOT = Path(__file__).resolve().parent.parent
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
        for column in node.properties:
            _column_shape(out, shape, name, column)
    for relation in schema.relations.values():
        _relation_shape(out, relation)
    return out.turtle()


def _column_shape(out: Triples, shape: URIRef, owner: str, column: Property, *, exactly_one: bool = False) -> None:
    part = out.kg(f"{owner}Shape-{column.name}")
    out.add(shape, SH.property, part)
    out.add(part, RDF.type, SH.PropertyShape)
    out.add(part, SH.path, out.iri(column.iri))
    out.add(part, SH.name, Literal(column.name))
    out.add(part, SH.datatype, DATATYPES[column.type])
    single = exactly_one or not column.many
    if single:
        out.add(part, SH.maxCount, Literal(1))
    if single and not column.optional:
        out.add(part, SH.minCount, Literal(1))
    if column.values:
        out.add(part, SH["in"], out.list(Literal(value, datatype=DATATYPES[column.type]) for value in column.values))
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


# --- JSON-LD -----------------------------------------------------------------------------------------------------


def context(schema: Schema) -> str:
    """The JSON-LD 1.1 context; properties are scoped to their type, because `url` and the like mean different things."""
    used = {**schema.prefixes, "xsd": str(XSD)}
    terms: dict[str, object] = {"@version": 1.1, **used, "id": "@id", "type": "@type"}
    for name, node in schema.nodes.items():
        terms[name] = {"@id": f"kg:{name}", "@context": {column.name: _term(column) for column in node.properties}}
    for name in schema.relations:
        terms[name] = {"@id": f"kg:{name}", "@type": "@id"}
    edge = next(iter(schema.relations.values())).properties
    for name, many in (("Statement", False), ("Evidence", True)):
        columns = {column.name.removeprefix("evidence_"): _term(column, single=True) for column in edge if column.many is many}
        terms[name] = {"@id": f"kg:{name}", "@context": columns}
    terms["evidence"] = {"@id": "kg:evidence", "@type": "@id", "@container": "@set"}
    return json.dumps({"@context": terms}, ensure_ascii=False, indent=2) + "\n"


def _term(column: Property, *, single: bool = False) -> dict[str, str]:
    term = {"@id": column.iri, "@type": "xsd:" + str(DATATYPES[column.type]).rpartition("#")[2]}
    return {**term, "@container": "@set"} if column.many and not single else term


# --- docs --------------------------------------------------------------------------------------------------------


def page(schema: Schema) -> str:
    """The docs page of the ontology, Markdown."""
    edge = next(iter(schema.relations.values())).properties
    lines = [
        f"<!-- {NOTE} -->",
        "# The ontology",
        "",
        f"Version {schema.version}. Every node has an `id`; the other properties stand below. Types in *italics* come from elsewhere:",
        "the class or relation of the same or broader meaning, and after `~` one that comes near.",
        "",
        "The same contract for machines: `ontology/generated/ontology.ttl` (OWL), `shapes.ttl` (SHACL) and `context.jsonld` (JSON-LD).",
        "",
        "## Nodes",
    ]
    for name, node in schema.nodes.items():
        lines += ["", f"### {name}", "", node.description, *_aligned(node.match, (), node.close), "", *_table(node.properties)]
        lines += ["", f"Example: `{json.dumps(dict(node.example), ensure_ascii=False)}`"]
    lines += ["", "## Relations", "", "| relation | from -> to | meaning | example | elsewhere |", "|---|---|---|---|---|"]
    lines += [_relation_row(relation) for relation in schema.relations.values()]
    lines += [
        "",
        "## Every edge",
        "",
        "The `evidence_` columns are parallel lists with one element for each piece of evidence, ordered by paper, start and end.",
        "",
        *_table(edge),
        "",
        "## Prefixes",
        "",
        "| prefix | stands for |",
        "|---|---|",
        *(f"| `{prefix}` | {iri} |" for prefix, iri in schema.prefixes.items()),
    ]
    return "\n".join(lines) + "\n"


def _aligned(match: Iterable[str], inverse: Iterable[str], close: Iterable[str]) -> list[str]:
    terms = [f"*{term}*" for term in match] + [f"inverse of *{term}*" for term in inverse] + [f"~ *{term}*" for term in close]
    return [", ".join(terms)] if terms else []


def _table(columns: Iterable[Property]) -> list[str]:
    rows = ["| property | type | IRI | meaning |", "|---|---|---|---|"]
    for column in columns:
        kind = f"list of {column.type}" if column.many else column.type
        notes = [*(["may be empty"] if column.optional else []), *([" or ".join(column.values)] if column.values else [])]
        rows.append(f"| `{column.name}` | {', '.join([kind, *notes])} | {column.iri} | {column.description} |")
    return rows


def _relation_row(relation: RelationType) -> str:
    patterns = ", ".join(f"{source} -> {target}" for source, target in relation.patterns) + (" (symmetric)" if relation.symmetric else "")
    elsewhere = "".join(_aligned(relation.match, relation.inverse, relation.close))
    return f"| `{relation.name}` | {patterns} | {relation.description} | {' -> '.join(relation.example)} | {elsewhere} |"


# --- files -------------------------------------------------------------------------------------------------------

ARTEFACTS: dict[str, Callable[[Schema], str]] = {
    "ontology/generated/ontology.ttl": ontology,
    "ontology/generated/shapes.ttl": shapes,
    "ontology/generated/context.jsonld": context,
    "docs/ontology.md": page,
}


def stale(root: Path = ROOT) -> list[str]:
    """Names of the derived files that are missing or differ from what the ontology gives."""
    schema = load_schema()
    return [
        name for name, make in ARTEFACTS.items() if not (root / name).exists() or (root / name).read_text(encoding="utf-8") != make(schema)
    ]


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    outdated = stale()
    if arguments:
        for name in outdated:
            print(f"{name} is stale: run python scripts/generate.py", file=sys.stderr)
        return 1 if outdated else 0
    for name in outdated:
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(ARTEFACTS[name](load_schema()), encoding="utf-8")
        print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
