"""Where a paper says it: the closest pair of mentions and the sentences around it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from kgbuild.records import Paper, Result
from kgbuild.text import sentences

Span = tuple[int, int]
NOWHERE: Span = (-1, -1)
CLAIM = re.compile(r"\b(?:we|our|this (?:paper|work|article|study)|propos\w+|introduc\w+|present\w*|novel|dubbed|called|named)\b", re.I)


class Passages:
    """The text of one paper with its sentences; all spans are half-open character offsets into `Paper.text`."""

    def __init__(self, paper: Paper) -> None:
        """Split the text once."""
        self.text = paper.text
        self.spans: list[Span] = [(start, end) for start, end in sentences(self.text)] or [(0, len(self.text))]
        self.starts = [start for start, _ in self.spans]

    def around(self, *spans: Span) -> Span:
        """From the start of the first to the end of the last sentence that the spans touch."""
        start, end = min(span[0] for span in spans), max(span[1] for span in spans)
        first, last = self._sentence(start), self._sentence(max(start, end - 1))
        # a splitter may leave blanks between sentences, and a span may begin in one
        return min(first[0], start), max(last[1], end)

    def closest(self, heads: Sequence[Span], tails: Sequence[Span]) -> tuple[Span, Span]:
        """The pair of spans with the fewest sentences, then the fewest characters between them; the earliest of equals."""

        def apart(pair: tuple[Span, Span]) -> tuple[int, int, tuple[Span, Span]]:
            first, second = (bisect_right(self.starts, span[0]) for span in pair)
            return abs(first - second), _gap(*pair), pair

        return min(((head, tail) for head in heads for tail in tails), key=apart)

    def claim(self, mentions: Sequence[Span]) -> Span:
        """The mention whose sentence best shows that the paper introduces the thing: the first beside a word such as `we` or `propose`."""
        for span in mentions:
            start, end = self.around(span)
            if CLAIM.search(self.text, start, end):
                return span
        return mentions[0]

    def number(self, result: Result) -> Span:
        """Offsets of the reported number: of the record, else of its value in its quote, else of the quote; (-1, -1) if none is there."""
        if result.start >= 0:
            return result.start, result.end
        at = self.text.find(result.quote) if result.quote else -1
        if at < 0:
            return NOWHERE
        inside = result.quote.find(result.value)
        if inside < 0:
            return at, at + len(result.quote)
        return at + inside, at + inside + len(result.value)

    def _sentence(self, offset: int) -> Span:
        return self.spans[max(0, bisect_right(self.starts, offset) - 1)]


def nearest(spans: Sequence[Span], to: Span) -> Span:
    """The span with the fewest characters to `to`; the earliest of equals."""
    return min(spans, key=lambda span: (_gap(span, to), span))


def _gap(a: Span, b: Span) -> int:
    return max(b[0] - a[1], a[0] - b[1], 0)
