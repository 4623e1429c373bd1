"""One entity of one paper -> the name it goes by there, its other names, and the abbreviations it shows."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from kgbuild.records import Entity
from kgbuild.resolution.normalise import is_acronym, key, squash


@dataclass(frozen=True, slots=True)
class Profile:
    """`key` is what the entity is resolved by; `surfaces` counts the strings under each key; `short` are keys that abbreviate `key`."""

    type: str
    key: str
    surfaces: tuple[tuple[str, str, int], ...]
    short: tuple[str, ...]


class Profiler:
    """Makes profiles and remembers the keys of names seen before."""

    def __init__(self) -> None:
        self.keys: dict[tuple[str, str], str] = {}

    def key(self, type_: str, name: str) -> str:
        """The key of a name, remembered."""
        found = self.keys.get((type_, name))
        if found is None:
            found = self.keys[type_, name] = key(type_, name)
        return found

    def profile(self, entity: Entity, text: str) -> Profile:
        """The profile of an entity by the strings at its mentions."""
        strings = Counter(text[start:end] for start, end in entity.mentions) or Counter([entity.name])
        forms = [(self.key(entity.type, string), string, count) for string, count in sorted(strings.items())]
        short = {k for k, string, _ in forms if is_acronym(string)}
        long = sorted({k for k, _, _ in forms} - short)
        spelled = {k: [s for s in sorted(short) if abbreviates(s, k)] for k in long}
        best = min(long, key=lambda k: (not spelled[k], -k.count(" "), k)) if long else min(short, key=lambda k: (-len(k), k))
        return Profile(entity.type, best, tuple(forms), tuple(spelled.get(best, ())))


def abbreviates(short: str, long: str) -> bool:
    """Whether the letters of `short` (a key) are taken in order from `long`, the first from its beginning and most from word starts."""
    letters = squash(short)
    words = long.split()
    if len(letters) < 2 or len(words) < 2 or not letters[0] == words[0][0]:
        return False
    initials = "".join(word[0] for word in words)
    if letters == initials:
        return True
    pattern = ".*?".join(map(re.escape, letters))
    starts = sum(letter in initials for letter in letters)
    return starts >= max(2, len(letters) - 1) and re.match(pattern, long) is not None
