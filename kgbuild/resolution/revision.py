"""Resolution of a few changed papers among many: only the names that they touch are decided again.

What one name becomes depends on few others: on those with the same letters (types are agreed on among them), on those of its blocks
(they may be spellings of one thing), on those that a person says are the same, and on those that want the same identifier. An
abbreviation that a paper leaves unexplained depends on what all papers spell it out as. So the names that a change can reach are
found step by step, decided by the same code as in a full resolution, and everything else stays.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from kgbuild.records import Extraction, Paper
from kgbuild.resolution.clusters import candidate_pairs
from kgbuild.resolution.decisions import rules
from kgbuild.resolution.expansion import Expander
from kgbuild.resolution.ledger import Name
from kgbuild.resolution.naming import Cluster, broader_pairs, name_nodes, placed
from kgbuild.resolution.normalise import squash
from kgbuild.resolution.profile import Profile
from kgbuild.resolution.resolver import Run, slips
from kgbuild.resolution.state import State
from kgbuild.resolution.values import Decision, Node, Resolution
from kgbuild.resolution.vocabulary import load_vocabulary
from kgbuild.schema import load_schema


@dataclass(frozen=True)
class Said:
    """A paper with what it says, and `content`, a name for both."""

    paper: Paper
    extraction: Extraction
    content: str


@dataclass(frozen=True)
class Revision:
    """What a change of papers does to a resolution.

    resolution: links of the papers in `papers` and all nodes that these name, those outside of `decided` with id and type alone.
    papers: present ones of which some entity is another node than before, or which are new or changed. gone: papers that left.
    decided: nodes that were named anew, though often as before. dropped: nodes that are no more.
    """

    resolution: Resolution
    papers: frozenset[str]
    gone: frozenset[str]
    decided: Mapping[str, Node]
    dropped: frozenset[str]


def revise(
    state: State, gone: Iterable[str], new: Sequence[Said], paper: Callable[[str], Paper], decisions: Sequence[Decision]
) -> Revision:
    """Bring the state from the papers it has to those without `gone` and with `new` (a changed paper is in both).

    paper: gives a paper by id.
    """
    reviser = _Reviser(state, decisions)
    left = frozenset(gone)
    reviser.count(sorted(left), new)
    reviser.expand_again(paper, frozenset(said.paper.id for said in new))
    reviser.add(new)
    return reviser.decide(left)


class _Reviser:
    """One change of a state."""

    def __init__(self, state: State, decisions: Sequence[Decision]) -> None:
        self.state = state
        self.vocabulary = load_vocabulary()
        self.expander = Expander(state, self.vocabulary)
        self.run = Run(self.expander, rules(decisions, self.vocabulary))
        self.profiles: dict[str, dict[str, Profile]] = {}
        self.unclear: set[Name] = set()  # abbreviations whose evidence has changed
        self.touched: set[Name] = set()
        self.papers: set[str] = set()

    def count(self, gone: Sequence[str], new: Sequence[Said]) -> None:
        """Take papers out, note the new ones, and find out which abbreviations have other evidence than before."""
        keys: Counter[Name] = Counter()
        shorts: Counter[tuple[Name, str]] = Counter()
        for paper_id in gone:
            profiles = self.state.profiles(paper_id)
            _count(profiles, -1, keys, shorts)
            for eid, name in self.state.links(paper_id).items():
                self._unlink(paper_id, eid, name, profiles[eid])
            self.state.drop_paper(paper_id)
        for said in new:
            profiles = self.profiles[said.paper.id] = self.state.profiler.profiles(said.paper, said.extraction)
            _count(profiles, 1, keys, shorts)
            self.state.add_paper(said.paper.id, said.content, profiles)
        flipped = {name for name, by in keys.items() if by and self.state.count_key(name, by)}
        for (short, long), by in shorts.items():
            if by:
                self.state.count_short(short, long, by)
                self.unclear.add(short)
        self._watch(flipped)

    def _watch(self, flipped: set[Name]) -> None:
        """Abbreviations whose usual long form has come into the papers or left them."""
        watched = self.expander.watched(load_schema().concepts)
        letters = {(name[0], short) for name in flipped for short in watched.get(name, ())}
        if letters:
            self.unclear.update(name for name in self.state.bare_names() if (name[0], squash(name[1])) in letters)

    def expand_again(self, paper: Callable[[str], Paper], new: frozenset[str]) -> None:
        """Decide again what the unclear abbreviations stand for in the papers that do not spell them out."""
        waiting = defaultdict(set)
        for short in sorted(self.unclear):
            for paper_id in self.state.papers_with(short):
                waiting[paper_id].add(short)
        for paper_id in sorted(waiting.keys() - new):
            profiles = {
                eid: profile
                for eid, profile in self.state.profiles(paper_id).items()
                if profile.bare and (profile.type, profile.key) in waiting[paper_id]
            }
            before, after = self.state.links(paper_id), self.run.names_of(paper(paper_id), profiles)
            for eid, profile in profiles.items():
                if before.get(eid) != after.get(eid):
                    self.papers.add(paper_id)
                    if eid in before:
                        self._unlink(paper_id, eid, before[eid], profile)
                    if eid in after:
                        self._link(paper_id, eid, after[eid], profile)

    def add(self, new: Sequence[Said]) -> None:
        """Give the entities of the new papers their names."""
        for said in new:
            self.papers.add(said.paper.id)
            profiles = self.profiles[said.paper.id]
            for eid, name in self.run.names_of(said.paper, profiles).items():
                self._link(said.paper.id, eid, name, profiles[eid])

    def _link(self, paper_id: str, eid: str, name: Name, profile: Profile) -> None:
        self.state.link(paper_id, eid, name, dict(profile.surfaces))
        self.touched.add(name)

    def _unlink(self, paper_id: str, eid: str, name: Name, profile: Profile) -> None:
        self.state.unlink(paper_id, eid, name, dict(profile.surfaces))
        self.touched.add(name)

    def decide(self, gone: frozenset[str]) -> Revision:
        """Cluster and name what the touched names reach, and tell what is another node now."""
        before = self._reach()
        union = self.run.unite(candidate_pairs(self.run.papers))
        clusters = self.run.clusters(union)
        old = {node for node in before.values() if node}
        bases = self.state.bases(old)
        bases |= {placed(cluster, self.vocabulary, self.run.rules.rename, self.run.key)[0] for cluster in clusters}
        others = self.state.sharing(bases) - old
        clusters += self._clusters_of(others, before)
        nodes, ids = name_nodes(clusters, self.vocabulary, self.run.rules.rename, self.run.key)
        for name, node in before.items():
            became = ids.get(self.run.moved.get(name, name))
            if became != node:
                self.papers |= self.state.ids(self.state.papers_of([name]))
                self.state.become(name, became)
        self.state.replace_nodes(sorted(old | others), nodes.values(), self.vocabulary)
        return Revision(self._resolution(nodes), frozenset(self.papers), gone, nodes, frozenset((old | others) - nodes.keys()))

    def _reach(self) -> dict[Name, str | None]:
        """All names whose cluster a touched name may join, leave or rename, with the nodes they were; their counts go to the run."""
        partners = _partners(self.run.rules.same)
        seen: dict[Name, str | None] = {}
        done: set[str] = set()
        todo = {squash(name[1]) for name in self.touched}
        while todo:
            found = self.state.names(sorted(todo))
            self._load(self.run, found)
            seen |= found
            done |= todo
            near = {squash(other[1]) for name in found for other in partners.get(name, ())}
            todo = (near | self.state.letters_beside(found)) - done
        return seen

    def _load(self, run: Run, names: Iterable[Name]) -> None:
        """Papers and strings of whole groups of the same letters, after types are agreed on."""
        users = {name: self.state.papers_of([name]) for name in names}
        papers = {name: len(found) for name, found in users.items() if found}
        moved = dict(slips(papers, run.rules.retyped))
        run.moved |= moved
        for name in sorted(papers):
            best = moved.get(name, name)
            users[best] |= users[name]
            run.surfaces[best].update(self.state.strings(name))
        for name in papers.keys() - moved.keys():
            run.papers[name] = len(users[name])

    def _clusters_of(self, nodes: set[str], names: dict[Name, str | None]) -> list[Cluster]:
        """Clusters that stay as they are, of nodes that want the same identifier as others; their names are added to `names`."""
        aside = Run(self.expander, self.run.rules)
        found = self.state.names(sorted(self.state.letters_of(sorted(nodes))))
        self._load(aside, found)
        clusters: dict[str, Cluster] = {}
        for name, node in sorted(found.items()):
            if node in nodes:
                names[name] = node
                if name in aside.papers:
                    clusters.setdefault(node, Cluster(name[0])).add(name, aside.papers[name], aside.surfaces[name])
                else:
                    self.run.moved[name] = aside.moved[name]
        return list(clusters.values())

    def _resolution(self, nodes: Mapping[str, Node]) -> Resolution:
        links = {paper_id: self.state.nodes_of(paper_id) for paper_id in sorted(self.papers)}
        named = {node for nodes_of in links.values() for node in nodes_of.values()}
        known = {id_: Node(id_, type_, "") for id_, type_ in self.state.types(sorted(named)).items()}
        return Resolution(links, {**known, **nodes}, broader=broader_pairs(self.state.by_concept(), self.vocabulary))


def _count(profiles: Mapping[str, Profile], sign: int, keys: Counter[Name], shorts: Counter[tuple[Name, str]]) -> None:
    for profile in profiles.values():
        keys[profile.type, profile.key] += sign
        for short in profile.short:
            shorts[(profile.type, short), profile.key] += sign


def _partners(same: Sequence[tuple[Name, Name]]) -> dict[Name, set[Name]]:
    """All names that a person's word joins a name with, directly or over others."""
    groups: dict[Name, set[Name]] = {}
    for a, b in same:
        joined = groups.get(a, {a}) | groups.get(b, {b})
        groups |= dict.fromkeys(joined, joined)
    return groups
