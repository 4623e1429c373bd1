"""What the graph formats have in common: keys, labels, colours, and how a value becomes something that they can hold."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from kgbuild.graph import Graph, node_key
from kgbuild.schema import NodeType, RelationType, Schema

# The palette of Okabe and Ito, which colour-blind people can tell apart; types take them in the order of the ontology.
PALETTE = ("#999999", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")

# XML 1.0 can not hold these, not even escaped.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


Keys = dict[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class Attribute:
    """A column of a flat format: `name` in the file, `property` in the graph, `type` string, integer, float or boolean."""

    name: str
    property: str
    type: str


def attributes(kinds: Iterable[NodeType | RelationType], reserved: Iterable[str] = ()) -> list[Attribute]:
    """The columns of several types in one table, in the order of the ontology.

    Lists become strings (JSON), and so does a property that has different types in different places. A name that the
    format reserves for itself gets an underscore at its end.
    """
    types: dict[str, str] = {}
    for kind in kinds:
        for prop in kind.properties:
            own = "string" if prop.many else prop.type
            types[prop.name] = own if types.get(prop.name, own) == own else "string"
    taken = frozenset(reserved)
    return [Attribute(f"{name}_" if name in taken else name, name, type_) for name, type_ in types.items()]


def label(kind: NodeType, row: dict[str, Any]) -> str:
    """What a person calls the node: its first required text (title, name, value, address), or its id where that is empty."""
    for prop in kind.properties:
        if prop.type == "string" and not prop.many and not prop.optional:
            return str(row[prop.name] or row["id"])
    return str(row["id"])


def colours(schema: Schema) -> dict[str, str]:
    """A colour (`#rrggbb`) for every node type."""
    return {name: PALETTE[index % len(PALETTE)] for index, name in enumerate(schema.nodes)}


def visible(text: str) -> str:
    """The text with the characters that XML forbids written as `\\u0001` and the like."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def keys(graph: Graph, clean: Callable[[str], str] = str) -> Keys:
    """(type, id) -> a key that is unique across types; where cleaning makes two alike the later one gets `~2` and so on."""
    taken: dict[str, int] = {}
    found: Keys = {}
    for type_, table in graph.nodes.items():
        for id_ in table["id"].to_pylist():
            key = base = clean(node_key(type_, id_))
            while key in taken:
                taken[base] += 1
                key = f"{base}~{taken[base]}"
            taken[key] = 1
            found[type_, id_] = key
    return found


def degrees(graph: Graph) -> Counter[tuple[str, str]]:
    """(type, id) -> number of edges at the node, both directions."""
    count: Counter[tuple[str, str]] = Counter()
    for table in graph.edges.values():
        for end in ("source", "target"):
            count.update(zip(table[f"{end}_type"].to_pylist(), table[end].to_pylist(), strict=True))
    return count


def json_value(value: Any) -> Any:
    """The value as JSON can hold it: numbers that JSON lacks become the strings `NaN`, `Infinity` and `-Infinity`."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, list):
        return [json_value(item) for item in value]
    if isinstance(value, dict):
        return {key: json_value(item) for key, item in value.items()}
    return value


def json_text(value: Any) -> str:
    """Compact JSON, Unicode as it stands."""
    return json.dumps(json_value(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def flat_value(value: Any, type_: str) -> str | None:
    """The value as the text of an attribute: lists as JSON, floats so that they read back exactly; None is left out."""
    if value is None:
        return None
    if isinstance(value, list):
        return visible(json_text(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and type_ == "float":
        return repr(value) if math.isfinite(value) else {"nan": "NaN", "inf": "INF", "-inf": "-INF"}[repr(value)]
    return visible(str(value))
