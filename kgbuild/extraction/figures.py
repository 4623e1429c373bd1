"""Figures: which candidate numbers are results, of what metric, and whose."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kgbuild.extraction.features import Encoded, Floats, Number

_UNIT = re.compile(
    r"\s?(?:(?P<percent>\\?%|percent(?!age points?)\b|per cent\b)|(?P<times>\$?\\?times\b\$?|x\b|×|X\b|-?fold\b)"
    r"|(?P<points>(?:(?:absolute |percentage )?points?|pp|p\.p\.)\b)"
    r"|(?P<plain>fps|FPS|dB|ms|seconds?|minutes?|hours?|days?|GPU days|GB|MB|FLOPs|GFLOPs)\b)"
)
_BETWEEN = re.compile(r"\s*(?:,\s*(?:and|or)\b|,|/|;|&|\band\b|\bor\b)\s*(?:the\s+)?")
LISTED = 0.94  # share of such lists in the training records whose figures and names go together in order: 187 of 199
Name = tuple[int, int, int]  # first, last, entity or number
_WORD = re.compile(r"(?P<half>half|halv)|(?P<times>double|doubl|twice|tripl|thrice)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that reports an outcome; roles map to entity indices of the window, probability in [0, 1]."""

    number: Number
    roles: Mapping[str, int | None]
    kind: int
    probability: float


def unit_of(number: Number, text: str) -> str | None:
    """The unit as the guidelines write it: %, x, points, or the word that follows the number."""
    if word := _WORD.match(text[number.start : number.end]):
        return "%" if word["half"] else "x"
    match = _UNIT.match(text, number.end)
    if not match:
        return None
    if match["plain"]:
        return "fps" if match["plain"].lower() == "fps" else match["plain"]
    return {"percent": "%", "times": "x", "points": "points"}[match.lastgroup or "points"]


def figures(encoded: Encoded, roles: Mapping[str, Floats], kinds: Floats, least: float, role_least: float) -> list[Figure]:
    """Every (number, metric) pair whose probability reaches `least`, with its most probable other roles.

    roles: role -> probabilities (numbers, entities), 0 where the type does not fit. kinds: logits (numbers, kinds).
    Of overlapping numbers (a range and its ends) the more probable one stays.
    """
    metric = roles["metric"]
    if metric.size == 0:
        return []
    best = metric.max(1)
    taken: list[Number] = []
    out = []
    for i in sorted(range(len(best)), key=lambda i: (-best[i], i)):
        number = encoded.numbers[i]
        if best[i] < least or any(number.start < n.end and n.start < number.end for n in taken):
            continue
        taken.append(number)
        others = {role: _pick(scores[i], role_least) for role, scores in roles.items() if role not in ("metric", "dataset")}
        several: list[int | None] = list(np.nonzero(roles["dataset"][i] >= max(role_least, 0.5))[0].tolist())
        for m in np.nonzero(metric[i] >= max(least, best[i] * 0.5))[0].tolist():
            for dataset in several or [_pick(roles["dataset"][i], role_least)]:
                out.append(Figure(number, {**others, "dataset": dataset, "metric": m}, int(kinds[i].argmax()), float(metric[i, m])))
    return sorted(out, key=lambda f: (f.number.start, f.number.end, f.roles["metric"] or 0, f.roles["dataset"] or 0))


def listed(encoded: Encoded, names: Sequence[Name]) -> list[tuple[list[int], list[int]]]:
    """(numbers, entities) by index, of each list of numbers that stands in one sentence with an equally long list of names."""
    text = encoded.text
    figures_ = [(n.start, _after(n, text), i) for i, n in enumerate(encoded.numbers) if not _is_range(n, encoded.numbers)]
    places = [(int(encoded.word_start[a]), int(encoded.word_end[b]), entity) for a, b, entity in names]
    found = []
    for row in _lists(figures_, text):
        sentence = encoded.sentence[encoded.numbers[row[0][2]].first]
        near = [
            (abs(other[0][0] - row[0][0]), other)
            for other in _lists(sorted(p for p, name in zip(places, names, strict=True) if encoded.sentence[name[0]] == sentence), text)
            if len(other) == len({entity for _, _, entity in other}) == len(row)
        ]
        if near:
            found.append(([i for _, _, i in row], [entity for _, _, entity in min(near)[1]]))
    return found


def in_order(scores: Floats, lists: Sequence[tuple[list[int], list[int]]]) -> Floats:
    """Probabilities (numbers, entities) of a role, the i-th number of a list being that of its i-th name."""
    for numbers, entities in lists:
        scores[np.ix_(numbers, entities)] = 0
        scores[numbers, entities] = LISTED
    return scores


def _lists(places: Sequence[Name], text: str) -> list[list[Name]]:
    """Runs of two and more places with nothing between them but commas and the like."""
    runs: list[list[Name]] = []
    for place in places:
        if runs and _BETWEEN.fullmatch(text, runs[-1][-1][1], place[0]):
            runs[-1].append(place)
        else:
            runs.append([place])
    return [run for run in runs if len(run) > 1]


def _after(number: Number, text: str) -> int:
    unit = _UNIT.match(text, number.end)
    return unit.end() if unit else number.end


def _is_range(number: Number, others: Sequence[Number]) -> bool:
    """Whether another number is a part of it: lists are made of single ones."""
    return any(number.start <= n.start and n.end <= number.end and n is not number for n in others)


def _pick(scores: Floats, least: float) -> int | None:
    best = int(scores.argmax()) if scores.size else 0
    return best if scores.size and scores[best] >= least else None
