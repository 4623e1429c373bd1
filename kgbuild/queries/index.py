"""kgbuild's own index of a graph: full text in SQLite, and vectors for likeness; the same for every store.

An entry is a concept (name, aliases, the passages behind its relations) or a paper (title, abstract). Scores are in [0, 1].
"""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kgbuild.graph import Graph, node_key
from kgbuild.queries.vectors import meaning_vectors
from kgbuild.resolution.normalise import tokens

if TYPE_CHECKING:
    from kgbuild.queries.names import Known

Vectors = npt.NDArray[np.float32]
Embed = Callable[[Sequence[str]], Vectors]

PASSAGES = 20  # passages of a concept that are indexed at most
PARTLY = 0.3  # what the best hit counts that has some of the words only: less than a near meaning
ELSEWHERE = 0.4  # and one that has none in its names: the passages of a common thing hold nearly every word
WEIGHTS = (8.0, 4.0, 1.0)  # of a hit in the name, in the aliases, in the text
FOUND = pa.schema([("type", pa.string()), ("id", pa.string()), ("name", pa.string()), ("score", pa.float64()), ("snippet", pa.string())])
ALIKE = pa.schema([("type", pa.string()), ("id", pa.string()), ("name", pa.string()), ("score", pa.float64()), ("shared", pa.int64())])


class Entry(NamedTuple):
    """One thing that can be found."""

    type: str
    id: str
    name: str
    aliases: tuple[str, ...]
    text: str


