"""Figures: which candidate numbers are results, of what metric, and whose."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kgbuild.extraction.features import Encoded, Floats, Number

_UNIT = re.compile(
    r"\s?(?:(?P<percent>\\?%|percent(?!age points?)\b|per cent\b)|(?P<times>\$?\\?times\b\$?|x\b|×|X\b|-?fold\b)"
    r"|(?P<points>(?:(?:absolute |percentage )?points?|pp|p\.p\.)\b)"
    r"|(?P<plain>fps|FPS|dB|ms|seconds?|minutes?|hours?|days?|GPU days|GB|MB|FLOPs|GFLOPs)\b)"
)
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


def end_of(number: Number, text: str) -> int:
    """Where the number ends, its unit included."""
    match = _UNIT.match(text, number.end)
    return match.end() if match else number.end


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


def _pick(scores: Floats, least: float) -> int | None:
    best = int(scores.argmax()) if scores.size else 0
    return best if scores.size and scores[best] >= least else None
