"""Words of a text, the keys by which spellings of one name meet, and the runs of words that may be a name."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

_WORD = re.compile(r"\w+")
# What may stand between two words of one name.
_GLUE = frozenset([" ", "-", "–", "/", ".", "_", "+", "&", " & ", "^", "@", "'", "’"])
_PLURAL = re.compile(r"(?<=\w{2})(?<![suix])s$|(?<=\w)(?:(?<=ss)|(?<=[cs]h)|(?<=[xz]))es$")
_IES = re.compile(r"(?<=\w{2})ies$")


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its half-open offsets; `joined` says that the word before it may belong to the same name."""

    text: str
    start: int
    end: int
    key: str
    joined: bool


def words(text: str) -> list[Word]:
    """All words of the text, in order."""
    found: list[Word] = []
    end = -1
    for match in _WORD.finditer(text):
        word = match[0]
        joined = end >= 0 and text[end : match.start()] in _GLUE
        # The s of a genitive is no word of a name.
        joined = joined and not (word == "s" and text[end] in "'’")
        found.append(Word(word, match.start(), match.end(), word_key(word), joined))
        end = match.end()
    return found


@lru_cache(maxsize=1 << 16)
def word_key(word: str) -> str:
    """Lower case, singular: what two spellings of a word share."""
    return _PLURAL.sub("", _IES.sub("y", word.casefold()))


def name_key(name: str) -> str:
    """What spellings of one name share: case, plural, hyphens and spaces do not matter (`data sets`, `dataset`)."""
    return "".join(word_key(word) for word in _WORD.findall(name))


def runs(found: Sequence[Word], stops: Container[str]) -> Iterator[tuple[int, int]]:
    """Longest runs of words that stand together and are not in `stops` (keys), as half-open indices."""
    first = 0
    for index, word in enumerate(found):
        if not word.joined and first < index:
            yield first, index
            first = index
        if word.key in stops:
            if first < index:
                yield first, index
            first = index + 1
    if first < len(found):
        yield first, len(found)
