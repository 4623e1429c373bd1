"""What an abbreviation stands for where its paper does not say: counts of other papers, the vocabulary, and the words around it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from kgbuild.resolution.ledger import Name
from kgbuild.resolution.normalise import squash
from kgbuild.resolution.profile import Profiler
from kgbuild.resolution.stems import stem
from kgbuild.resolution.vocabulary import Vocabulary

IN_VOCABULARY = 60.0  # papers that a name of the vocabulary counts for
ELSEWHERE = 0.2  # weight of what the type of the entity does not confirm
SHARE = 0.75  # an abbreviation is understood if one long form has this share of the evidence
ENOUGH = 85.0  # evidence that suffices without a word of the long form in the paper
SURROUNDINGS = 8.0  # how much a long form gains whose words all stand in the paper


@dataclass(frozen=True, slots=True)
class Expansion:
    """The long form that was chosen, its share of the evidence, and why."""

    key: str
    share: float
    reason: str


class Counts(Protocol):
    """What papers show about names, whether it lies in memory or in a file."""

    profiler: Profiler

    def spelled_out(self, name: Name) -> Mapping[str, int]:
        """The names that papers spell the abbreviation out as, with the number of papers."""

    def has(self, name: Name) -> bool:
        """Whether an entity of some paper goes by the name."""


class Expander:
    """Long forms by name of an abbreviation, with the evidence of counts, the vocabulary and public abstracts."""

    def __init__(self, counts: Counts, vocabulary: Vocabulary) -> None:
        """Counts are read when asked for, so that they may grow."""
        self.counts = counts
        self.vocabulary = vocabulary

    def candidates(self, name: Name) -> dict[str, float]:
        """Long forms with the papers that speak for each."""
        type_, short = name
        weights: dict[str, float] = defaultdict(float)
        letters: dict[str, str] = {}

        def add(long: str, weight: float) -> None:
            weights[letters.setdefault(squash(long), long)] += weight

        for long, count in sorted(self.counts.spelled_out(name).items()):
            add(long, float(count))
        for concept in self.vocabulary.find_all(type_, short):
            add(concept.keys[0], IN_VOCABULARY)
        for words, count in self.vocabulary.expansions.get(squash(short), ()):
            long = self.counts.profiler.key(type_, words)
            fits = squash(long) in letters or self.vocabulary.find_all(type_, long) or self.counts.has((type_, long))
            add(long, count * (1.0 if fits else ELSEWHERE))
        return self._united(type_, weights)

    def watched(self, types: Iterable[str]) -> dict[Name, set[str]]:
        """Names whose presence in some paper counts for abbreviations, with the letters of these."""
        found: dict[Name, set[str]] = defaultdict(set)
        for letters, longs in self.vocabulary.expansions.items():
            for words, _ in longs:
                for type_ in types:
                    found[type_, self.counts.profiler.key(type_, words)].add(letters)
        return found

    def _united(self, type_: str, weights: Mapping[str, float]) -> dict[str, float]:
        """Long forms that the vocabulary knows as one thing count together."""
        united: dict[str, float] = defaultdict(float)
        for long, weight in weights.items():
            concept = self.vocabulary.find(type_, long)
            united[concept.keys[0] if concept else long] += weight
        return dict(united)

    def expand(self, name: Name, candidates: Mapping[str, float], words: frozenset[str]) -> Expansion | None:
        """The long form for one paper with these words; None where it is open."""
        if not candidates:
            return None
        near = {long: _presence(long, words) for long in candidates}
        value = {long: weight * (1.0 + SURROUNDINGS * near[long] ** 2) for long, weight in candidates.items()}
        best = min(value, key=lambda long: (-value[long], long))
        share = value[best] / (sum(value.values()) + 0.5)
        if share < SHARE or (not near[best] and candidates[best] < ENOUGH):
            return None
        around = f", {near[best]:.0%} of its words stand in the paper" if near[best] else ""
        return Expansion(best, round(share, 3), f"{name[1]} abbreviates {best} (evidence of {candidates[best]:.0f} papers{around})")


def _presence(long: str, words: frozenset[str]) -> float:
    """Share of the long form's words that stand in the paper, by stem."""
    stems = {stem(word) for word in words}
    parts = [part for part in long.split() if len(part) > 2] or [long]
    return sum(stem(part) in stems for part in parts) / len(parts)
