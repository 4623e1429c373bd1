"""Entities of many papers -> nodes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache

from kgbuild.records import Extraction, Paper
from kgbuild.resolution.clusters import SAFE, Pair, Union, candidate_pairs
from kgbuild.resolution.decisions import Rules, rules
from kgbuild.resolution.expansion import Expander
from kgbuild.resolution.ledger import Entry, Ledger, Name
from kgbuild.resolution.naming import Cluster, Key, broader_pairs, name_nodes, owners
from kgbuild.resolution.normalise import load_words, squash
from kgbuild.resolution.profile import Profile, Profiler, unnamed, word_set
from kgbuild.resolution.values import Decision, Merge, Proposal, Resolution
from kgbuild.resolution.vocabulary import Vocabulary, load_vocabulary

AGREED = 8  # times as many papers must have a name as one type before the rest are taken for slips


def resolve(documents: Iterable[tuple[Paper, Extraction]], *, decisions: Sequence[Decision] | None = None) -> Resolution:
    """Which node every entity is; the same for any order of the documents."""
    resolver = Resolver()
    for paper, extraction in documents:
        resolver.add(paper, extraction)
    return resolver.resolve(decisions or ())


class Resolver:
    """Resolution of papers that come and go: what they show about names is counted, and decided when it is asked for."""

    def __init__(self, vocabulary: Vocabulary | None = None) -> None:
        """Start without papers."""
        self.vocabulary = vocabulary or load_vocabulary()
        self.profiler = Profiler(self.vocabulary)
        self.ledger = Ledger(self.profiler)
        self.expander = Expander(self.ledger, self.vocabulary)
        self.run: Run | None = None

    def add(self, paper: Paper, extraction: Extraction) -> None:
        """Count a paper; one with the same id is replaced."""
        self.ledger.add(paper, extraction)

    def remove(self, paper_id: str) -> None:
        """Take a paper out again."""
        self.ledger.remove(paper_id)

    def resolve(self, decisions: Sequence[Decision] = ()) -> Resolution:
        """Decide from the counts; the same papers and decisions give the same resolution, whatever came and went before."""
        run = self.run = Run(self.expander, rules(decisions, self.vocabulary))
        run.name_entities(self.ledger.entries)
        run.agree_on_types()
        pairs = candidate_pairs(run.papers)
        union = run.unite(pairs)
        return run.result(union, pairs)


class Run:
    """One decision over counts; `papers` and `surfaces` hold the names that are looked at, with their papers and strings.

    Each step can also be taken for a part of the papers or names alone. `links` gives entities their names, by paper and eid,
    before types are agreed on; `moved` leads from there to the names of the agreed types.
    """

    def __init__(self, expander: Expander, by_person: Rules) -> None:
        """Start without names."""
        self.vocabulary = expander.vocabulary
        self.key: Key = expander.counts.profiler.key
        self.expander = expander
        self.rules = by_person
        self.links: dict[str, dict[str, Name]] = {}
        self.moved: dict[Name, Name] = {}
        self.papers: Counter[Name] = Counter()
        self.surfaces: dict[Name, Counter[str]] = defaultdict(Counter)
        self.merges: dict[tuple[str, str, str], Merge] = {}
        self.known: dict[Name, Name] = {}
        self.options: dict[Name, dict[str, float]] = {}
        self.open: Counter[Name] = Counter()

    def name_entities(self, entries: Mapping[str, Entry]) -> None:
        """Give every entity its name: by itself, by the vocabulary, or by what its abbreviation stands for."""
        for paper_id, entry in sorted(entries.items()):
            profiles = entry.profiles
            names = self.links[paper_id] = self.names_of(entry.paper, profiles)
            for eid, name in names.items():
                self.surfaces[name].update(dict(profiles[eid].surfaces))
            self.papers.update(set(names.values()))

    def names_of(self, paper: Paper, profiles: Mapping[str, Profile]) -> dict[str, Name]:
        """The names of a paper's entities by eid; those that name nothing in particular are left out."""
        words = cache(lambda: word_set(paper.text))
        found = {eid: self.name_of(paper.id, profile, words) for eid, profile in profiles.items()}
        return {eid: name for eid, name in found.items() if name}

    def name_of(self, paper_id: str, profile: Profile, words: Callable[[], frozenset[str]]) -> Name | None:
        """The name of one entity, None for what names nothing in particular; `words` gives the words of its paper."""
        name = profile.type, profile.key
        options = self._options(name) if profile.bare else None
        if options:
            name = self._expanded(name, options, words())
        name = self._canonical(name)
        known = self.vocabulary.find(*name)
        if not known and not profile.counted and name[1] in load_words().generic.get(name[0], ()):
            return None
        if not known and unnamed(profile.type, profile.surfaces):
            return name[0], f"{name[1]}\t{paper_id}"
        return name

    def agree_on_types(self) -> None:
        """A name that nearly all papers use as one type is of that type in the rest too: ImageNet as a method is a slip."""
        self.moved = dict(slips(self.papers, self.rules.retyped))
        for name, best in self.moved.items():
            reason = f"{self.papers[best]} papers have {best[1]!r} as a {best[0]}, {self.papers[name]} as a {name[0]}"
            self._record(Merge(best[0], best[1], name[1], round(1 - self.papers[name] / self.papers[best], 3), (reason,)))
        joined = set(self.moved.values())
        for name, best in self.moved.items():
            del self.papers[name]
            self.surfaces[best].update(self.surfaces.pop(name))
        uses: Counter[Name] = Counter()
        for names in self.links.values():
            uses.update({best for name in names.values() if (best := self.moved.get(name, name)) in joined})
        for name, count in uses.items():
            self.papers[name] = count

    def _options(self, name: Name) -> dict[str, float]:
        if name not in self.options:
            self.options[name] = self.expander.candidates(name)
        return self.options[name]

    def _expanded(self, name: Name, options: Mapping[str, float], words: frozenset[str]) -> Name:
        expansion = self.expander.expand(name, options, words)
        if expansion is None:
            self.open[name] += 1
            return name
        self._record(Merge(name[0], expansion.key, name[1], expansion.share, (expansion.reason,)))
        return name[0], expansion.key

    def _canonical(self, name: Name) -> Name:
        """The vocabulary's own key for a name that it knows, and the type that a person gave it."""
        if name not in self.known:
            concept = self.vocabulary.find(*name)
            found = (name[0], concept.keys[0]) if concept else name
            if concept and squash(found[1]) != squash(name[1]):
                reason = f"the vocabulary has {name[1]!r} as another name of {concept.name!r}"
                self._record(Merge(name[0], found[1], name[1], 0.98, (reason,)))
            self.known[name] = self.rules.retype.get(found, found[0]), found[1]
        return self.known[name]

    def _record(self, merge: Merge) -> None:
        """Keep the surest of merges of the same two names."""
        place = merge.type, merge.left, merge.right
        if place not in self.merges or self.merges[place].score < merge.score:
            self.merges[place] = merge

    def unite(self, pairs: Sequence[Pair]) -> Union:
        """Clusters of names: first a person's decisions, then pairs from the surest down."""
        union = Union(self.rules.different)
        for a, b in self.rules.same:
            if not union.unite(a, b, force=True):
                self._record(Merge(a[0], a[1], b[1], 1.0, ("a person said so",)))
        for pair in pairs:
            reason = union.unite(pair.left, pair.right) if pair.score >= SAFE else ""
            if reason:
                self._record(Merge(pair.left[0], pair.left[1], pair.right[1], pair.score, (*pair.reasons, reason), joined=False))
            else:
                self._record(Merge(pair.left[0], pair.left[1], pair.right[1], pair.score, pair.reasons, joined=pair.score >= SAFE))
        return union

    def clusters(self, union: Union) -> list[Cluster]:
        """The names by the thing they mean."""
        found: dict[Name, Cluster] = {}
        for name in sorted(self.papers):
            root = union.find(name)
            found.setdefault(root, Cluster(root[0])).add(name, self.papers[name], self.surfaces[name])
        return list(found.values())

    def result(self, union: Union, pairs: Sequence[Pair]) -> Resolution:
        """Nodes, links and what a person may want to look at."""
        nodes, ids = name_nodes(self.clusters(union), self.vocabulary, self.rules.rename, self.key)
        links = {paper: {eid: ids[self.moved.get(name, name)] for eid, name in names.items()} for paper, names in self.links.items()}
        proposals = self._proposals(union, pairs)
        merges = tuple(sorted(self.merges.values(), key=lambda merge: (merge.type, merge.left, merge.right)))
        return Resolution(links, nodes, merges, proposals, broader_pairs(owners(nodes.values(), self.vocabulary), self.vocabulary))

    def _proposals(self, union: Union, pairs: Sequence[Pair]) -> tuple[Proposal, ...]:
        """Doubtful pairs that nobody has decided, the ones that move most mentions first."""
        found = []
        for pair in pairs:
            apart = pair.right in union.enemies.get(pair.left, ())
            if 0 < pair.score < SAFE and not apart and union.find(pair.left) != union.find(pair.right):
                gain = min(sum(self.surfaces[name].values()) for name in (pair.left, pair.right))
                found.append(Proposal(pair.left[0], pair.left[1], pair.right[1], pair.score, gain, pair.reasons))
        for name, count in self.open.items():
            long, weight = min(self.options[name].items(), key=lambda item: (-item[1], item[0]))
            target = self._canonical((name[0], long))
            if target in self.papers and name in self.papers and union.find(target) != union.find(name):
                share = round(min(weight / (sum(self.options[name].values()) + 1), SAFE - 0.01), 3)
                found.append(Proposal(name[0], target[1], name[1], share, count, ("may abbreviate it",)))
        return tuple(sorted(found, key=lambda p: (-p.gain, -p.score, p.type, p.left, p.right)))


def slips(papers: Mapping[Name, int], decided: Collection[Name]) -> Iterator[tuple[Name, Name]]:
    """(name, the name with the same letters of another type that nearly all papers use instead).

    `papers` counts the papers of names, of those with the same letters all or none. `decided` are names that have their type from a
    person, who overrules the count.
    """
    spellings: dict[str, list[Name]] = defaultdict(list)
    for name in papers:
        spellings[squash(name[1])].append(name)
    for names in spellings.values():
        best = max(names, key=lambda name: (papers[name], name))
        for name in names:
            if name[0] != best[0] and name not in decided and papers[best] >= AGREED * papers[name]:
                yield name, best
