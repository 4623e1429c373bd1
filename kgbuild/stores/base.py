"""What all stores share: the context manager, and the nearest existing name for a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Self

from kgbuild.schema import Schema


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
