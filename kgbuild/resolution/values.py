"""What resolution decides: nodes, merges with their reasons, proposals for a person, and a person's decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Node:
    """A resolved thing: `id` is `type:slug`, `name` the canonical name, `properties` what only its type has (`better` of a metric)."""

    id: str
    type: str
    name: str
    aliases: tuple[str, ...] = ()
    same_as: tuple[str, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Merge:
    """Two names of one type, joined or kept apart.

    `left` and `right` are names as shown to people, `score` is the probability in [0, 1] that they mean the same thing,
    `reasons` say why in words, and `joined` tells what was done.
    """

    type: str
    left: str
    right: str
    score: float
    reasons: tuple[str, ...]
    joined: bool = True


@dataclass(frozen=True, slots=True)
class Proposal:
    """A doubtful merge for a person to decide; `gain` is the number of mentions that would move to another node."""

    type: str
    left: str
    right: str
    score: float
    gain: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's word: `action` is same, different, rename or type; `name` is the other name, the new name or the new type."""

    action: str
    type: str
    subject: str
    name: str


@dataclass(frozen=True)
class Resolution:
    """Which node every entity of every paper became, and why.

    `links` gives the node ids of each paper's entities by eid, by paper id; entities that name nothing in particular have none.
    `broader` holds (narrower node id, broader node id) pairs of the vocabulary between nodes that are present.
    """

    links: Mapping[str, Mapping[str, str]]
    nodes: Mapping[str, Node]
    merges: tuple[Merge, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    broader: tuple[tuple[str, str], ...] = ()

    def node(self, paper_id: str, eid: str) -> Node | None:
        """The node that the entity became; None where it was left out as generic or is unknown."""
        id_ = self.links.get(paper_id, {}).get(eid)
        return None if id_ is None else self.nodes[id_]
