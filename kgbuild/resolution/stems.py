"""Word families: `learning representations` and `representation learning` share their stems, `encoder` and `encoding` do not."""

from __future__ import annotations

import re
from functools import cache

from kgbuild.resolution.normalise import load_words, squash

# Longest first; what remains must keep four letters. Agents (-er, -or) and qualities (-ive, -ity) are other things and stay.
_SUFFIXES = (
    "ifications", "ification", "ifying", "ify", "izations", "ization", "izing", "ize", "ations", "ation", "itions", "ition", "ating", "ate",
    "ions", "ion", "ings", "ing", "ements", "ement", "ments", "ment", "vals", "val", "ances", "ance", "e", "ed",
)  # fmt: skip
_KEPT = {"ification": "if", "ifications": "if", "ifying": "if", "ify": "if", "val": "v", "vals": "v"}
_LINKS = frozenset(("of", "for", "in", "the", "a"))


@cache
def stem(word: str) -> str:
    """What a word shares with its verb and noun forms; short words and common nouns stay whole."""
    if word in load_words().whole or not word.isalpha():
        return word
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 4:
            return word[: -len(suffix)] + _KEPT.get(suffix, "")
    return word


def signature(key: str) -> tuple[str, ...]:
    """Stems of a key, in any order; words between which sides may not change places keep the order."""
    words = key.split()
    stems = [stem(word) for word in words if word not in _LINKS] or words
    if any(word in load_words().cross for word in words):
        return tuple(stems)
    return tuple(sorted(stems))


def numbers(key: str) -> tuple[str, ...]:
    """All figures of a key, sorted: versions, sizes and counts."""
    return tuple(sorted(re.findall(r"\d+(?:\.\d+)?", key)))


def veto(a: str, b: str) -> str:
    """Why two keys of one type may not be the same thing, however alike; empty if nothing speaks against it."""
    if numbers(a) != numbers(b):
        return "different numbers"
    left, right = set(a.split()), set(b.split())
    for word in left ^ right:
        for prefix in ("un", "non", "in", "im", "anti", "de", "dis"):
            if word.startswith(prefix) and word[len(prefix) :] in left | right:
                return f"{word} is not {word[len(prefix) :]}"
    for row, by_stem in _rows():
        ours, theirs = ({stem(word) if by_stem else word for word in words} & row for words in (left, right))
        if ours != theirs and squash(a) != squash(b):
            return f"{' '.join(sorted(ours)) or 'nothing'} is not {' '.join(sorted(theirs)) or 'nothing'}"
    return ""


@cache
def _rows() -> tuple[tuple[frozenset[str], bool], ...]:
    """Rows of words that keep names apart, by their stems (`detecting` counts as `detection`) unless that would make two of them one."""
    rows = load_words().apart
    stems = [frozenset(map(stem, row)) for row in rows]
    return tuple((by_stem, True) if len(by_stem) == len(row) else (row, False) for row, by_stem in zip(rows, stems, strict=True))
