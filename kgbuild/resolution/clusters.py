"""Names -> clusters: candidate pairs from blocks, scored, and united unless something speaks against it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from kgbuild.resolution.ledger import Name
from kgbuild.resolution.normalise import squash
from kgbuild.resolution.stems import signature, veto

Block = tuple[str, ...]
KINDS = LETTERS, STEMS, SPELLING = ("letters", "stems", "spelling")
SAFE = 0.8  # pairs from this score on are united; below they are proposed
LONG = 10  # letters from which on a misspelling can be told from another name
CROWD = 60  # blocks of more names say nothing about spelling
USUAL = 3  # papers that a name needs to be the right spelling of another


@dataclass(frozen=True, slots=True)
class Pair:
    """Two names that may be one; `left` is the one that more papers use."""

    left: Name
    right: Name
    score: float
    reasons: tuple[str, ...]


def candidate_pairs(papers: Mapping[Name, int]) -> list[Pair]:
    """All pairs of names that share a block, the surest first; `papers` counts the papers of each name."""
    found: list[Pair] = []
    for kind in KINDS:  # one after the other: blocks take several times the room of the names in them
        blocks: dict[Block, list[Name]] = defaultdict(list)
        for name in papers:
            if block := block_of(name, kind):
                blocks[block].append(name)
        for block, names in blocks.items():
            if len(names) > 1:
                found += pairs_of(block, names, papers)
    return sorted(found, key=lambda pair: (-pair.score, pair.left, pair.right))


def block_of(name: Name, kind: str) -> Block | None:
    """What the name has in common with other spellings: its letters, its word family or, if it is long, how it starts and ends."""
    if kind == STEMS:
        return name[0], STEMS, *signature(name[1])
    letters = squash(name[1])
    if kind == LETTERS:
        return name[0], LETTERS, letters
    return (name[0], SPELLING, letters[:5], letters[-4:]) if len(letters) >= LONG else None


def pairs_of(block: Block, names: Collection[Name], papers: Mapping[Name, int]) -> list[Pair]:
    """The scored pairs of one block; `papers` counts the papers of its names."""
    return (_misspellings if block[1] == SPELLING else _pairs)(names, papers)


def _pairs(names: Collection[Name], papers: Mapping[Name, int]) -> list[Pair]:
    """Every name against the one of its block that most papers use: linear in the block."""
    first, *others = sorted(names, key=lambda name: (-papers[name], name))
    return [compare(first, other) for other in others]


def _misspellings(names: Collection[Name], papers: Mapping[Name, int]) -> list[Pair]:
    """Names of one paper that differ by one letter from a name of several: for a person to decide."""
    if len(names) > CROWD:
        return []
    usual = sorted(name for name in names if papers[name] >= USUAL)
    found = []
    for rare in sorted(name for name in names if papers[name] == 1 and usual):
        for name in usual:
            near = OSA.distance(squash(rare[1]), squash(name[1]), score_cutoff=1) == 1
            if near and not veto(rare[1], name[1]) and signature(rare[1]) != signature(name[1]):
                found.append(Pair(name, rare, 0.5, ("one letter differs",)))
    return found


def compare(left: Name, right: Name) -> Pair:
    """How likely two names are one by their words alone; a score of 0 says that something speaks against it."""
    a, b = left[1], right[1]
    if squash(a) == squash(b):
        return Pair(left, right, 0.99, ("same letters",))
    against = veto(a, b)
    if against:
        return Pair(left, right, 0.0, (against,))
    if signature(a) != signature(b):
        return Pair(left, right, 0.0, ())
    if sorted(a.split()) == sorted(b.split()):
        return Pair(left, right, 0.9, ("same words in another order",))
    same = len(set(a.split()) & set(b.split()))
    return Pair(left, right, 0.85 if same else 0.6, ("same words in other forms",))


class Union:
    """Clusters of names; two are united only if no pair of their names is kept apart."""

    def __init__(self, apart: Iterable[tuple[Name, Name]] = ()) -> None:
        """`apart` are pairs that a person keeps apart."""
        self.parent: dict[Name, Name] = {}
        self.members: dict[Name, list[Name]] = {}
        self.enemies: dict[Name, set[Name]] = defaultdict(set)
        for a, b in apart:
            self.enemies[a].add(b)
            self.enemies[b].add(a)

    def find(self, name: Name) -> Name:
        """The name that stands for the cluster."""
        while name in self.parent:
            name = self.parent[name]
        return name

    def unite(self, a: Name, b: Name, *, force: bool = False) -> str:
        """Unite the clusters of two names under the first; returns why not, empty if done. `force` is a person's word: no veto of words."""
        a, b = self.find(a), self.find(b)
        if a == b:
            return ""
        ours, theirs = self.members.get(a, [a]), self.members.get(b, [b])
        if any(self.enemies.get(name, set()) & set(theirs) for name in ours):
            return "a decision keeps them apart"
        if not force and (reason := _between(ours, theirs)):
            return reason
        self.parent[b] = a
        self.members[a] = ours + theirs
        self.members.pop(b, None)
        return ""


def _between(ours: Sequence[Name], theirs: Sequence[Name]) -> str:
    """The first veto between any two names of two clusters."""
    for a in ours:
        for b in theirs:
            if squash(a[1]) != squash(b[1]) and (reason := veto(a[1], b[1])):
                return reason
    return ""
