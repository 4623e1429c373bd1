"""Where each node stands on the map: a force-directed layout whose repulsion is solved on a grid by Fourier transform.

Edges pull their ends together, nodes push each other away with a force of 1 / distance. The push of all nodes on all others is one
convolution of their density with that kernel (the particle-mesh method of n-body simulation), so a step costs a few passes over
the nodes and edges whatever the crowding. Communities are laid out first, by the same forces, and each starts as a disc in its
place, which leaves only the fine work for the single nodes.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from kgbuild.explorer.communities import Floats, Ints

STEPS = 160
ACROSS = 0.8  # how much weaker edges between communities pull: islands that touch read better than one ball
HOME = 0.45  # pull of each node towards the middle of its community
GRAVITY = 0.8  # pull of each node towards the middle: against the push it settles at about one node per unit of area
GOLDEN = np.pi * (3 - np.sqrt(5))


def layout(count: int, source: Ints, target: Ints, weight: Floats, community: Ints) -> Floats:
    """Positions, shape (count, 2), centred on 0 with most nodes inside [-1, 1]; the same input gives the same positions.

    source, target: node numbers, shape (edges,); weight: strength of each edge; community: shape (count,), see `communities`.
    """
    if count == 0:
        return np.zeros((0, 2))
    degree = (np.bincount(source, weight, count) + np.bincount(target, weight, count)).astype(np.float64)
    mass = 1 + np.log1p(degree)
    pull = weight / np.sqrt(np.minimum(degree[source], degree[target]))
    pull = np.where(community[source] == community[target], pull, pull * ACROSS)
    place = _settled(_islands(community, degree, source, target, weight), mass, source, target, pull, community)
    place = _spread(place, 0.3 + 0.35 * np.log1p(degree) / np.log1p(max(1.0, float(degree.max()))))
    place -= np.median(place, axis=0)
    reach = np.quantile(np.abs(place).max(axis=1), 0.98)
    return np.asarray(place / max(float(reach), 1e-9), dtype=np.float64)


def _settled(place: Floats, mass: Floats, source: Ints, target: Ints, pull: Floats, community: Ints) -> Floats:
    """Follow the forces from `place` with steps that grow shorter; nodes end about one unit apart."""
    scale = np.sqrt(mass.sum())
    for step in range(STEPS):
        heat = 0.03 * scale * (1 - step / STEPS) ** 2 + 0.02
        force = _repulsion(place, mass) - _attraction(place, source, target, pull, len(place))
        force -= place * (GRAVITY * mass)[:, None] + (place - _centres(place, community)) * (HOME * mass)[:, None]
        length = np.maximum(np.linalg.norm(force, axis=1), 1e-12)
        place = place + force * (np.minimum(length, heat) / length)[:, None]
    return place


def _islands(community: Ints, degree: Floats, source: Ints, target: Ints, weight: Floats) -> Floats:
    """Communities as discs, related ones side by side; inside each, the best connected node in the middle."""
    sizes = np.bincount(community)
    number = np.arange(len(sizes))
    left, right = community[source], community[target]
    across = left != right
    left, right = left[across], right[across]
    pull = weight[across] / np.sqrt(np.minimum(sizes[left], sizes[right]))
    start = _sunflower((np.cumsum(sizes) - sizes / 2) * 1.0, number)
    centres = _spread(_settled(start, sizes.astype(np.float64), left, right, pull, number), np.sqrt(sizes / np.pi))
    order = np.lexsort([np.arange(len(degree)), -degree, community])
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.asarray(centres[community] + _sunflower(((rank + 0.5) / np.pi).astype(np.float64), rank))


def _centres(place: Floats, community: Ints) -> Floats:
    size = np.maximum(np.bincount(community), 1)
    middle = np.stack([np.bincount(community, place[:, axis]) / size for axis in (0, 1)], axis=1)
    return np.asarray(middle[community])


def _sunflower(area: Floats, turn: NDArray[np.int64]) -> Floats:
    radius, angle = np.sqrt(area), turn * GOLDEN
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _repulsion(place: Floats, mass: Floats) -> Floats:
    cells = 64 if len(place) < 1_000 else 128 if len(place) < 20_000 else 256
    low = place.min(axis=0)
    side = max(float((place.max(axis=0) - low).max()), 1e-6) / (cells - 2)
    grid = (place - low) / side
    corner = grid.astype(np.int64)
    part = grid - corner
    shares = [
        ((corner[:, 0] + dx) * cells + corner[:, 1] + dy, np.abs(1 - dx - part[:, 0]) * np.abs(1 - dy - part[:, 1]))
        for dx in (0, 1)
        for dy in (0, 1)
    ]
    density = sum(np.bincount(cell, mass * share, cells * cells) for cell, share in shares)
    spectrum = np.fft.rfft2(np.asarray(density).reshape(cells, cells), s=(2 * cells, 2 * cells))
    force = np.empty_like(place)
    for axis, kernel in enumerate(_kernels(cells)):
        field = np.fft.irfft2(spectrum * kernel, s=(2 * cells, 2 * cells))[:cells, :cells].ravel()
        force[:, axis] = sum(field[cell] * share for cell, share in shares)
    return force * mass[:, None] / side


@cache
def _kernels(cells: int) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """Spectra of the push in both directions; half a cell of softening stands in for what the grid cannot resolve."""
    steps = np.fft.fftfreq(2 * cells, 1 / (2 * cells))
    distance = steps[:, None] ** 2 + steps[None, :] ** 2 + 0.5
    return np.fft.rfft2(steps[:, None] / distance), np.fft.rfft2(steps[None, :] / distance)


def _attraction(place: Floats, source: Ints, target: Ints, pull: Floats, count: int) -> Floats:
    gap = (place[source] - place[target]) * pull[:, None]
    return np.stack([np.bincount(source, gap[:, axis], count) - np.bincount(target, gap[:, axis], count) for axis in (0, 1)], axis=1)


def _spread(place: Floats, radius: Floats, rounds: int = 30) -> Floats:
    """Push overlapping nodes apart: neighbours are those in the same or the next cell of a grid, found by sorting."""
    place = place.copy()
    side = 2 * float(radius.max())
    for _ in range(rounds):
        first, second = _neighbours(place, side)
        gap = place[first] - place[second]
        distance = np.linalg.norm(gap, axis=1)
        overlap = radius[first] + radius[second] - distance
        near = overlap > 0
        if not near.any():
            break
        first, second, gap, distance, overlap = first[near], second[near], gap[near], distance[near], overlap[near]
        angle = (first * GOLDEN)[:, None] + np.array([0, np.pi / 2])  # nodes at the same spot leave in their own directions
        direction = np.where((distance > 1e-9)[:, None], gap / np.maximum(distance, 1e-9)[:, None], np.sin(angle))
        push = direction * (0.4 * np.minimum(overlap, side) / 2)[:, None]
        for axis in (0, 1):
            place[:, axis] += np.bincount(first, push[:, axis], len(place)) - np.bincount(second, push[:, axis], len(place))
    return place


def _neighbours(place: Floats, side: float, most: int = 12) -> tuple[Ints, Ints]:
    cell = np.floor(place / side).astype(np.int64)
    cell -= cell.min(axis=0)
    width = int(cell[:, 1].max()) + 2
    key = cell[:, 0] * width + cell[:, 1]
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    firsts, seconds = [], []
    for offset in (0, 1, width - 1, width, width + 1):
        start = np.searchsorted(ordered, ordered + offset)
        end = np.searchsorted(ordered, ordered + offset, side="right")
        if offset == 0:
            start = np.arange(1, len(order) + 1)
        for step in range(most):
            inside = start + step < end
            firsts.append(order[inside])
            seconds.append(order[(start + step)[inside]])
    return np.concatenate(firsts), np.concatenate(seconds)
