"""The ontology as Python: `ontology/kgbuild.yaml` read once, and the Arrow schemas that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from kgbuild.errors import SchemaError

ARROW_TYPES = {"string": pa.string(), "integer": pa.int64(), "float": pa.float64(), "boolean": pa.bool_()}


@dataclass(frozen=True, slots=True)
class Property:
    """A column: `type` is string, integer, float or boolean; `many` makes it a list; `optional` lets it be null.

    `values` are the only ones allowed where there are any; `minimum` and `maximum` bound a number, both inclusive.
    """

    name: str
    type: str
    iri: str
    description: str
    many: bool = False
    optional: bool = False
    values: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    @property
    def arrow(self) -> pa.Field:
        """The Arrow field; lists and required columns are not nullable."""
        item = ARROW_TYPES[self.type]
        return pa.field(self.name, pa.list_(item) if self.many else item, nullable=self.optional)


@dataclass(frozen=True, slots=True)
class NodeType:
    """A node table; `kind` is source, concept, fact or link; `match` holds equal or broader classes elsewhere, `close` near ones."""

    name: str
    kind: str
    description: str
    properties: tuple[Property, ...]
    match: tuple[str, ...]
    example: Mapping[str, Any]
    close: tuple[str, ...] = ()

    @property
    def arrow(self) -> pa.Schema:
        """Column `id`, then the properties."""
        return pa.schema([pa.field("id", pa.string(), nullable=False), *(p.arrow for p in self.properties)])


@dataclass(frozen=True, slots=True)
class RelationType:
    """An edge table; `patterns` are the allowed (source type, target type) pairs, `role` the result field it stands for.

    `match` holds equal or broader relations elsewhere, `close` near ones, `inverse` those that the inverse relation falls under.
    """

    name: str
    group: str
    description: str
    patterns: tuple[tuple[str, str], ...]
    properties: tuple[Property, ...]
    match: tuple[str, ...]
    example: tuple[str, str]
    symmetric: bool = False
    role: str | None = None
    close: tuple[str, ...] = ()
    inverse: tuple[str, ...] = ()

    @property
    def arrow(self) -> pa.Schema:
        """Columns source_type, source, target_type, target, then the edge properties."""
        ends = [pa.field(name, pa.string(), nullable=False) for name in ("source_type", "source", "target_type", "target")]
        return pa.schema([*ends, *(p.arrow for p in self.properties)])


@dataclass(frozen=True, slots=True)
class Schema:
    """All types of the graph, in the order of the ontology file."""

    version: int
    namespace: str
    prefixes: Mapping[str, str]
    nodes: Mapping[str, NodeType]
    relations: Mapping[str, RelationType]

    @property
    def concepts(self) -> tuple[str, ...]:
        """Names of the node types that are extracted from text and resolved across papers."""
        return tuple(name for name, node in self.nodes.items() if node.kind == "concept")

    def group(self, group: str) -> tuple[RelationType, ...]:
        """The relation types of one group: concept, paper or result."""
        return tuple(relation for relation in self.relations.values() if relation.group == group)

    def relation(self, name: str) -> RelationType:
        """The relation type of that name; raises SchemaError for an unknown one."""
        if name not in self.relations:
            raise SchemaError(f"unknown relation {name!r}", f"known: {', '.join(self.relations)}")
        return self.relations[name]

    def allows(self, source: str, relation: str, target: str) -> bool:
        """Whether the ontology has the pattern (source type, relation, target type)."""
        return relation in self.relations and (source, target) in self.relations[relation].patterns

    def iri(self, curie: str) -> str:
        """Expand `prefix:name` by the ontology's prefixes; raises SchemaError for an unknown prefix."""
        prefix, _, name = curie.partition(":")
        if prefix not in self.prefixes:
            raise SchemaError(f"unknown prefix {prefix!r} in {curie!r}")
        return self.prefixes[prefix] + name


def ontology_path(name: str) -> Path:
    """A file of the ontology folder: inside the installed package, or beside it in a checkout (editable installs)."""
    here = Path(__file__).parent
    packaged = here / "ontology" / name
    return packaged if packaged.exists() else here.parent / "ontology" / name


def _properties(rows: Mapping[str, Mapping[str, Any]] | None) -> tuple[Property, ...]:
    return tuple(
        Property(
            name=name,
            type=row["type"],
            iri=row["iri"],
            description=row["description"],
            many=row.get("many", False),
            optional=row.get("optional", False),
            values=tuple(row.get("values", ())),
            minimum=row.get("minimum"),
            maximum=row.get("maximum"),
        )
        for name, row in (rows or {}).items()
    )


@cache
def load_schema() -> Schema:
    """The schema of the shipped ontology, read once."""
    import yaml

    with ontology_path("kgbuild.yaml").open(encoding="utf-8") as stream:
        raw = yaml.load(stream, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    shared, edge = _properties(raw["concept_properties"]), _properties(raw["edge_properties"])
    nodes = {
        name: NodeType(
            name=name,
            kind=row["kind"],
            description=row["description"],
            properties=(shared if row["kind"] == "concept" else ()) + _properties(row.get("properties")),
            match=tuple(row.get("match", ())),
            example=row["example"],
            close=tuple(row.get("close", ())),
        )
        for name, row in raw["nodes"].items()
    }
    relations = {
        name: RelationType(
            name=name,
            group=row["group"],
            description=row["description"],
            patterns=tuple((source, target) for source, target in row["patterns"]),
            properties=edge,
            match=tuple(row.get("match", ())),
            example=(row["example"][0], row["example"][1]),
            symmetric=row.get("symmetric", False),
            role=row.get("role"),
            close=tuple(row.get("close", ())),
            inverse=tuple(row.get("inverse", ())),
        )
        for name, row in raw["relations"].items()
    }
    return Schema(raw["version"], raw["namespace"], raw["prefixes"], nodes, relations)
