"""How sure an edge is: the confidences of its pieces of evidence, combined within a paper and over papers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class BeliefModel:
    """Noisy-or over papers with a share of error that repetition cannot remove, as INDRA's scorer has it.

    A paper that says a thing several times says it with the same words and is read by the same extractor: its weaker pieces
    of evidence count with weight `repeat`. `systematic` is the probability that an extractor errs in the same way in every
    paper. `curve` calibrates confidences: points (confidence, observed share right), both in [0, 1], interpolated linearly.
    """

    repeat: float = 0.25
    systematic: float = 0.01
    curve: tuple[tuple[float, float], ...] = ((0.0, 0.0), (1.0, 1.0))

    def calibrate(self, confidence: Floats) -> Floats:
        """Confidences in [0, 1] put through the curve."""
        points = np.asarray(self.curve)
        return np.asarray(np.interp(confidence, points[:, 0], points[:, 1]))

    def combine(self, confidence: Floats, edge: Integers, paper: NDArray[np.int64] | NDArray[np.int32]) -> Floats:
        """Belief of every edge.

        Args: confidences of all evidence, shape (n,); index of its edge and of its paper, shape (n,), sorted by edge, then paper;
        edges are numbered 0..m-1 without a gap. Returns shape (m,), rounded to six digits.
        """
        if not len(edge):
            return np.zeros(0)
        doubt = np.log(np.maximum(1.0 - self.calibrate(confidence), 1e-9))
        first = np.flatnonzero(np.r_[True, (edge[1:] != edge[:-1]) | (paper[1:] != paper[:-1])])
        strongest = np.minimum.reduceat(doubt, first)
        per_paper = strongest + self.repeat * (np.add.reduceat(doubt, first) - strongest)
        edges = np.flatnonzero(np.r_[True, edge[first][1:] != edge[first][:-1]])
        total = np.add.reduceat(per_paper, edges)
        # One piece of evidence keeps its calibrated confidence; only agreement of papers is capped by systematic error.
        alone = np.minimum.reduceat(per_paper, edges)
        error = np.exp(total)
        capped = np.minimum(np.exp(alone), np.maximum(error, self.systematic))
        return np.asarray(np.round(1.0 - capped, 6))
