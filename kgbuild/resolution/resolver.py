"""Entities of many papers -> nodes: names by key, abbreviations by evidence counted over papers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from kgbuild.records import Extraction, Paper
from kgbuild.resolution.normalise import is_acronym, is_proper, slug, squash
from kgbuild.resolution.profile import Profiler
from kgbuild.resolution.values import Decision, Merge, Node, Resolution

Name = tuple[str, str]  # (type, key)


def resolve(documents: Iterable[tuple[Paper, Extraction]], *, decisions: Sequence[Decision] | None = None) -> Resolution:
    """Which node every entity is; the same for any order of the documents."""
    resolver = Resolver()
    for paper, extraction in documents:
        resolver.add(paper, extraction)
    return resolver.resolve(decisions or ())


class Resolver:
    """Counts what the papers show about names, and decides from the counts."""

    def __init__(self) -> None:
        self.profiler = Profiler()
        self.links: dict[tuple[str, str], Name] = {}
        self.surfaces: dict[Name, Counter[str]] = defaultdict(Counter)
        self.papers: dict[Name, int] = Counter()
        self.short: dict[Name, Counter[str]] = defaultdict(Counter)

    def add(self, paper: Paper, extraction: Extraction) -> None:
        """Count one document."""
        text = paper.text
        for entity in extraction.entities:
            profile = self.profiler.profile(entity, text)
            name = profile.type, profile.key
            self.links[paper.id, entity.eid] = name
            self.papers[name] += 1
            for _, surface, count in profile.surfaces:
                self.surfaces[name][surface] += count
            for short in profile.short:
                self.short[profile.type, short][profile.key] += 1

    def resolve(self, decisions: Sequence[Decision] = ()) -> Resolution:
        """Decide."""
        parent: dict[Name, Name] = {}
        merges: list[Merge] = []

        def find(name: Name) -> Name:
            while name in parent:
                name = parent[name]
            return name

        def union(a: Name, b: Name, score: float, reason: str) -> None:
            a, b = find(a), find(b)
            if a != b:
                a, b = sorted((a, b), key=lambda n: (-self.papers[n], n))
                parent[b] = a
                merges.append(Merge(a[0], a[1], b[1], score, (reason,)))

        blocks: dict[Name, list[Name]] = defaultdict(list)
        for name in sorted(self.papers):
            blocks[name[0], squash(name[1])].append(name)
        for block in blocks.values():
            for other in block[1:]:
                union(block[0], other, 0.99, "same letters")
        for (type_, short), longs in sorted(self.short.items()):
            long, count = min(longs.items(), key=lambda item: (-item[1], item[0]))
            if (type_, short) in self.papers and count >= 0.8 * sum(longs.values()):
                union((type_, short), (type_, long), 0.9, f"{count} papers abbreviate it so")
        return self._result(find, merges)

    def _result(self, find, merges: list[Merge]) -> Resolution:  # type: ignore[no-untyped-def]
        groups: dict[Name, list[Name]] = defaultdict(list)
        for name in sorted(self.papers):
            groups[find(name)].append(name)
        nodes: dict[str, Node] = {}
        ids: dict[Name, str] = {}
        for root, members in sorted(groups.items()):
            counts: Counter[str] = Counter()
            for member in members:
                counts.update(self.surfaces[member])
            name = canonical(counts)
            id_ = f"{root[0].lower()}:{slug(name)}"
            while id_ in nodes:
                id_ += "-" + slug(root[1])
            nodes[id_] = Node(id_, root[0], name, tuple(sorted(set(counts) - {name})))
            ids |= {member: id_ for member in members}
        return Resolution({entity: ids[name] for entity, name in self.links.items()}, nodes, tuple(merges))


def canonical(counts: Counter[str]) -> str:
    """The name to show: the most frequent spelled-out one."""
    spelled = {n: c for n, c in counts.items() if not is_acronym(n)} or counts
    best = min(spelled, key=lambda n: (-spelled[n], n))
    return best if is_proper(best) else best.lower()
