"""Lists of figures beside lists of names: `91.2%, 73.4% and 60% on A, B and C` says whose each figure is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from kgbuild.extraction.features import Encoded, Floats, Number
from kgbuild.extraction.figures import end_of

Words = tuple[int, int, int]  # first and last word of a mention, and its entity
Place = tuple[int, int, int]  # start and end in characters, and the number or entity that stands there
Pairs = tuple[list[int], list[int]]  # numbers and entities by index, of which the first go together, the second, and so on

IN_ORDER = 0.94  # share of such lists of data sets, and of metrics, in the training records that go together so: 187 of 199
_BETWEEN = re.compile(r"\s*(?:,\s*(?:and|or)\b|,|/|;|&|\band\b|\bor\b)\s*(?:the\s+)?")
_SPREAD = re.compile(r"\s*\$?(?:±|\+/-|\\pm)\$?\s*[\d.]+\s?\\?%?")  # 91.2 ± 0.3
_AND = re.compile(r"\band\b")


def listed(encoded: Encoded, mentions: Sequence[Words]) -> list[Pairs]:
    """Each list of numbers that stands in one sentence with an equally long list of names, and the nearest such list."""
    text = encoded.text
    names: dict[int, list[Place]] = {}
    for first, last, entity in sorted(mentions):
        place = int(encoded.word_start[first]), int(encoded.word_end[last]), entity
        names.setdefault(int(encoded.sentence[first]), []).append(place)
    found = []
    for numbers in _runs(_members(encoded), text):
        sentence = int(encoded.sentence[encoded.numbers[numbers[0][2]].first])
        fitting = [
            (max(run[0][0] - numbers[-1][1], numbers[0][0] - run[-1][1]), run)
            for run in _runs(names.get(sentence, ()), text)
            if len(run) == len({entity for _, _, entity in run}) == len(numbers)
        ]
        if fitting:
            found.append(([number for _, _, number in numbers], [entity for _, _, entity in min(fitting)[1]]))
    return found


def certain(scores: Floats, lists: Sequence[Pairs]) -> Floats:
    """Probabilities (numbers, entities) of a role, where a number of a list belongs to its name and to no other."""
    out = scores.copy()
    for numbers, entities in lists:
        out[numbers] = 0
        out[numbers, entities] = IN_ORDER
    return out


def sorted_out(scores: Floats, lists: Sequence[Pairs]) -> Floats:
    """Probabilities (numbers, entities) of a role, where what a number gives to the names of a list goes to its own.

    For metrics: their probabilities tell too whether the number is a result at all, which a list does not.
    """
    out = scores.copy()
    for numbers, entities in lists:
        cells = np.ix_(numbers, entities)
        out[cells] = 0
        out[numbers, entities] = scores[cells].max(1)
    return out


def _members(encoded: Encoded) -> Iterator[Place]:
    """The numbers that may be members of a list, with their units: ranges count as one number, `5 and 6` as two, and spreads not at all."""
    text, spread_to = encoded.text, 0
    inside = [n for n in encoded.numbers if _parts(n, encoded.numbers) and not _AND.search(text, n.start, n.end)]
    for index, number in enumerate(encoded.numbers):
        ends = any(n.start <= number.start and number.end <= n.end for n in inside if n is not number)
        several = _parts(number, encoded.numbers) and number not in inside
        if ends or several or number.start < spread_to:
            continue
        end = end_of(number, text)
        spread = _SPREAD.match(text, end)
        spread_to = spread.end() if spread else 0
        yield number.start, max(end, spread_to), index


def _parts(number: Number, others: Sequence[Number]) -> bool:
    """Whether another number is a part of this one."""
    return any(number.start <= n.start and n.end <= number.end for n in others if n is not number)


def _runs(places: Iterable[Place], text: str) -> list[list[Place]]:
    """Lists: two and more places with nothing between them but commas and the like."""
    runs: list[list[Place]] = []
    for place in places:
        if runs and _BETWEEN.fullmatch(text, runs[-1][-1][1], place[0]):
            runs[-1].append(place)
        else:
            runs.append([place])
    return [run for run in runs if len(run) > 1]
