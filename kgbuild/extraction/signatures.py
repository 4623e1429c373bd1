"""What the rules look at when they judge a pair, a contribution, a task or a number: short strings, from special to general.

`rules.tsv` (made by `scripts/make_lexicon.py`) says how often each string came with each answer in the training records.
"""

from __future__ import annotations

import csv
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path

from kgbuild.records import Entity
from kgbuild.text import sentences

Span = tuple[int, int]
# kind -> signature -> answers with their shares
Rules = Mapping[str, Mapping[str, Sequence[tuple[str, float]]]]

RULES = Path(__file__).with_name("rules.tsv")
_TOKEN = re.compile(r"\w+|[^\w\s]")
# Words between two mentions that may tell how they are related.
_CUES = frozenset(
    re.split(
        r"\s+",
        """outperform outperforms surpass surpasses exceed compare compared than versus vs beat trained train pretrained finetuned evaluate
        evaluated experiments tested on such including like called named benchmark dataset based using use uses used leverage via by with
        through apply applied consists composed comprising contain module component integrates incorporates combines equipped introduces
        for to of in from into as is are and or improve improves reduce achieve achieves terms measured , : (""",
    )
)
_OURS = re.compile(
    r"\b(?:we|this (?:paper|work|article|study|thesis)|here)\b[^.;]{0,60}?\b(?:propos|introduc|present|develop|design|devis|describ|"
    r"creat|build|release|construct|contribut|term|call)\w*",
    re.IGNORECASE,
)
_CALLED = re.compile(r"\b(?:called|named|dubbed|termed|coined|namely)\s+[\"'“`]*$", re.IGNORECASE)
_ABOUT = re.compile(
    r"\b(?:problem|task|challenge|field|area|address\w*|tackl\w*|study|studies|investigat\w*|focus\w*|approach to|method for|model for)\b",
    re.IGNORECASE,
)


class View:
    """The text of one paper with its sentences and entities; offsets are half-open."""

    def __init__(self, text: str, entities: Sequence[Entity]) -> None:
        """Look up which mention stands in which sentence."""
        self.text = text
        self.entities = entities
        self.sentences = sentences(text) or [(0, len(text))]
        self._starts = [start for start, _ in self.sentences]
        self.title_end = text.find("\n") if "\n" in text else len(text)
        self.by_sentence: dict[int, list[tuple[Span, Entity]]] = defaultdict(list)
        for entity in entities:
            for span in entity.mentions:
                self.by_sentence[self.sentence(span[0])].append((span, entity))
        for row in self.by_sentence.values():
            row.sort(key=lambda item: item[0])
        self._mention_starts: dict[int, list[int]] = {}

    @cached_property
    def places(self) -> dict[str, dict[int, list[Span]]]:
        """eid -> sentence -> mentions."""
        places: dict[str, dict[int, list[Span]]] = {entity.eid: defaultdict(list) for entity in self.entities}
        for number, row in self.by_sentence.items():
            for span, entity in row:
                places[entity.eid][number].append(span)
        return places

    def starts_in(self, number: int) -> list[int]:
        """Where the mentions of a sentence start, sorted."""
        if number not in self._mention_starts:
            self._mention_starts[number] = [span[0] for span, _ in self.by_sentence[number]]
        return self._mention_starts[number]

    def sentence(self, offset: int) -> int:
        """Number of the sentence at an offset."""
        return max(0, bisect_right(self._starts, offset) - 1)

    def in_title(self, entity: Entity) -> bool:
        """Whether the title names it."""
        return bool(entity.mentions) and entity.mentions[0][0] < self.title_end

    @cached_property
    def claims(self) -> list[tuple[int, int, int]]:
        """(sentence, start, end) of phrases such as `we propose`."""
        return [
            (self.sentence(match.start()), *match.span()) for match in _OURS.finditer(self.text, min(self.title_end + 1, len(self.text)))
        ]

    @cached_property
    def claimed(self) -> dict[str, int]:
        """eid -> rank among the entities of its type that follow a claim in the same sentence, the best one, from 0."""
        ranks: dict[str, int] = {}
        for sentence, _, end in self.claims:
            seen: list[str] = []
            for (start, _), entity in self.by_sentence[sentence]:
                if start >= end and entity.eid not in seen:
                    rank = sum(self.types[eid] == entity.type for eid in seen)
                    ranks[entity.eid] = min(rank, ranks.get(entity.eid, 9))
                    seen.append(entity.eid)
        return ranks

    @cached_property
    def types(self) -> dict[str, str]:
        """eid -> type."""
        return {entity.eid: entity.type for entity in self.entities}

    @cached_property
    def rank(self) -> dict[str, int]:
        """eid -> place among the entities of its type by number of mentions, then by order, from 0."""
        ranks: dict[str, int] = {}
        counts: dict[str, int] = defaultdict(int)
        for entity in sorted(self.entities, key=lambda e: (-len(e.mentions), e.mentions)):
            ranks[entity.eid] = counts[entity.type]
            counts[entity.type] += 1
        return ranks


