"""Vectors of texts by their meaning: the sum of a vector for each word piece, fitted to what the extractor's encoder makes of titles.

A sum takes microseconds where the encoder takes milliseconds, so that a graph of a million names is searched without an index of
vectors on disk. `scripts/make_vectors.py` makes the pieces' vectors and prints how near the sums come to the encoder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from kgbuild.errors import KgbuildError
from kgbuild.extraction.onnx import WEIGHTS

MEANING = Path(__file__).parent / "meaning.npz"


@cache
def _pieces() -> tuple[Tokenizer, npt.NDArray[np.float32]]:
    """The tokenizer, and a vector for each of its pieces."""
    tokenizer = Tokenizer.from_file(str(WEIGHTS / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    with np.load(MEANING) as file:
        if str(file["vocabulary"]) != vocabulary_digest(tokenizer):
            raise KgbuildError(f"{MEANING.name} was made for another tokenizer", "make it again: scripts/make_vectors.py")
        values = file["values"].astype(np.float32) * file["scale"].astype(np.float32)
    values[tokenizer.token_to_id("[UNK]")] = 0  # signs that it does not know have no meaning in common
    return tokenizer, values


def vocabulary_digest(tokenizer: Tokenizer) -> str:
    """16 hex digits that change with the numbers of the tokenizer's pieces."""
    return hashlib.sha256(json.dumps(tokenizer.get_vocab(), sort_keys=True).encode()).hexdigest()[:16]


def meaning_vectors(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """One vector of length 1 for each text, float32, shape (texts, 128); texts without a known piece give zeros.

    Cosines are high for names that mean the like: `summarization of documents` and `text summarization`.
    """
    tokenizer, values = _pieces()
    vectors: npt.NDArray[np.float32] = np.zeros((len(texts), values.shape[1]), dtype=np.float32)
    for row, encoding in enumerate(tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)):
        vectors[row] = values[encoding.ids].sum(axis=0)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    np.divide(vectors, lengths, out=vectors, where=lengths > 0)
    return vectors
