"""Numbers of a text with their units: digits, ranges and the few words that stand for a figure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_DIGITS = r"\d+(?:,\d{3})*(?:\.\d+)?"
_PERCENT = r"\\?%|percentage points?|percents?\b|per cent\b"
_RANGE = rf"(?:\s?(?:{_PERCENT}|x|×)?\s?(?:-{{1,3}}|–|—|~|\bto\b)\s?(?P<last>{_DIGITS})(?=\s?(?:{_PERCENT}|x\b|×|\b)))?"
_TIMES = r"x\b|X\b|×|\$?\\times\$?|times\b|folds?\b|orders? of magnitude"
_MEASURE = (
    r"fps\b|FPS\b|frames per second|ms\b|milliseconds?\b|s\b|seconds?\b|minutes?\b|hours?\b|dB\b|[KMGT]B\b|[KMGT]?FLOPs\b|GFLOPS\b|"
    r"mm\b|cm\b|m\b|[KMB]\b|million\b|billion\b"
)
_UNIT = rf"(?:absolute |relative )?(?:{_PERCENT})|(?:absolute |percentage )?points?\b|pp\b|{_TIMES}|{_MEASURE}"
_NUMBER = re.compile(
    rf"(?<![\w.,])(?<![A-Za-z]-)(?<![A-Za-wyz]/)(?P<first>{_DIGITS}|\.\d+){_RANGE}(?![\d])(?:\s?-?\s?(?P<unit>{_UNIT}))?(?!\w)"
)
_WORDS = {"half": "50", "halves": "50", "halved": "50", "halving": "50"} | dict.fromkeys(
    ("doubles", "doubled", "doubling", "double", "twice"), "2"
)
_WORDS |= dict.fromkeys(("triples", "tripled", "tripling", "triple", "thrice"), "3")
_WORD = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b", re.IGNORECASE)
# unit as written, lower case, without `relative` and the like -> unit as the guidelines write it
_UNITS = {"percent": "%", "percents": "%", "per cent": "%", "\\%": "%", "pp": "points", "point": "points", "percentage point": "points"}
_UNITS |= dict.fromkeys(("x", "×", "times", "fold", "folds", "\\times", "$\\times$", "\\times$", "$\\times"), "x")
_UNITS |= {"percentage points": "points", "frames per second": "fps", "milliseconds": "ms", "second": "s", "seconds": "s"}


@dataclass(frozen=True, slots=True)
class Number:
    """A figure: its value as the guidelines write it, its unit, the half-open offsets of the digits, and where the unit ends."""

    value: str
    unit: str | None
    start: int
    end: int
    stop: int


def numbers(text: str) -> list[Number]:
    """All figures of the text, in order; digits inside names (`GPT-4`, `CIFAR-10`) are none."""
    found = []
    for match in _NUMBER.finditer(text):
        value = match["first"] if match["last"] is None else f"{match['first']}-{match['last']}"
        end = match.end("first") if match["last"] is None else match.end("last")
        unit = _unit(match["unit"])
        found.append(Number(value, unit, match.start("first"), end, match.end() if match["unit"] else end))
    for match in _WORD.finditer(text):
        value = _WORDS[match[0].lower()]
        found.append(Number(value, "%" if value == "50" else "x", *match.span(), match.end()))
    return sorted(found, key=lambda number: number.start)


def _unit(written: str | None) -> str | None:
    if written is None:
        return None
    plain = re.sub(r"^(?:absolute|relative|percentage) (?=points?$)|^(?:absolute|relative) ", "", written)
    return _UNITS.get(plain.lower(), plain)
