"""What stands in a model's `meta.json`: the order of its outputs, its thresholds and its calibration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from kgbuild.schema import Schema


@dataclass(frozen=True)
class Decisions:
    """Thresholds in [0, 1] and calibration; both come from held-out gold and stand in the model's `meta.json`.

    calibration: part -> (slope, offset) of the logit, so that a confidence is a probability of being right.
    """

    mention: float = 0.5
    same: float = 0.5
    relation: float = 0.4
    proposes: float = 0.5
    addresses: float = 0.5
    result: float = 0.4
    role: float = 0.4
    calibration: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def confidence(self, part: str, probability: float) -> float:
        """The calibrated probability, rounded to four places so that it prints and stores the same everywhere."""
        slope, offset = self.calibration.get(part, (1.0, 0.0))
        p = min(max(probability, 1e-4), 1 - 1e-4)
        return round(float(1 / (1 + np.exp(-(slope * np.log(p / (1 - p)) + offset)))), 4)


@dataclass(frozen=True)
class Labels:
    """The order of the network's outputs, and which relations fit a pair of type ids."""

    types: tuple[str, ...]
    relations: tuple[str, ...]
    roles: tuple[str, ...]
    kinds: tuple[str, ...]

    def allowed(self, schema: Schema) -> np.ndarray:
        """Bool (types + 1, types + 1, 1 + relations); class 0, no relation, always fits."""
        size = len(self.types) + 1
        out = np.zeros((size, size, 1 + len(self.relations)), dtype=bool)
        out[..., 0] = True
        for i, head in enumerate(self.types):
            for j, tail in enumerate(self.types):
                out[i, j, 1:] = [schema.allows(head, name, tail) for name in self.relations]
        return out
