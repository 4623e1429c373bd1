"""What the papers show about names, as counts: adding or removing a paper changes only the names that it holds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from kgbuild.records import Extraction, Paper
from kgbuild.resolution.profile import Profile, Profiler, pack, unpack

Name = tuple[str, str]  # (type, key)
K = TypeVar("K")


@dataclass(slots=True)
class Entry:
    """One paper, whose text shows what its abbreviations mean, and the packed profiles of its entities: 100,000 papers fit into memory."""

    paper: Paper
    packed: bytes

    @property
    def profiles(self) -> dict[str, Profile]:
        """The profiles by eid."""
        return unpack(self.packed)


class Ledger:
    """Counts over papers; every count is a sum, so the order of the papers does not matter.

    `papers`: entities per name. `shorts`: per abbreviation the names that papers spell it out as.
    """

    def __init__(self, profiler: Profiler) -> None:
        """Start without papers."""
        self.profiler = profiler
        self.entries: dict[str, Entry] = {}
        self.papers: Counter[Name] = Counter()
        self.shorts: dict[Name, Counter[str]] = defaultdict(Counter)

    def add(self, paper: Paper, extraction: Extraction) -> None:
        """Count a paper; one with the same id is replaced."""
        self.remove(paper.id)
        profiles = self.profiler.profiles(paper, extraction)
        self.entries[paper.id] = Entry(paper, pack(profiles))
        self._count(profiles, 1)

    def remove(self, paper_id: str) -> None:
        """Take a paper out again; nothing happens if it is not there."""
        entry = self.entries.pop(paper_id, None)
        if entry:
            self._count(entry.profiles, -1)

    def spelled_out(self, name: Name) -> Counter[str]:
        """The names that papers spell the abbreviation out as, with the number of papers."""
        return self.shorts.get(name, Counter())

    def has(self, name: Name) -> bool:
        """Whether an entity of some paper goes by the name."""
        return name in self.papers

    def _count(self, profiles: Mapping[str, Profile], sign: int) -> None:
        for profile in profiles.values():
            name = profile.type, profile.key
            _change(self.papers, name, sign)
            for short in profile.short:
                _change(self.shorts[profile.type, short], profile.key, sign)
                if not self.shorts[profile.type, short]:
                    del self.shorts[profile.type, short]


def _change(counts: Counter[K], key: K, by: int) -> None:
    """Add to a count; what comes to nothing leaves no trace."""
    counts[key] += by
    if not counts[key]:
        del counts[key]
