"""Names as people type them -> nodes: by id, name or alias, whatever the case, plural or hyphens; and the nearest name where none fits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from kgbuild.errors import QueryError
from kgbuild.resolution.normalise import key, squash, tokens

if TYPE_CHECKING:
    from kgbuild.graph import Graph

NEAR = 70  # least similarity of a suggestion, of 100
SUGGESTIONS = 3
FAR_MORE = 4  # a thing in so many times the papers of any other of its name is the one that is meant


class Known(NamedTuple):
    """A node that can be asked for; `papers` is the number of papers that mention it."""

    type: str
    id: str
    name: str
    aliases: tuple[str, ...]
    papers: int


class Names:
    """The names of a graph's concepts, and the titles of its papers."""

    def __init__(self, nodes: Iterable[Known]) -> None:
        """`nodes`: everything that may be named."""
        self.types: dict[str, str] = {}
        self._nodes: list[Known] = []
        self._by_id: dict[str, list[Known]] = defaultdict(list)
        # From the strictest way of reading a name to the loosest: the first that finds a node decides.
        self._ways: tuple[dict[str, list[Known]], ...] = tuple(defaultdict(list) for _ in range(5))
        for node in nodes:
            self._add(node)

    @classmethod
    def of_graph(cls, graph: Graph) -> Names:
        """The names of a graph."""
        concepts = [name for name, kind in graph.schema.nodes.items() if kind.kind == "concept"]
        sources = [name for name, kind in graph.schema.nodes.items() if kind.kind == "source"]
        known = [Known(t, row["id"], row["name"], tuple(row["aliases"]), row["papers"]) for t, row in graph.node_rows(*concepts)]
        return cls([*known, *(Known(t, row["id"], row["title"], (), 1) for t, row in graph.node_rows(*sources))])

    def _add(self, node: Known) -> None:
        self._nodes.append(node)
        self.types.setdefault(node.id, node.type)
        self._by_id[node.id].append(node)
        exact, folded_name, folded, keyed, squashed = self._ways
        exact[node.name].append(node)
        folded_name[node.name.casefold()].append(node)
        for name in dict.fromkeys((node.name, *node.aliases)):
            folded[name.casefold()].append(node)
            keyed[" ".join(tokens(name))].append(node)
            squashed[squash(key(node.type, name))].append(node)

    def find(self, name: str, types: Sequence[str]) -> Known:
        """The node of one of the types that a person means by the name.

        Raises QueryError where no node has the name (the nearest are named) or several have it and nothing decides.
        """
        wanted = set(types)
        if found := [node for node in self._by_id.get(name, ()) if node.type in wanted]:
            return _only(name, found)
        for way, texts in zip(self._ways, _readings(name, types), strict=True):
            found = [node for text in texts for node in way.get(text, ()) if node.type in wanted]
            if found:
                return _only(name, found)
        raise QueryError(f"no {_either(types)} is called {name!r}", self._hint(name, wanted))

    def _hint(self, name: str, wanted: set[str]) -> str:
        """The nearest names, or where the name stands in the graph as another type."""
        for way, texts in zip(self._ways, _readings(name, sorted({node.type for node in self._nodes})), strict=True):
            if found := [node for text in texts for node in way.get(text, ())]:
                return f"there is a {found[0].type} of that name: {found[0].id}"
        from rapidfuzz import fuzz, process

        names = sorted({text for node in self._nodes if node.type in wanted for text in (node.name, *node.aliases)})
        found_names = process.extract(name, names, scorer=fuzz.ratio, processor=_plain, limit=SUGGESTIONS, score_cutoff=NEAR)
        if not found_names:
            return "kgbuild search finds names by their parts"
        return f"did you mean {', '.join(repr(text) for text, _, _ in found_names)}?"


def _plain(name: str) -> str:
    return " ".join(tokens(name))


def _readings(name: str, types: Sequence[str]) -> tuple[list[str], ...]:
    """What to look up in each of the ways."""
    folded = name.casefold()
    squashed = list(dict.fromkeys(squash(key(type_, name)) for type_ in types))
    return [name], [folded], [folded], [_plain(name)], squashed


def _only(name: str, found: Sequence[Known]) -> Known:
    """The one node that is meant: the one in most papers, by far where the others are of another type.

    Raises QueryError with the ids where that leaves several.
    """
    nodes = sorted({(node.type, node.id): node for node in found}.values(), key=lambda node: (-node.papers, node.type, node.id))
    factor = FAR_MORE if len({node.type for node in nodes}) > 1 else 1
    if len(nodes) > 1 and nodes[0].papers < max(factor * nodes[1].papers, nodes[1].papers + 1):
        listed = ", ".join(f"{node.id} ({node.name})" for node in nodes[:5])
        raise QueryError(f"{name!r} may mean several things", f"ask with one of these ids: {listed}")
    return nodes[0]


def _either(types: Sequence[str]) -> str:
    return " or ".join(types)
