"""Write everything that derives from ontology/kgbuild.yaml: OWL, SHACL, JSON-LD context and the docs page.

python scripts/generate.py            write the files
python scripts/generate.py --check    change nothing; exit 1 and name each file that is missing or stale
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from ontology_rdf import DATATYPES, NOTE, ontology, shapes
from rdflib import XSD

from kgbuild.schema import Property, RelationType, Schema, load_schema

ROOT = Path(__file__).resolve().parent.parent


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
    if column.iri.startswith("prov:"):
        return {"@id": column.iri, "@type": "@id"}
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