def of_proposal(view: View, entity: Entity) -> Iterator[str]:
    """Whether the paper introduces the entity."""
    start, end = entity.mentions[0]
    title = view.in_title(entity)
    colon = title and start == 0 and view.text[end : end + 2].lstrip(" ").startswith(":")
    called = any(_CALLED.search(view.text, max(0, left - 20), left) for left, _ in entity.mentions)
    claim = min(view.claimed.get(entity.eid, 9), 2) if entity.eid in view.claimed else "-"
    named = any(re.search(r"\w[A-Z]|[A-Z]\d", view.text[left:right]) for left, right in entity.mentions)
    many = min(len(entity.mentions), 4)
    look = f"{'colon' if colon else 'title' if title else 'body'} {'called ' if called else ''}{claim}"
    yield f"{entity.type} {look} {'named' if named else 'plain'} {many}"
    yield f"{entity.type} {look} {'named' if named else 'plain'}"
    yield f"{entity.type} {look}"


def of_task(view: View, entity: Entity) -> Iterator[str]:
    """Whether the paper is about the entity."""
    title, many, rank = view.in_title(entity), min(len(entity.mentions), 4), min(view.rank[entity.eid], 4)
    first = view.sentence(entity.mentions[0][0])
    about = any(_ABOUT.search(view.text, max(view.sentences[view.sentence(a)][0], a - 40), a) for a, _ in entity.mentions)
    claim = "claim" if entity.eid in view.claimed else "-"
    place = "title" if title else f"s{min(first, 3)}"
    peers = min(sum(other.type == entity.type for other in view.entities), 5)
    yield f"{entity.type} {place} {many} {rank} {claim} {peers}"
    yield f"{entity.type} {place} {many} {rank} {claim} {'about' if about else ''}"
    yield f"{entity.type} {place} {rank} {claim}"
    yield f"{entity.type} {place}"


def of_pair(view: View, head: Entity, tail: Entity, roles: Mapping[str, str]) -> Iterator[str]:
    """Which relation leads from head to tail. roles: eid -> `p` proposed, `a` addressed."""
    types = f"{head.type} {tail.type}"
    role = "".join(roles.get(e.eid, "t" if view.in_title(e) else "-") for e in (head, tail))
    near = _nearest(view, head, tail)
    if near is not None:
        order, between, crossed = near
        tokens = [token.lower() for token in _TOKEN.findall(between)]
        cues = [token for token in tokens if token in _CUES]
        if len(tokens) <= 4:
            yield f"{types} {order} {role} = {' '.join(tokens)}"
            yield f"{types} {order} = {' '.join(tokens)}"
        cue = f"{cues[0]}..{cues[-1]}" if cues else "-"
        yield f"{types} {order} {role} {cue} {min(crossed, 2)}"
        yield f"{types} {order} {cue} {min(crossed, 2)}"
        yield f"{types} {order} {role} {min(crossed, 3)}"
    place = "same" if near is not None else "apart"
    ranks = f"{min(view.rank[head.eid], 2)}{min(view.rank[tail.eid], 2)}"
    yield f"{types} {place} {role} {ranks}"
    yield f"{types} {place} {role}"


def _nearest(view: View, head: Entity, tail: Entity) -> tuple[str, str, int] | None:
    """Order, text between and number of mentions between for the closest two mentions in one sentence."""
    ours, theirs = view.places[head.eid], view.places[tail.eid]
    best: tuple[int, int, str, int, int] | None = None
    for number in ours.keys() & theirs.keys():
        both = sorted([(span, ">") for span in ours[number]] + [(span, "<") for span in theirs[number]])
        # mentions are sorted and disjoint, so the closest two are neighbours
        for ((_, end), order), ((start, _), other) in pairwise(both):
            if order != other and start >= end and (best is None or (start - end, end) < best[:2]):
                best = (start - end, end, order, start, number)
    if best is None:
        return None
    _, end, order, start, number = best
    starts = view.starts_in(number)
    return order, view.text[end:start], bisect_left(starts, start) - bisect_left(starts, end)


def answers(rules: Rules, kind: str, signatures: Iterable[str]) -> Sequence[tuple[str, float]]:
    """What the most special known signature says: (answer, share) pairs; empty where none is known."""
    table = rules[kind]
    return next((table[signature] for signature in signatures if signature in table), ())


@cache
def load_rules() -> Rules:
    """The shipped table, read once."""
    rules: dict[str, dict[str, list[tuple[str, float]]]] = defaultdict(lambda: defaultdict(list))
    with RULES.open(encoding="utf-8", newline="") as stream:
        for kind, signature, answer, share in csv.reader(
            (line for line in stream if line[0] != "#"), delimiter="\t", quoting=csv.QUOTE_NONE
        ):
            rows = rules[kind][signature]
            if answer:
                rows.append((answer, float(share)))
    return rules
