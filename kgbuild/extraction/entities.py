"""Entities of a text by rules: names from the lexicon and from how they are introduced, abbreviations, grouped by concept."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from kgbuild.extraction.abbreviations import abbreviations
from kgbuild.extraction.gazetteer import Candidate, Lexicon
from kgbuild.extraction.names import in_context, introduced
from kgbuild.extraction.words import Word, name_key, words
from kgbuild.records import Entity

Span = tuple[int, int]
Mention = tuple[int, int, str, float]  # start, end, type, confidence

LEAST = 0.4  # candidates below are no mentions; the best of a few on train.jsonl with a lexicon made without it


def find_entities(text: str, lexicon: Lexicon) -> list[Entity]:
    """The entities of a text in the order of their first mention, `e1`, `e2`, ...; mentions are disjoint whole words."""
    found = words(text)
    edges = {word.start for word in found}, {word.end for word in found}
    pairs = [pair for pair in abbreviations(text) if all(start in edges[0] and end in edges[1] for start, end in pair)]
    candidates = [*lexicon.candidates(text, found), *introduced(text, lexicon.shapes)]
    mentions = choose(text, (c for c in in_context(candidates, text, lexicon.shapes) if c.start in edges[0] and c.end in edges[1]))
    mentions = _with_short_forms(mentions, pairs)
    return group(_repeat(mentions, text, found), pairs, text)


def choose(text: str, candidates: Iterable[Candidate]) -> list[Mention]:
    """The mentions among the candidates: probable ones only, and of overlapping ones the longest.

    Of equal spans that which the text itself introduces counts, then the most probable.
    """
    mentions: list[Mention] = []
    taken = bytearray(len(text))
    ranked = sorted(
        (c for c in candidates if c.confidence >= LEAST), key=lambda c: (c.start - c.end, c.source != "cue", -c.confidence, c.start, c.type)
    )
    for c in ranked:
        if not any(taken[c.start : c.end]):
            taken[c.start : c.end] = b"\1" * (c.end - c.start)
            mentions.append((c.start, c.end, c.type, c.confidence))
    return sorted(mentions)


def _overlaps(start: int, end: int, mentions: Iterable[Mention]) -> bool:
    return any(start < right and left < end for left, right, _, _ in mentions)


def _with_short_forms(mentions: list[Mention], pairs: Sequence[tuple[Span, Span]]) -> list[Mention]:
    """Each defined pair speaks with one voice: the long form lends its type to the short one, or the other way round."""
    for long, short in pairs:
        inside = [m for m in mentions if long[0] <= m[0] and m[1] <= long[1]]
        given = [m for m in mentions if (m[0], m[1]) == short]
        voice = next((m for m in inside if (m[0], m[1]) == long), None) or next(iter(given), None)
        if voice is None:
            continue
        rest = [m for m in mentions if not _overlaps(*long, [m]) and not _overlaps(*short, [m])]
        mentions = sorted([*rest, (*long, voice[2], voice[3]), (*short, voice[2], voice[3])])
    return mentions


def _repeat(mentions: list[Mention], text: str, found: Sequence[Word]) -> list[Mention]:
    """The same strings elsewhere in the text are mentions too, as the most probable type of the string."""
    best: dict[str, Mention] = {}
    for mention in mentions:
        key = name_key(text[mention[0] : mention[1]])
        if key not in best or mention[3] > best[key][3]:
            best[key] = mention
    repeated = []
    for first, word in enumerate(found):
        key = ""
        for last in range(first, min(first + 8, len(found))):
            if last > first and not found[last].joined:
                break
            key += found[last].key
            if key in best:
                repeated.append(Candidate(word.start, found[last].end, best[key][2], max(best[key][3], LEAST), "repeat"))
    return choose(text, (c for c in repeated if _same_look(text, c, best)))


def _same_look(text: str, candidate: Candidate, best: dict[str, Mention]) -> bool:
    """Keeps `MAP` from making a mention of `map`: single words with capitals inside repeat with them."""
    surface = text[candidate.start : candidate.end]
    start, end, _, _ = best[name_key(surface)]
    model = text[start:end]
    return " " in model or model[1:] == model[1:].lower() or surface[1:] != surface[1:].lower()


def group(mentions: Sequence[Mention], pairs: Sequence[tuple[Span, Span]], text: str) -> list[Entity]:
    """Entities of one type and one concept: same key, or joined by a defined abbreviation."""
    same = {name_key(text[slice(*short)]): name_key(text[slice(*long)]) for long, short in pairs}
    groups: dict[tuple[str, str], list[Mention]] = defaultdict(list)
    for mention in sorted(mentions):
        key = name_key(text[mention[0] : mention[1]])
        groups[same.get(key, key), mention[2]].append(mention)
    entities = []
    for number, ((_, type_), members) in enumerate(groups.items(), 1):
        spans = tuple((start, end) for start, end, _, _ in members)
        confidence = max(member[3] for member in members)
        entities.append(Entity(f"e{number}", type_, _name([text[start:end] for start, end in spans]), spans, round(confidence, 4)))
    return entities


def _name(surfaces: Sequence[str]) -> str:
    """The name to show: the longest surface, generic phrases in small letters and the singular."""
    name = max(sorted(set(surfaces)), key=len)
    if " " not in name or any(re.search(r"\w[A-Z]|\d", word) for word in name.split()):
        return name
    small = name.lower() if all(surface[1:] == surface[1:].lower() or surface.istitle() for surface in [name]) else name
    return re.sub(r"(?<=[a-z]{3})(?<![sui])s$", "", small)
