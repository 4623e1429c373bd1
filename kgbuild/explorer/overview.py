"""What the overview of the page says: names of communities, what occurs together, and the task-by-dataset matrix."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgbuild.explorer.communities import Floats, Ints
from kgbuild.schema import Schema

SMALLEST = 5  # nodes that make a community worth a name
MOST_COMMUNITIES = 24
PAIRS = 40
PER_PAPER = 30  # concepts of one paper that are paired, the most frequent ones first
ROWS, COLUMNS = 12, 16


def community_names(
    community: Ints, papers: Ints, concept: NDArray[np.bool_], source: Ints, target: Ints, names: list[str]
) -> list[dict[str, Any]]:
    """Number, size and three telling members of each larger community.

    A member tells most when many edges of its community end at it and few of others (so that words that stand everywhere, such
    as `accuracy`, name none), and when more than one paper names it.
    """
    count = len(community)
    same = community[source] == community[target]
    inside = np.bincount(source[same], minlength=count) + np.bincount(target[same], minlength=count)
    degree = np.bincount(source, minlength=count) + np.bincount(target, minlength=count)
    telling: Floats = np.where(concept, inside * (inside / np.maximum(degree, 1)) * np.log2(1 + papers), -1.0)
    sizes = np.bincount(community)
    found = []
    for number in np.flatnonzero(sizes >= SMALLEST).tolist()[:MOST_COMMUNITIES]:
        members = np.flatnonzero((community == number) & concept & (papers > 0))
        best = members[np.lexsort([members, -telling[members]])][:3].tolist()
        if best:
            found.append({"number": number, "size": int(sizes[number]), "members": best, "name": " · ".join(names[node] for node in best)})
    return found


def co_occurrence(links: tuple[Ints, Ints], concept: NDArray[np.bool_]) -> list[list[int]]:
    """[node, node, papers] of the concepts that most papers name together; pairs of a single paper are left out."""
    paper, other = links
    kept = concept[other]
    paper, other = paper[kept], other[kept]
    papers = np.bincount(other, minlength=len(concept))
    order = np.lexsort([other, -papers[other], paper])
    paper, other = paper[order], other[order]
    groups = np.split(other, np.flatnonzero(np.diff(paper)) + 1)
    pairs: Counter[tuple[int, int]] = Counter()
    for group in groups:
        pairs.update(combinations(sorted(group[:PER_PAPER].tolist()), 2))
    best = sorted((item for item in pairs.items() if item[1] > 1), key=lambda item: (-item[1], item[0]))[:PAIRS]
    return [[left, right, number] for (left, right), number in best]


def matrix(schema: Schema, nodes: dict[str, range], links: tuple[Ints, Ints]) -> dict[str, Any]:
    """Tasks against datasets: `cells[row][column]` is the number of papers that name both; only rows and columns with a count."""
    tasks, datasets = (_of_role(schema, nodes, role) for role in ("task", "dataset"))
    paper, other = links
    by_node: dict[int, set[int]] = {}
    for one, node in zip(paper.tolist(), other.tolist(), strict=True):
        if node in tasks or node in datasets:
            by_node.setdefault(node, set()).add(one)
    columns = _frequent(by_node, datasets, COLUMNS)
    near: set[int] = set().union(*(by_node[column] for column in columns))
    rows = _frequent({node: found & near for node, found in by_node.items() if found & near}, tasks, ROWS)
    cells = [[len(by_node[row] & by_node[column]) for column in columns] for row in rows]
    used = [index for index in range(len(columns)) if any(line[index] for line in cells)]
    return {"rows": rows, "columns": [columns[index] for index in used], "cells": [[line[index] for index in used] for line in cells]}


def _of_role(schema: Schema, nodes: dict[str, range], role: str) -> range:
    relation = next(relation for relation in schema.relations.values() if relation.role == role)
    return nodes[relation.patterns[0][1]]


def _frequent(by_node: dict[int, set[int]], kind: range, most: int) -> list[int]:
    return sorted((node for node in by_node if node in kind), key=lambda node: (-len(by_node[node]), node))[:most]
