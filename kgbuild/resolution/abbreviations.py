"""Abbreviations: `long form (LF)` in a text, and whether letters can stand for words."""

from __future__ import annotations

import re

_SHORT = re.compile(r"[(\[]\s*(?P<short>[A-Za-z][A-Za-z0-9&.+/-]{1,9})\s*(?:[)\],;]|\bor\b)")
_WORDS = re.compile(r"[^\s()\[\],;:]+")
_BREAK = re.compile(r"[,;:()\[\]!?]\s|[.]\s")


def definitions(text: str) -> list[tuple[str, str]]:
    """(short, long) for every `long (short)` whose letters fit, in the order of the text, both as they stand there."""
    found = []
    for match in _SHORT.finditer(text):
        short = match["short"].rstrip("-./")
        if sum(char.isupper() for char in short) < 2:
            continue
        begin = max(0, match.start() - 12 * len(short) - 30)
        window = _BREAK.split(text[begin : match.start()])[-1]
        long = _long_form(short.removesuffix("s"), [word[0] for word in _WORDS.finditer(window)])
        if long:
            found.append((short, long))
    return found


def _long_form(short: str, words: list[str]) -> str:
    """The fewest last words that the letters stand for; empty where they do not fit."""
    most = min(len(short) + 4, 2 * len(short), len(words))
    phrases = [" ".join(words[-count:]) for count in range(1, most + 1)]
    # initials first: AAM is the active appearance model, though its letters also stand in the last two words
    fitting = [phrase for phrase in phrases if initials(phrase) == short.casefold()]
    fitting += [phrase for phrase in phrases if len(phrase) > len(short) + 2 and abbreviates(short, phrase)]
    return fitting[0] if fitting else ""


def initials(phrase: str) -> str:
    """First letters of the words, small."""
    return "".join(word[0] for word in re.findall(r"[a-z0-9]+", phrase.casefold()))


def abbreviates(short: str, long: str) -> bool:
    """Whether `short` abbreviates `long`: letters in order, the first begins the first word, and they mostly begin words.

    Case and punctuation do not matter. Every word of four letters or more has to give a letter, so that the long form is whole.
    """
    letters = re.sub(r"[^a-z0-9]", "", short.casefold())
    words = re.findall(r"[a-z0-9]+", long.casefold())
    if len(letters) < 2 or not words or len("".join(words)) <= len(letters):
        return False
    return _fits(letters, words, 0)


def _fits(letters: str, words: list[str], inside: int) -> bool:
    """Match letters against words from the left; `inside` counts letters taken from the middle of words."""
    if not words:
        return not letters
    word, rest = words[0], words[1:]
    if not letters or letters[0] != word[0]:
        return len(word) <= 3 and bool(rest) and _fits(letters, rest, inside)
    budget = max(1, (len(letters) + inside) // 3)
    taken, position = 1, 1
    while True:
        if _fits(letters[taken:], rest, inside + taken - 1):
            return True
        if taken >= len(letters) or inside + taken > budget + (1 if not rest else 0):
            return False
        position = word.find(letters[taken], position) + 1
        if not position:
            return False
        taken += 1
