"""Clusters of names -> nodes with canonical names and identifiers that stay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha1

from kgbuild.resolution.ledger import Name
from kgbuild.resolution.normalise import is_acronym, is_proper, singular, slug, squash
from kgbuild.resolution.values import Node
from kgbuild.resolution.vocabulary import Concept, Vocabulary

Key = Callable[[str, str], str]  # (type, name) -> key
Rank = tuple[bool, int, Name]  # unknown to the vocabulary, papers (negative), the name that most papers use
LOWER_SHARE = 0.34  # a name is written small if this share of its uses is; the rest are titles


@dataclass
class Cluster:
    """Names of one thing with their papers, and the strings that stand for them with their counts."""

    type: str
    names: dict[Name, int] = field(default_factory=dict)
    strings: Counter[str] = field(default_factory=Counter)

    def add(self, name: Name, papers: int, strings: Mapping[str, int]) -> None:
        """Add a name."""
        self.names[name] = papers
        self.strings.update(strings)

    @property
    def head(self) -> Name:
        """The name that most papers use."""
        return min(self.names, key=lambda name: (-self.names[name], name))


def name_nodes(
    clusters: Sequence[Cluster], vocabulary: Vocabulary, rename: Mapping[Name, str], key: Key, taken: Collection[str] = ()
) -> tuple[dict[str, Node], dict[Name, str]]:
    """Nodes by id, and the id of every name.

    Where two things have the same canonical name (an abbreviation that nothing explains, an unnamed data set of each of two
    papers) the one that more papers name gets the plain identifier and the others a suffix made of their own key. `taken` are plain
    identifiers that go to clusters named elsewhere.
    """
    nodes: dict[str, Node] = {}
    ids: dict[Name, str] = {}
    described = [(cluster, _concept(cluster, vocabulary)) for cluster in clusters]
    for cluster, concept in sorted(described, key=lambda item: _rank(*item)):
        name = _shown(cluster, concept, rename, key)
        id_ = plain_id(cluster.type, name)
        if id_ in nodes or id_ in taken:
            id_ += f"-{sha1(cluster.head[1].encode()).hexdigest()[:10]}"

        def foreign(string: str, type_: str = cluster.type, own: Concept | None = concept) -> bool:
            other = vocabulary.find(type_, key(type_, string))
            return other is not None and other is not own

        nodes[id_] = _node(id_, cluster, name, concept, foreign)
        ids |= dict.fromkeys(cluster.names, id_)
    return nodes, ids


def plain_id(type_: str, name: str) -> str:
    """The identifier of a thing with that canonical name, if it is the only one."""
    return f"{type_.lower()}:{slug(name)}"


def placed(cluster: Cluster, vocabulary: Vocabulary, rename: Mapping[Name, str], key: Key) -> tuple[str, Rank]:
    """The plain identifier of a cluster, and what orders the clusters that would have it: the first of them gets it.

    Only clusters that share one matter to each other's identifiers.
    """
    concept = _concept(cluster, vocabulary)
    return plain_id(cluster.type, _shown(cluster, concept, rename, key)), _rank(cluster, concept)


def _rank(cluster: Cluster, concept: Concept | None) -> Rank:
    return concept is None, -sum(cluster.names.values()), cluster.head


def _shown(cluster: Cluster, concept: Concept | None, rename: Mapping[Name, str], key: Key) -> str:
    """The canonical name: what a person said, what the vocabulary has, what the papers use."""
    renamed = sorted(rename[name] for name in cluster.names if name in rename)
    return renamed[0] if renamed else concept.name if concept else canonical(cluster, key)


def _node(id_: str, cluster: Cluster, name: str, concept: Concept | None, foreign: Callable[[str], bool]) -> Node:
    others: dict[str, str] = {}
    # a paper may call its generative LLM just LLM: that stays the name of the other thing
    seen = sorted((string for string in cluster.strings if not foreign(string)), key=lambda s: (-cluster.strings[s], s))
    for string in (*seen, *((concept.name, *concept.aliases) if concept else ())):
        others.setdefault(string.casefold(), string)
    others.pop(name.casefold(), None)
    same = (concept.iri, *concept.same_as) if concept else ()
    properties = {"better": concept.better} if concept and concept.better else {}
    return Node(id_, cluster.type, name, tuple(sorted(others.values())), tuple(sorted(same)), properties)


def _concept(cluster: Cluster, vocabulary: Vocabulary) -> Concept | None:
    """The concept of the vocabulary that the cluster is; of several the one that most papers name."""
    found = [(-papers, name, concept) for name, papers in cluster.names.items() if (concept := vocabulary.find(*name))]
    return min(found, key=lambda item: item[:2])[2] if found else None


def canonical(cluster: Cluster, key: Key) -> str:
    """The name to show: of the strings under the main key the usual one, singular, small unless it is written as a proper name."""
    type_, main = cluster.head
    main = main.split("\t")[0]
    own = {s: n for s, n in cluster.strings.items() if squash(key(type_, s)) == squash(main)} or dict(cluster.strings)
    spelled = {s: n for s, n in own.items() if not is_acronym(s) or " " in s} or own
    shown: Counter[str] = Counter()
    for string, count in spelled.items():
        shown[_singular(string)] += count
    best = min(shown, key=lambda s: (-shown[s], s))
    small = {s: n for s, n in shown.items() if s.casefold() == best.casefold() and s == _small(s)}
    if small and sum(small.values()) >= LOWER_SHARE * sum(n for s, n in shown.items() if s.casefold() == best.casefold()):
        return _small(best)
    return best


def _small(name: str) -> str:
    """Ordinary words small, words written like proper names as they are."""
    return " ".join(word if is_proper(word) else word.lower() for word in name.split())


def _singular(name: str) -> str:
    head, blank, last = " ".join(name.split()).rpartition(" ")
    if is_acronym(last) and last.endswith("s") and last[:-1].isupper():
        return head + blank + last[:-1]
    if is_proper(last):
        return head + blank + last
    stem, hyphen, tail = last.rpartition("-")
    one = singular(tail.lower())
    return head + blank + stem + hyphen + (tail if one == tail.lower() else tail[:1] + one[1:])


def concepts_of(nodes: Iterable[Node], vocabulary: Vocabulary) -> dict[str, str]:
    """The concept of the vocabulary that a node is, by node id, for those that are one."""
    concepts = {concept.iri: concept.id for concept in vocabulary.concepts.values()}
    return {node.id: concepts[iri] for node in nodes for iri in node.same_as if iri in concepts}


def owners(nodes: Iterable[Node], vocabulary: Vocabulary) -> dict[str, str]:
    """The node of every concept of the vocabulary that has one, by concept id; of several the one whose id comes first."""
    concepts = concepts_of(nodes, vocabulary)
    return {concepts[id_]: id_ for id_ in sorted(concepts, reverse=True)}


def broader_pairs(by_concept: Mapping[str, str], vocabulary: Vocabulary) -> tuple[tuple[str, str], ...]:
    """(narrower, broader) node ids by the vocabulary; a missing link in between is stepped over. `by_concept`: see `owners`."""
    found: set[tuple[str, str]] = set()
    for concept_id, node_id in by_concept.items():
        seen = {concept_id}
        open_ = list(vocabulary.concepts[concept_id].broader)
        while open_:
            parent = open_.pop()
            if parent in seen or parent not in vocabulary.concepts:
                continue
            seen.add(parent)
            if parent in by_concept:
                found.add((node_id, by_concept[parent]))
            else:
                open_.extend(vocabulary.concepts[parent].broader)
    return tuple(sorted(pair for pair in found if pair[0] != pair[1]))
