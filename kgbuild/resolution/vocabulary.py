"""The shipped vocabulary: well-known things with their other names, hierarchy and directions, and usual abbreviations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from kgbuild.resolution.normalise import squash
from kgbuild.schema import load_schema, ontology_path


@dataclass(frozen=True, slots=True)
class Concept:
    """A thing of the vocabulary; `keys` are the keys of its names, the canonical one first."""

    id: str
    type: str
    name: str
    keys: tuple[str, ...]
    aliases: tuple[str, ...]
    broader: tuple[str, ...]
    better: str
    same_as: tuple[str, ...]

    @property
    def iri(self) -> str:
        """Its identifier on the web, as in `vocabulary.ttl`."""
        return f"{load_schema().namespace}vocabulary/{self.id.replace(':', '/', 1)}"


@dataclass(frozen=True)
class Vocabulary:
    """Concepts by id, `known` concept ids by (type, key without blanks), and `expansions` of abbreviations.

    An expansion is a long form (as a key) with the number of public abstracts that define the abbreviation so.
    """

    concepts: Mapping[str, Concept]
    known: Mapping[tuple[str, str], tuple[str, ...]]
    expansions: Mapping[str, tuple[tuple[str, int], ...]]

    def find(self, type_: str, key: str) -> Concept | None:
        """The one concept of that type that has a name with this key; None if there is none or several."""
        ids = self.known.get((type_, squash(key)), ())
        return self.concepts[ids[0]] if len(ids) == 1 else None

    def find_all(self, type_: str, key: str) -> tuple[Concept, ...]:
        """Every concept of that type that has a name with this key."""
        return tuple(self.concepts[id_] for id_ in self.known.get((type_, squash(key)), ()))


@cache
def load_vocabulary() -> Vocabulary:
    """The vocabulary, read once."""
    concepts: dict[str, Concept] = {}
    known: dict[tuple[str, str], list[str]] = defaultdict(list)
    for line in _lines("vocabulary.tsv"):
        id_, type_, name, *lists, better, same = line.split("\t")
        keys, aliases, broader = (_list(cell) for cell in lists)
        concepts[id_] = Concept(id_, type_, name, keys, aliases, broader, better, _list(same))
        for letters in dict.fromkeys(map(squash, keys)):
            known[type_, letters].append(id_)
    expansions: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for line in _lines("abbreviations.tsv"):
        short, long, papers = line.split("\t")
        expansions[short].append((long, int(papers)))
    owners = {place: _owners(place[1], ids, concepts) for place, ids in known.items()}
    return Vocabulary(concepts, owners, {short: tuple(longs) for short, longs in expansions.items()})


def _owners(key: str, ids: list[str], concepts: Mapping[str, Concept]) -> tuple[str, ...]:
    """A key that is the canonical one of a concept belongs to it alone, whatever others have it as another name."""
    canonical = [id_ for id_ in ids if squash(concepts[id_].keys[0]) == key]
    return tuple(sorted(canonical or ids))


def _lines(name: str) -> list[str]:
    return ontology_path(name).read_text(encoding="utf-8").splitlines()[1:]


def _list(cell: str) -> tuple[str, ...]:
    return tuple(cell.split("|")) if cell else ()
