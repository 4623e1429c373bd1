"""Reported figures: which numbers are outcomes, of what kind, and whose, by the table of rules."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence

from kgbuild.extraction.numbers import Number, numbers
from kgbuild.extraction.signatures import Rules, View, answers
from kgbuild.records import Entity, Result
from kgbuild.schema import load_schema

Span = tuple[int, int]

LEAST_RESULT = 0.4
_VERB = re.compile(
    r"\b(?P<gain>improv\w*|gains?|outperform\w*|surpass\w*|increas\w*|boost\w*|better|higher|exceed\w*|over|above|rais\w*)\b"
    r"|\b(?P<loss>reduc\w*|decreas\w*|lower\w*|fewer|less|sav\w+|drop\w*|cut\w*|smaller|only)\b"
    r"|\b(?P<ratio>faster|speed-?ups?|slower|acceler\w*|times)\b"
    r"|\b(?P<reach>achiev\w*|obtain\w*|reach\w*|attain\w*|yield\w*|scor\w+|accuracy of|results? in|from|with|at|of|to)\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[.;:](?=\s)|,\s(?:and|while|which|whereas|but|with)\b")


def _role_types(role: str) -> set[str]:
    return {target for relation in load_schema().group("result") if relation.role == role for _, target in relation.patterns}


def of_number(view: View, number: Number, metric: Span | None) -> Iterator[str]:
    """Whether a number is an outcome. metric: the nearest mention of one in the sentence."""
    left, right = _cues(view, number)
    form = "." if "." in number.value else "year" if re.fullmatch(r"(?:19|20)\d\d", number.value) else "0"
    unit = number.unit or "-"
    place = "none" if metric is None else _place(metric, number)
    yield f"{unit} {form} {place} {left} {right}"
    yield f"{unit} {form} {place} {left or right}"
    yield f"{unit} {form} {place}"
    yield f"{unit} {form}"


def of_kind(view: View, number: Number) -> Iterator[str]:
    """What kind of outcome a number is."""
    left, right = _cues(view, number)
    unit = number.unit or "-"
    word = re.search(r"(\w+)\W*$", view.text[max(0, number.start - 20) : number.start])
    before = word[1].lower() if word else "-"
    yield f"{unit} {before} {left} {right}"
    yield f"{unit} {left} {right}"
    yield f"{unit} {left}"
    yield unit


def _place(metric: Span, number: Number) -> str:
    after = metric[0] >= number.end
    gap = metric[0] - number.stop if after else number.start - metric[1]
    return f"{'after' if after else 'before'}{sum(gap > limit for limit in (2, 12, 40, 90))}"


def _cues(view: View, number: Number) -> tuple[str, str]:
    """The nearest telling word of the sentence on each side."""
    start, end = view.sentences[view.sentence(number.start)]
    before = [match.lastgroup or "" for match in _VERB.finditer(view.text, max(start, number.start - 80), number.start)]
    after = _VERB.search(view.text, number.stop, min(end, number.stop + 40))
    strong = [cue for cue in before if cue != "reach"]
    return (strong or before or ["-"])[-1], after.lastgroup or "-" if after else "-"


def nearest(view: View, number: Number, types: set[str]) -> tuple[Span, Entity] | None:
    """The closest mention of one of the types in the number's sentence; the one after it wins a tie."""
    sentence = view.sentence(number.start)
    row = view.by_sentence.get(sentence, [])
    at = bisect_left(view.starts_in(sentence), number.end) if row else 0
    after = next(((span, entity) for span, entity in row[at:] if entity.type in types), None)
    before = next(((span, entity) for span, entity in reversed(row[:at]) if entity.type in types and span[1] <= number.start), None)
    if after and before:
        return before if number.start - before[0][1] + 1 < after[0][0] - number.stop else after
    return after or before


def inside_name(view: View, number: Number) -> bool:
    """Whether the digits are part of a name."""
    row = view.by_sentence.get(view.sentence(number.start), [])
    at = bisect_right(view.starts_in(view.sentence(number.start)), number.start) if row else 0
    return at > 0 and number.end <= row[at - 1][0][1]


def results(view: View, rules: Rules, proposed: Mapping[str, float]) -> list[Result]:
    """The figures that the paper reports, each with metric, and method and dataset where the text tells them."""
    found = []
    for number in numbers(view.text):
        if inside_name(view, number):
            continue
        metric = nearest(view, number, _role_types("metric"))
        share = max((share for _, share in answers(rules, "result", of_number(view, number, metric and metric[0]))), default=0.0)
        if metric is None or share < LEAST_RESULT:
            continue
        kind = max(answers(rules, "kind", of_kind(view, number)), key=lambda row: row[1], default=("absolute", 0.0))[0]
        found.append(_result(view, number, metric[1], kind, share, proposed))
    return found


def _result(view: View, number: Number, metric: Entity, kind: str, share: float, proposed: Mapping[str, float]) -> Result:
    method = _main(view, _role_types("method"), proposed)
    dataset = nearest(view, number, _role_types("dataset"))
    start, end = view.sentences[view.sentence(number.start)]
    cut = [match.start() for match in _CLAUSE_END.finditer(view.text, number.stop, end)]
    return Result(
        value=number.value,
        unit=number.unit,
        kind=kind,
        metric=metric.eid,
        method=method.eid if method else None,
        dataset=dataset[1].eid if dataset else None,
        quote=view.text[start : min([*cut, end])],
        start=number.start,
        end=number.end,
        confidence=share,
    )


def _main(view: View, types: set[str], proposed: Mapping[str, float]) -> Entity | None:
    """The method that the paper is about: the one it proposes, else the one of its title, else the most frequent."""
    own: Sequence[Entity] = [entity for entity in view.entities if entity.type in types and entity.mentions]
    return min(own, key=lambda e: (e.eid not in proposed, -proposed.get(e.eid, 0.0), not view.in_title(e), view.rank[e.eid]), default=None)
