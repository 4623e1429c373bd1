"""Relations, contributions and addressed tasks among given entities, by the table of rules."""

from __future__ import annotations

from collections.abc import Mapping

from kgbuild.extraction.signatures import Rules, View, answers, of_pair, of_proposal, of_task
from kgbuild.records import Relation
from kgbuild.schema import load_schema

# Rules below these shares say nothing; the best of a few on train.jsonl with tables made without it.
LEAST_RELATION, LEAST_PROPOSED, LEAST_ADDRESSED = 0.3, 0.4, 0.35
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
            shares[entity.eid] = max((share for _, share in answers(rules, "addresses", of_task(view, entity))), default=0.0)
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
    known = [entity for entity in view.entities if entity.mentions]
    for head in known:
        for tail in known:
            if head.eid == tail.eid or (head.type, tail.type) not in patterns:
                continue
            for label, share in answers(rules, "relation", of_pair(view, head, tail, parts)):
                if share >= LEAST_RELATION and schema.allows(head.type, label, tail.type):
                    pair = (min(head.eid, tail.eid), max(head.eid, tail.eid))
                    found[pair] = max(found.get(pair, (0.0, "", "", "")), (share, label, head.eid, tail.eid))
    order = {entity.eid: number for number, entity in enumerate(view.entities)}
    kept = sorted(found.values(), key=lambda row: (order[row[2]], order[row[3]]))
    return [Relation(head, label, tail, share) for share, label, head, tail in kept]
