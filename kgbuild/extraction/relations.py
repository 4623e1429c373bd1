"""Relations, contributions and addressed tasks among given entities, by the table of rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kgbuild.extraction.signatures import Rules, View, answers, of_pair, of_proposal, of_task
from kgbuild.records import Entity, Relation
from kgbuild.schema import load_schema

# What is less probable is not said; the best of a few on train.jsonl with tables made without it.
LEAST_RELATION, LEAST_PROPOSED, LEAST_ADDRESSED = 0.18, 0.5, 0.25
MOST_ADDRESSED = 3  # the guidelines' one to three tasks


def proposals(view: View, rules: Rules) -> dict[str, float]:
    """eid -> confidence of what the paper introduces."""
    targets = {target for _, target in load_schema().relation("PROPOSES").patterns}
    found = {}
    for entity in view.entities:
        if entity.type in targets and entity.mentions:
            for _, share in answers(rules, "proposes", of_proposal(view, entity)):
                if share >= LEAST_PROPOSED:
                    found[entity.eid] = share
    return found


def addressed(view: View, rules: Rules) -> dict[str, float]:
    """eid -> confidence of the tasks that the paper is about, at most three, the surest first."""
    targets = {target for _, target in load_schema().relation("ADDRESSES").patterns}
    shares = {}
    for entity in view.entities:
        if entity.type in targets and entity.mentions:
            share = max((share for _, share in answers(rules, "addresses", of_task(view, entity))), default=0.0)
            shares[entity.eid] = round(share * entity.confidence, 4)
    ranked = sorted(shares, key=lambda eid: (-shares[eid], view.rank[eid]))
    chosen = [eid for eid in ranked if shares[eid] >= LEAST_ADDRESSED][:MOST_ADDRESSED]
    return {eid: shares[eid] for eid in chosen}


def roles(proposed: Mapping[str, float], tasks: Mapping[str, float]) -> dict[str, str]:
    """The parts that entities play in the paper, as rules of pairs name them."""
    return dict.fromkeys(tasks, "a") | dict.fromkeys(proposed, "p")


def relations(view: View, rules: Rules, parts: Mapping[str, str]) -> list[Relation]:
    """The most probable relation of each ordered pair that the ontology allows; a symmetric one once, as its surer direction."""
    schema = load_schema()
    patterns = {pattern for relation in schema.group("concept") for pattern in relation.patterns}
    found: dict[tuple[str, str], tuple[float, str, str, str]] = {}
    for head, tail in _pairs(view, parts):
        if (head.type, tail.type) not in patterns:
            continue
        both = head.confidence * tail.confidence
        for label, share in answers(rules, "relation", of_pair(view, head, tail, parts)):
            if share * both >= LEAST_RELATION and schema.allows(head.type, label, tail.type):
                pair = (min(head.eid, tail.eid), max(head.eid, tail.eid))
                found[pair] = max(found.get(pair, (0.0, "", "", "")), (round(share * both, 4), label, head.eid, tail.eid))
    order = {entity.eid: number for number, entity in enumerate(view.entities)}
    kept = sorted(found.values(), key=lambda row: (order[row[2]], order[row[3]]))
    return [Relation(head, label, tail, share) for share, label, head, tail in kept]


def _pairs(view: View, parts: Mapping[str, str]) -> Iterator[tuple[Entity, Entity]]:
    """Ordered pairs that share a sentence, or of which one plays a part in the paper: no rule speaks of others."""
    known = {entity.eid: entity for entity in view.entities if entity.mentions}
    central = [eid for eid, entity in known.items() if eid in parts or view.in_title(entity)]
    near: dict[str, set[str]] = {eid: set(known) if eid in central else set(central) for eid in known}
    for row in view.by_sentence.values():
        for _, entity in row:
            near[entity.eid].update(other.eid for _, other in row)
    for eid, head in known.items():
        yield from ((head, tail) for other, tail in known.items() if other != eid and other in near[eid])
