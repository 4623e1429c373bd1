"""What stores share: the context manager, hints for misspelt names, and the two steps on the way to Cypher."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from kgbuild.schema import RelationType, Schema


class Closing:
    """A store that `with` closes."""

    def close(self) -> None:
        """Let go of files and connections; closing twice is fine."""

    def __enter__(self) -> Self:
        """The store itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the store."""
        self.close()


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint that names the known name closest to `name`, or lists them all where none is close."""
    from rapidfuzz import fuzz, process

    names = sorted(set(known))
    found = process.extractOne(name, names, scorer=fuzz.ratio, processor=str.lower, score_cutoff=60)
    return f"did you mean {found[0]!r}?" if found else f"known: {', '.join(names)}"


def property_names(schema: Schema) -> set[str]:
    """Names of all properties of nodes and edges, `id` among them."""
    columns = [kind.arrow.names for kind in schema.nodes.values()] + [
        [p.name for p in kind.properties] for kind in schema.relations.values()
    ]
    return {name for names in columns for name in names}


def quote(name: str) -> str:
    """A name of the schema as a Cypher identifier."""
    return "`" + name.replace("`", "``") + "`"


def by_pattern(relation: RelationType, table: pa.Table) -> Iterator[tuple[tuple[str, str], pa.Table]]:
    """Rows of each (source type, target type): columns source, target and the properties."""
    for source, target in relation.patterns:
        wanted = pc.and_(pc.equal(table["source_type"], source), pc.equal(table["target_type"], target))
        rows = table.filter(wanted).drop_columns(["source_type", "target_type"])
        if rows.num_rows:
            yield (source, target), rows