class SearchIndex:
    """Full text and likeness over one graph."""

    def __init__(self, graph: Graph, embed: Embed = meaning_vectors) -> None:
        """`embed`: texts -> one float32 vector of length 1 each, shape (texts, any); by default sums of word pieces."""
        self.entries = list(_entries(graph))
        self._graph, self._embed = graph, embed
        self._number = {(entry.type, entry.id): number for number, entry in enumerate(self.entries)}
        self._text = sqlite3.connect(":memory:", check_same_thread=False)
        self._text.execute('CREATE VIRTUAL TABLE entry USING fts5(name, aliases, text, tokenize="porter unicode61 remove_diacritics 2")')
        rows = ((number, e.name, " \n ".join(e.aliases), e.text) for number, e in enumerate(self.entries))
        self._text.executemany("INSERT INTO entry(rowid, name, aliases, text) VALUES (?, ?, ?, ?)", rows)

    @cached_property
    def vectors(self) -> Vectors:
        """A vector for each entry, shape (entries, any): of the name and aliases of a concept, of the title of a paper."""
        return self._embed([", ".join((entry.name, *entry.aliases[:3])) for entry in self.entries])

    @cached_property
    def _neighbours(self) -> list[frozenset[int]]:
        """The things that each entry has a relation with, or stands in a paper with."""
        found: list[set[int]] = [set() for _ in self.entries]
        for _, row in self._graph.edge_rows():
            ends = (row["source_type"], row["source"]), (row["target_type"], row["target"])
            if all(end in self._number for end in ends):
                first, second = (self._number[end] for end in ends)
                found[first].add(second)
                found[second].add(first)
        return [frozenset(others) for others in found]

    @cached_property
    def _weights(self) -> Vectors:
        """What a shared neighbour counts: the rarer its company, the more."""
        degrees = np.array([len(others) for others in self._neighbours], dtype=np.float32)
        weights: Vectors = np.log((1 + len(self.entries)) / (1 + degrees)).astype(np.float32)
        return weights

    def search(self, text: str, *, types: Sequence[str] = (), limit: int = 10) -> pa.Table:
        """Entries by words and by meaning, best first, ties by id: columns type, id, name, score and the words around a hit."""
        by_words, wanted = self._words(text), tokens(text)
        likeness = self.vectors @ self._embed([text])[0] if text.strip() else np.zeros(len(self.entries), dtype=np.float32)
        near = [int(number) for number in np.argsort(-likeness, kind="stable")[: 10 * limit] if likeness[number] > 0]
        rows: list[dict[str, Any]] = []
        for number in {*by_words, *near}:
            entry = self.entries[number]
            words, snippet = by_words.get(number, (0.0, ""))
            if not types or entry.type in types:
                score = round(0.5 * words + 0.5 * max(float(likeness[number]), 0.0), 6)
                if wanted and wanted in map(tokens, (entry.name, *entry.aliases)):
                    score = 1.0  # what is called so comes before what only resembles it
                rows.append({"type": entry.type, "id": entry.id, "name": entry.name, "score": score, "snippet": snippet})
        rows.sort(key=lambda row: (-row["score"], row["type"], row["id"]))
        return pa.Table.from_pylist(rows[:limit], schema=FOUND)

    def similar(self, node: Known, *, limit: int = 10) -> pa.Table:
        """Things of the same type that are alike, best first, ties by id: by their vectors and by the neighbours they share."""
        here = self._number[node.type, node.id]
        likeness = self.vectors @ self.vectors[here]
        company = self._company(here)
        rows: list[dict[str, Any]] = []
        for number, entry in enumerate(self.entries):
            if number == here or entry.type != node.type:
                continue
            together, shared = company.get(number, (0.0, 0))
            score = round(0.5 * max(float(likeness[number]), 0.0) + 0.5 * together, 6)
            if score > 0:
                rows.append({"type": entry.type, "id": entry.id, "name": entry.name, "score": score, "shared": shared})
        rows.sort(key=lambda row: (-row["score"], row["id"]))
        return pa.Table.from_pylist(rows[:limit], schema=ALIKE)

    def _words(self, text: str) -> dict[int, tuple[float, str]]:
        """Entries that hold the words, all of them or at least one: score in (0, 1] and a snippet."""
        # Each word is a quoted string of the FTS language, so that no sign in it is an operator.
        words = [f'"{word}"' for word in re.findall(r"\w+", text)]
        if not words:
            return {}
        rank = f"bm25(entry, {', '.join(map(str, WEIGHTS))})"
        command = f"SELECT rowid, {rank}, snippet(entry, -1, '', '', '…', 24) FROM entry WHERE entry MATCH ? ORDER BY 2, rowid LIMIT 200"
        every, some = " AND ".join(words), " OR ".join(words)
        named = {number for number, *_ in self._text.execute(command, (f"{{name aliases}} : ({some})",))}
        for joined, share in ((every, 1.0), (some, PARTLY)):
            if found := self._text.execute(command, (joined,)).fetchall():
                best = min(row[1] for row in found)
                counts = {number: share * (1.0 if number in named else ELSEWHERE) for number, *_ in found}
                scores = {number: counts[number] * (score / best if best < 0 else 1.0) for number, score, _ in found}
                return {number: (scores[number], " ".join(text.split())) for number, _, text in found}
        return {}

    def _company(self, here: int) -> dict[int, tuple[float, int]]:
        """Entries that share neighbours with one: weighted overlap of the two neighbourhoods in [0, 1], and how many are shared."""
        mine = self._neighbours[here]
        shared: dict[int, list[int]] = defaultdict(list)
        for neighbour in sorted(mine):
            for other in self._neighbours[neighbour]:
                shared[other].append(neighbour)
        own = self._weight(mine)
        result = {}
        for other, common in shared.items():
            both = self._weight(common)
            union = own + self._weight(self._neighbours[other]) - both
            result[other] = (both / union if union > 0 else 0.0, len(common))
        return result

    def _weight(self, numbers: Sequence[int] | frozenset[int]) -> float:
        return float(self._weights[sorted(numbers)].sum(dtype=np.float64))


def _entries(graph: Graph) -> Iterator[Entry]:
    """Concepts with the passages behind their relations, then papers."""
    passages: dict[str, dict[str, None]] = defaultdict(dict)
    for relation in graph.schema.group("concept"):
        for _, row in graph.edge_rows(relation.name):
            for end in ("source", "target"):
                key = node_key(row[f"{end}_type"], row[end])
                for text in row["evidence_text"]:
                    if len(passages[key]) < PASSAGES:
                        passages[key].setdefault(text)
    for type_ in graph.schema.concepts:
        for _, row in graph.node_rows(type_):
            text = "\n".join(passages.get(node_key(type_, row["id"]), ()))
            yield Entry(type_, row["id"], row["name"], tuple(row["aliases"]), text)
    for type_, kind in graph.schema.nodes.items():
        if kind.kind == "source":
            for _, row in graph.node_rows(type_):
                yield Entry(type_, row["id"], row["title"], (), row["abstract"])
