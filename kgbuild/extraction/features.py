"""What the learned extractor sees of a text: pieces, words, shapes, candidate numbers, and features of pairs. Numpy only.

Training and the shipped model share this module, so that both see the same thing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from kgbuild.text import sentences

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

MAX_WIDTH = 14  # words of the longest mention considered; 99.6 % of the gold mentions are shorter
MAX_PIECES = 510  # of one window, so that with the special pieces it fits the encoder's 512 positions
MAX_CHARACTERS = 4_000  # of one window: longer stretches are tokenised piecemeal, so that cost stays linear in the text
SHAPES = 16
PAIR_FEATURES = 7
DISTANCES = np.array([1, 3, 6, 11, 21, 41])
NUMBER_TYPE = 4  # nodes carry a type id: the concept types in ontology order, then numbers

_NUMBER = re.compile(r"(?<![\w.,])(?<![A-Za-z]-)\d+(?:,\d{3})*(?:\.\d+)?(?![\d])")
_RANGE = re.compile(
    r"(?<![\w.,])(?<![A-Za-z]-)(\d+(?:,\d{3})*(?:\.\d+)?)\s?(?:\\?%|x|×)?\s?(?:-{1,3}|–|—|~|to|and)\s?"
    r"(\d+(?:,\d{3})*(?:\.\d+)?)(?=\s?(?:\\?%|x\b|×|\b))"
)
_WORD_NUMBERS = re.compile(r"\b(half|halve[sd]?|halving|doubles?|doubled|doubling|twice|triples?|tripled|tripling|thrice)\b", re.IGNORECASE)
_WORD_VALUES = {"hal": "50", "dou": "2", "twi": "2", "tri": "3", "thr": "3"}
_FOLD = re.compile(r"[\s\-_/]+")


@dataclass(frozen=True, slots=True)
class Number:
    """A candidate figure: its value as the guidelines write it, and its half-open character and word spans."""

    value: str
    start: int
    end: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Encoded:
    """One window of text as the encoder takes it.

    pieces: int64 (pieces,) with the special pieces at both ends. shapes: int64 (pieces,) in [0, SHAPES). word_piece: int64 (words,)
    index of each word's first piece. word_start, word_end: character offsets. sentence: int64 (words,).
    """

    text: str
    pieces: Ints
    shapes: Ints
    word_piece: Ints
    word_start: Ints
    word_end: Ints
    sentence: Ints
    numbers: tuple[Number, ...]

    @property
    def words(self) -> int:
        """Number of words."""
        return len(self.word_piece)


def fold(surface: str) -> str:
    """The key under which strings of one document count as the same: case, hyphens and a plural s folded."""
    key = _FOLD.sub(" ", surface.casefold()).strip(" .,;:'\"()[]")
    return key[:-1] if len(key) > 3 and key.endswith("s") and key[-4:-1].isascii() and key[-4:-1].isalpha() else key


def _shape(word: str) -> int:
    if word.isdigit():
        return 1
    if not any(c.isalnum() for c in word):
        return 2
    if word.islower():
        return 3
    if word.isupper():
        return 4 if len(word) > 1 else 5
    if word[0].isupper() and word[1:].islower():
        return 6
    return 7


def _numbers(text: str, start: int, end: int, word_start: Ints, word_end: Ints) -> tuple[Number, ...]:
    found: dict[tuple[int, int], str] = {}
    for match in _RANGE.finditer(text, start, end):
        found[match.span(1)[0], match.span(2)[1]] = f"{match[1]}-{match[2]}"
    for match in _NUMBER.finditer(text, start, end):
        found[match.span()] = match[0]
    for match in _WORD_NUMBERS.finditer(text, start, end):
        found[match.span()] = _WORD_VALUES[match[0][:3].lower()]
    numbers = []
    for (begin, stop), value in sorted(found.items()):
        first = int(np.searchsorted(word_end, begin, side="right"))
        last = int(np.searchsorted(word_start, stop, side="left")) - 1
        if first <= last:
            numbers.append(Number(value, begin, stop, first, last))
    return tuple(numbers)


def encode(text: str, tokenizer: Tokenizer, start: int = 0, bounds: Sequence[tuple[int, int]] | None = None) -> tuple[Encoded, int]:
    """The window of `text` that begins at character `start`, and where the next window begins (len(text) when done).

    A window ends at the last sentence that fits; a sentence longer than a window is cut at a word. bounds: the text's
    sentences, where the caller has them already.
    """
    bounds = sentences(text) if bounds is None else bounds
    stop_at = _slice_end(text, start)
    encoding = tokenizer.encode(text[start:stop_at], add_special_tokens=False)
    ids, spans, word_ids = encoding.ids, encoding.offsets, encoding.word_ids
    stop = len(ids)
    if stop > MAX_PIECES or stop_at < len(text):
        stop = _window_end([start + end for _, end in spans], word_ids, [end for _, end in bounds], min(MAX_PIECES, stop))
    firsts = [i for i in range(stop) if i == 0 or word_ids[i] != word_ids[i - 1]]
    word_piece = np.array(firsts, dtype=np.int64)
    cuts = np.array([*firsts, stop], dtype=np.int64)
    word_start = np.array([start + spans[i][0] for i in firsts], dtype=np.int64)
    word_end = np.array([start + spans[i - 1][1] for i in cuts[1:]], dtype=np.int64)
    sentence = np.searchsorted(np.array([end for _, end in bounds], dtype=np.int64), word_start, side="right")
    title = text.find("\n")
    shape = np.array([_shape(text[s:e]) + (8 if s < title else 0) for s, e in zip(word_start, word_end, strict=True)], dtype=np.int64)
    shapes = np.zeros(stop + 2, dtype=np.int64)
    shapes[1:-1] = np.repeat(shape, np.diff(cuts))
    special = [tokenizer.token_to_id("[CLS]") or 0, tokenizer.token_to_id("[SEP]") or 2]
    pieces = np.array([special[0], *ids[:stop], special[1]], dtype=np.int64)
    following = start + spans[stop][0] if stop < len(ids) else stop_at
    numbers = _numbers(text, start, following, word_start, word_end)
    return Encoded(text, pieces, shapes, word_piece + 1, word_start, word_end, sentence, numbers), following


def _slice_end(text: str, start: int) -> int:
    """Where to stop tokenising for one window: far enough for MAX_PIECES of any prose, at white space where there is some."""
    limit = start + MAX_CHARACTERS
    if limit >= len(text):
        return len(text)
    space = max(text.rfind(" ", start, limit), text.rfind("\n", start, limit))
    return space + 1 if space > start else limit


def _window_end(piece_ends: Sequence[int], word_ids: Sequence[int | None], sentence_ends: Sequence[int], limit: int) -> int:
    """The number of pieces of the longest prefix of whole sentences within `limit`, else of whole words."""
    if not piece_ends:
        return 0
    fitting = [end for end in sentence_ends if end <= piece_ends[limit - 1]]
    if fitting and (stop := int(np.searchsorted(piece_ends, fitting[-1], side="right"))) >= limit // 2:
        return stop
    stop = limit
    while 1 < stop < len(word_ids) and word_ids[stop] == word_ids[stop - 1]:
        stop -= 1
    return stop if stop > 1 else limit


def string_features(keys: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]], text: str) -> Floats:
    """Evidence that two strings of a document name one thing; float32 (strings, strings, PAIR_FEATURES), symmetric.

    keys: folded strings. spans: the character spans of each string's occurrences.
    """
    count = len(keys)
    out = np.zeros((count, count, PAIR_FEATURES), dtype=np.float32)
    words = [key.split() for key in keys]
    sets = [set(w) for w in words]
    initials = ["".join(w[0] for w in ws if w) for ws in words]
    joined = ["".join(ws) for ws in words]
    starts = {start: i for i in range(count) for start, _ in spans[i]}
    for i in range(count):
        for _, end in spans[i]:
            gap = text[end : end + 3]
            if gap[:2] == " (" and (j := starts.get(end + 2)) is not None and j != i:
                out[i, j, 1] = out[j, i, 1] = 1
        for j in range(i):
            shared = len(sets[i] & sets[j])
            row = out[i, j]
            row[0] = joined[i] == joined[j]
            row[2] = _initials(initials[i], joined[j]) or _initials(initials[j], joined[i])
            row[3] = shared / max(1, len(sets[i] | sets[j]))
            row[4] = bool(words[i]) and bool(words[j]) and words[i][-1] == words[j][-1]
            row[5] = bool(shared) and (sets[i] <= sets[j] or sets[j] <= sets[i])
            row[6] = bool(words[i]) and bool(words[j]) and words[i][0] == words[j][0]
            out[j, i] = np.maximum(out[j, i], row)
            out[i, j] = out[j, i]
    return out


def _initials(initials: str, short: str) -> bool:
    return len(initials) > 1 and len(short) > 1 and (initials == short or (len(initials) > 2 and initials.startswith(short)))


def pair_geometry(first: Ints, last: Ints, owner: Ints, sentence: Ints, owners: int) -> tuple[Ints, Ints]:
    """Where the closest mentions of each two entities stand to one another.

    first, last: (nodes,) word spans; owner: (nodes,) entity of each node; sentence: (words,).
    Returns distance ids, int64 (owners, owners) in [0, 56), and the words between, int64 (owners, owners, 2) half-open.
    """
    order = np.argsort(owner, kind="stable")
    first, last = first[order], last[order]
    cuts = np.searchsorted(owner[order], np.arange(owners))
    ahead = first[None, :] - last[:, None]
    behind = first[:, None] - last[None, :]
    gap = np.maximum(np.maximum(ahead, behind), 0)
    apart = np.abs(sentence[first][:, None] - sentence[first][None, :])
    nodes = len(first)
    code = ((apart * 4096 + gap) * nodes + np.arange(nodes)[:, None]) * nodes + np.arange(nodes)[None, :]
    best = np.minimum.reduceat(np.minimum.reduceat(code, cuts, axis=0), cuts, axis=1)
    column, rest = best % nodes, best // nodes
    row, rest = rest % nodes, rest // nodes
    forward = first[row] <= first[column]
    near, far = np.where(forward, last[row], last[column]), np.where(forward, first[column], first[row])
    low = near + 1
    between = np.stack([low, np.maximum(far, low)], axis=-1)
    bucket = np.searchsorted(DISTANCES, rest % 4096, side="right")
    return (np.minimum(rest // 4096, 3) * 7 + bucket) * 2 + forward, between
