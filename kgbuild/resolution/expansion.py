"""What an abbreviation stands for where its paper does not say: counts of other papers, the vocabulary, and the words around it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from kgbuild.resolution.ledger import Ledger, Name
from kgbuild.resolution.normalise import squash
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


class Expander:
    """Long forms by name of an abbreviation, with the evidence of a ledger, the vocabulary and public abstracts."""

    def __init__(self, ledger: Ledger, vocabulary: Vocabulary) -> None:
        """Counts are read when asked for, so that the ledger may grow."""
        self.ledger = ledger
        self.vocabulary = vocabulary

    def candidates(self, name: Name) -> dict[str, float]:
        """Long forms with the papers that speak for each."""
        type_, short = name
        weights: dict[str, float] = defaultdict(float)
        letters: dict[str, str] = {}

        def add(long: str, weight: float) -> None:
            weights[letters.setdefault(squash(long), long)] += weight

        for long, count in sorted(self.ledger.shorts.get(name, Counter[str]()).items()):
            add(long, float(count))
        for concept in self.vocabulary.find_all(type_, short):
            add(concept.keys[0], IN_VOCABULARY)
        for words, count in self.vocabulary.expansions.get(squash(short), ()):
            long = self.ledger.profiler.key(type_, words)
            fits = squash(long) in letters or self.vocabulary.find_all(type_, long) or (type_, long) in self.ledger.papers
            add(long, count * (1.0 if fits else ELSEWHERE))
        return self._united(type_, weights)

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
