"""Why two names are one node, or two."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kgbuild.records import Extraction, Paper
from kgbuild.resolution.clusters import SAFE, Pair, compare
from kgbuild.resolution.normalise import key, squash
from kgbuild.resolution.resolver import Resolver
from kgbuild.resolution.values import Decision, Merge, Node
from kgbuild.resolution.vocabulary import load_vocabulary
from kgbuild.schema import load_schema

SHOWN = 5  # papers named as examples


@dataclass(frozen=True, slots=True)
class Explanation:
    """What two names of one type are: the nodes they became (None where no paper has the name) and the reasons in words."""

    type: str
    left: str
    right: str
    same: bool
    nodes: tuple[Node | None, Node | None]
    reasons: tuple[str, ...]


def explain(
    a: str,
    b: str,
    documents: Iterable[tuple[Paper, Extraction]] = (),
    *,
    type: str | None = None,
    decisions: Sequence[Decision] = (),
) -> list[Explanation]:
    """Why `a` and `b` are one thing or two, for every type that either has in the documents or the vocabulary (or for `type` alone).

    Without documents the vocabulary and the rules of words answer alone.
    """
    resolver = Resolver()
    for paper, extraction in documents:
        resolver.add(paper, extraction)
    resolution = resolver.resolve(decisions)
    by_name: dict[tuple[str, str], set[str]] = defaultdict(set)
    for node in resolution.nodes.values():
        for name in (node.id, node.name, *node.aliases):
            by_name[node.type, name.casefold()].add(node.id)
    explainer = _Explainer(resolver, resolution.merges)
    found = []
    for type_ in (type,) if type else load_schema().concepts:
        left, right = by_name.get((type_, a.casefold()), set()), by_name.get((type_, b.casefold()), set())
        known = left or right or any(load_vocabulary().find_all(type_, key(type_, name)) for name in (a, b))
        if known or type:
            both = sorted(left & right)
            ids = (both[0], both[0]) if both else (min(left, default=""), min(right, default=""))
            nodes = (resolution.nodes.get(ids[0]), resolution.nodes.get(ids[1]))
            found.append(explainer.explanation(type_, a, b, nodes))
    return found


class _Explainer:
    """Reasons for pairs of names of one resolution."""

    def __init__(self, resolver: Resolver, merges: Sequence[Merge]) -> None:
        self.resolver = resolver
        self.vocabulary = resolver.vocabulary
        self.links: dict[tuple[str, str], list[tuple[str, Merge]]] = defaultdict(list)
        self.kept: dict[tuple[str, frozenset[str]], Merge] = {}
        for merge in merges:
            if merge.joined:
                self.links[merge.type, squash(merge.left)].append((squash(merge.right), merge))
                self.links[merge.type, squash(merge.right)].append((squash(merge.left), merge))
            else:
                self.kept[merge.type, frozenset((squash(merge.left), squash(merge.right)))] = merge

    def explanation(self, type_: str, a: str, b: str, nodes: tuple[Node | None, Node | None]) -> Explanation:
        """Same by the nodes if both are there, else by the rules."""
        keys = self._canonical(type_, a), self._canonical(type_, b)
        chain = self._chain(type_, squash(keys[0][0]), squash(keys[1][0]))
        pair = compare((type_, keys[0][0]), (type_, keys[1][0]))
        same = nodes[0] == nodes[1] if all(nodes) else pair.score >= SAFE
        reasons = [reason for _, found in keys for reason in found]
        if same:
            reasons += [f"{merge.left!r} = {merge.right!r} ({merge.score:.2f}): {'; '.join(merge.reasons)}" for merge in chain]
            reasons += self._together(type_, a, b)
            if squash(keys[0][0]) == squash(keys[1][0]):
                reasons.append(f"both read as {keys[0][0]!r}")
            elif not chain and pair.score >= SAFE:
                reasons.append(f"{keys[0][0]!r} = {keys[1][0]!r} ({pair.score:.2f}): {'; '.join(pair.reasons)}")
        else:
            reasons += self._apart(type_, keys[0][0], keys[1][0], pair)
        return Explanation(type_, a, b, same, nodes, tuple(dict.fromkeys(reasons)))

    def _canonical(self, type_: str, name: str) -> tuple[str, list[str]]:
        own = key(type_, name)
        concept = self.vocabulary.find(type_, own)
        if concept and squash(concept.keys[0]) != squash(own):
            return concept.keys[0], [f"the vocabulary has {name!r} as another name of {concept.name!r}"]
        return own, []

    def _chain(self, type_: str, start: str, goal: str) -> list[Merge]:
        """The fewest merges that lead from one name to the other."""
        paths: dict[str, list[Merge]] = {start: []}
        queue = [start]
        for at in queue:
            if at == goal:
                return paths[at]
            for other, merge in self.links.get((type_, at), ()):
                if other not in paths:
                    paths[other] = [*paths[at], merge]
                    queue.append(other)
        return []

    def _together(self, type_: str, a: str, b: str) -> list[str]:
        """Papers whose extraction has both strings for one entity."""
        wanted = {a.casefold(), b.casefold()}
        papers = [
            paper_id
            for paper_id, entry in sorted(self.resolver.ledger.entries.items())
            for profile in entry.profiles.values()
            if profile.type == type_ and wanted <= {string.casefold() for string, _ in profile.surfaces}
        ]
        if len(wanted) < 2 or not papers:
            return []
        return [f"{len(papers)} {'paper uses' if len(papers) == 1 else 'papers use'} both for one thing: {', '.join(papers[:SHOWN])}"]

    def _apart(self, type_: str, a: str, b: str, pair: Pair) -> list[str]:
        merge = self.kept.get((type_, frozenset((squash(a), squash(b)))))
        if merge:
            return [f"kept apart: {'; '.join(merge.reasons)}"]
        concepts = [self.vocabulary.find(type_, name) for name in (a, b)]
        found = [f"kept apart: {'; '.join(pair.reasons)}"] if not pair.score and pair.reasons else []
        if concepts[0] and concepts[1]:
            found.append(f"the vocabulary has them as two things: {concepts[0].name!r} and {concepts[1].name!r}")
        return found or [f"nothing says that {a!r} and {b!r} are the same"]
