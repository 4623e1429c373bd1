"""Pairs of a long form and its abbreviation in brackets, by matching letters from the right (after Schwartz and Hearst, 2003)."""

from __future__ import annotations

import re

Span = tuple[int, int]

_SHORT = re.compile(r"\(\s?([A-Za-z0-9][\w\-+.^/]{0,14}\w)\s?(?=[),;])")
_REACH = 200  # characters that a long form may take
_NOT_BACK = re.compile(r"[.;:!?()\n]")  # a long form does not reach over these


def abbreviations(text: str) -> list[tuple[Span, Span]]:
    """(span of the long form, span of the short form) for each definition such as `masked language model (MLM)`, in order."""
    pairs = []
    for match in _SHORT.finditer(text):
        short = match[1]
        if sum(char.isupper() for char in short) < 2 and not (short[0].isupper() and len(short) > 2 and any(c.isdigit() for c in short)):
            continue
        start = _long_form(text, match.start(), short)
        end = len(text[: match.start()].rstrip())
        if start is not None and end - start > len(short):
            pairs.append(((start, end), match.span(1)))
    return pairs


def _long_form(text: str, before: int, short: str) -> int | None:
    """Where the long form of `short` that ends at `before` starts: every letter in order, the first one at the start of a word."""
    letters = [char.lower() for char in re.sub(r"s$", "", short) if char.isalnum()]
    most = min(len(letters) + 5, 2 * len(letters))
    furthest = max(0, before - _REACH)
    edge = max((match.end() for match in _NOT_BACK.finditer(text, furthest, before)), default=furthest)
    position = before
    for number, letter in enumerate(reversed(letters), 1):
        position -= 1
        while position >= edge and not (text[position].lower() == letter and (number < len(letters) or _opens_word(text, position))):
            position -= 1
        if position < edge:
            return None
    return position if len(text[position:before].split()) <= most else None


def _opens_word(text: str, position: int) -> bool:
    return position == 0 or not text[position - 1].isalnum()
