"""Vectors of texts by their spelling: character n-grams, hashed, so that no vocabulary is needed."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
import numpy.typing as npt

WIDTH = 1024  # numbers in a vector
GRAMS = (3, 4)  # characters in a gram


def spelling_vectors(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """One vector of length 1 for each text, float32, shape (texts, WIDTH); texts without letters give zeros.

    Cosines are high for names that share parts of words: `RoBERTa` and `ALBERT`, `segmentation` and `segmenting`.
    """
    vectors: npt.NDArray[np.float32] = np.zeros((len(texts), WIDTH), dtype=np.float32)
    for row, text in enumerate(texts):
        places = [crc32(gram.encode()) % WIDTH for gram in _grams(text)]
        np.add.at(vectors[row], places, 1.0)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    np.divide(vectors, lengths, out=vectors, where=lengths > 0)
    return vectors


def _grams(text: str) -> list[str]:
    """The n-grams of each word, its ends marked."""
    words = [f" {word} " for word in "".join(char if char.isalnum() else " " for char in text.casefold()).split()]
    return [word[start : start + size] for word in words for size in GRAMS for start in range(max(len(word) - size + 1, 1))]
