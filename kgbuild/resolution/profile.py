"""One entity of one paper -> the name it goes by there, its other names, and the abbreviations it shows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace
from sys import intern

import zstandard

from kgbuild.records import Entity, Extraction, Paper
from kgbuild.resolution.abbreviations import abbreviates, definitions
from kgbuild.resolution.normalise import is_acronym, is_proper, key, load_words, squash, tokens
from kgbuild.resolution.vocabulary import Vocabulary

KNOWN = 0.8  # what a name gains that the vocabulary has; a word more counts 0.5


@dataclass(frozen=True, slots=True)
class Profile:
    """`key` is what the entity is resolved by; `surfaces` counts its strings; `short` are keys that stand for `key` in this paper.

    `bare` says that nothing in the paper spells the name out, so that `key` is an abbreviation only; `counted`
    that a result of the paper hangs on it.
    """

    type: str
    key: str
    surfaces: tuple[tuple[str, int], ...]
    short: tuple[str, ...] = ()
    bare: bool = False
    counted: bool = False


class Profiler:
    """Makes profiles and remembers the keys of names seen before."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Start with a vocabulary and no names."""
        self.vocabulary = vocabulary
        self.keys: dict[tuple[str, str], str] = {}

    def key(self, type_: str, name: str) -> str:
        """The key of a name, remembered."""
        found = self.keys.get((type_, name))
        if found is None:
            found = self.keys[type_, name] = key(type_, name)
        return found

    def profiles(self, paper: Paper, extraction: Extraction) -> dict[str, Profile]:
        """The profiles of a paper's entities by eid."""
        text = paper.text
        defined = {short.removesuffix("s"): long for short, long in reversed(definitions(text))}
        counted = {result.metric for result in extraction.results}
        profiles = {entity.eid: self._profile(entity, text, defined) for entity in extraction.entities}
        return {eid: replace(profile, counted=True) if eid in counted else profile for eid, profile in profiles.items()}

    def _profile(self, entity: Entity, text: str, defined: Mapping[str, str]) -> Profile:
        strings = Counter(intern(text[start:end]) for start, end in entity.mentions) or Counter([entity.name])
        short, long = [], Counter[str]()
        for string, count in sorted(strings.items()):
            if is_acronym(string):
                short.append(string)
            else:
                long[self.key(entity.type, string)] += count
        # What the paper itself defines in brackets counts even where the extractor kept the two apart.
        written = {self.key(entity.type, defined[s.removesuffix("s")]) for s in short if s.removesuffix("s") in defined}
        for name in written if not long else ():
            long[name] += 0
        shorts = {self.key(entity.type, string): string for string in short}
        surfaces = tuple(sorted(strings.items()))
        if not long:
            best = min(shorts, key=lambda k: (-len(k), k))
            return Profile(entity.type, best, surfaces, tuple(sorted(set(shorts) - {best})), bare=True)
        best = self._best(entity.type, long, shorts, text)
        stands = sorted(k for k, string in shorts.items() if k != best and self._stands(entity.type, k, string, best))
        return Profile(entity.type, best, surfaces, tuple(stands))

    def _best(self, type_: str, long: Counter[str], shorts: Mapping[str, str], text: str) -> str:
        """Of the spelled-out keys the one that says best what the entity is; an abbreviation may know a fuller one."""
        candidates = set(long)
        for name, string in shorts.items():
            # `LLM` beside `language model`: what the paper writes more often decides
            heavier = text.count(string.removesuffix("s")) > sum(long.values())
            concepts = self.vocabulary.find_all(type_, name) if heavier else ()
            candidates |= {c.keys[0] for c in concepts if any(_ends(c.keys[0], k) for k in long)}
        named = {k for k in shorts if self._own(type_, k)}
        if named and not any(self._known(type_, k) for k in candidates):
            return min(named)  # `FastText` beside `FastText-based embeddings`
        total = sum(long.values()) or 1
        spelled = {k: any(abbreviates(string.removesuffix("s"), k) for string in shorts.values()) for k in candidates}
        value = {k: KNOWN * self._known(type_, k) + 2.0 * spelled[k] + 0.5 * len(k.split()) + 0.5 * long[k] / total for k in candidates}
        best = min(candidates, key=lambda k: (-round(value[k], 1), -k.count(" "), k))
        # `image classification` beats `classification`; what an abbreviation spells out yields only to something known
        fuller = [k for k in candidates if _ends(k, best) and (self._known(type_, k) or not spelled[best])]
        return min(fuller, key=lambda k: (-k.count(" "), k), default=best)

    def _known(self, type_: str, name: str) -> bool:
        return bool(self.vocabulary.find_all(type_, name))

    def _own(self, type_: str, name: str) -> bool:
        """Whether the vocabulary has the key as the canonical name of something."""
        concept = self.vocabulary.find(type_, name)
        return concept is not None and squash(concept.keys[0]) == squash(name)

    def _stands(self, type_: str, short: str, string: str, long: str) -> bool:
        """Whether the abbreviation may stand for the key: by its letters or by the vocabulary."""
        concepts = {concept.id for concept in self.vocabulary.find_all(type_, short)}
        known = self.vocabulary.find(type_, long)
        return abbreviates(string.removesuffix("s"), long) or (known is not None and known.id in concepts)


def _ends(longer: str, shorter: str) -> bool:
    """Whether the longer key is the shorter one with words before it."""
    return longer.endswith(f" {shorter}")


def unnamed(type_: str, surfaces: tuple[tuple[str, int], ...]) -> bool:
    """Whether a thing of a type that goes by proper names has none: `synthetic dataset` is another one in every paper."""
    return type_ in load_words().unnamed and not any(_named(string) for string, _ in surfaces)


def _named(string: str) -> bool:
    words = string.split()
    return is_proper(string) or is_acronym(string) or any(word[:1].isupper() for word in words)


def word_set(text: str) -> frozenset[str]:
    """The words of a text as keys have them, for finding an abbreviation's long form in its surroundings."""
    return frozenset(tokens(text))


def pack(profiles: Mapping[str, Profile]) -> bytes:
    """Profiles by eid in few bytes: a tenth of what they take as objects."""
    rows = [(eid, *astuple(profile)) for eid, profile in profiles.items()]
    return zstandard.compress(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"), 1)


def unpack(packed: bytes) -> dict[str, Profile]:
    """The inverse of `pack`."""
    rows = json.loads(zstandard.decompress(packed).decode("utf-8", "surrogatepass"))
    return {
        intern(eid): Profile(
            intern(type_), intern(key), tuple((intern(string), count) for string, count in surfaces), tuple(short), bare, counted
        )
        for eid, type_, key, surfaces, short, bare, counted in rows
    }
