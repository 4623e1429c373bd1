"""A person's decisions as rules over names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kgbuild.errors import KgbuildError
from kgbuild.resolution.ledger import Name
from kgbuild.resolution.normalise import key
from kgbuild.resolution.values import Decision
from kgbuild.resolution.vocabulary import Vocabulary
from kgbuild.schema import load_schema

ACTIONS = ("same", "different", "rename", "type")


@dataclass(frozen=True, slots=True)
class Rules:
    """Pairs to unite, pairs to keep apart, new canonical names, and new types by name."""

    same: tuple[tuple[Name, Name], ...]
    different: tuple[tuple[Name, Name], ...]
    rename: Mapping[Name, str]
    retype: Mapping[Name, str]

    @property
    def retyped(self) -> frozenset[Name]:
        """The names that have their type from a person, with that type."""
        return frozenset((type_, key) for (_, key), type_ in self.retype.items())


def rules(decisions: Sequence[Decision], vocabulary: Vocabulary) -> Rules:
    """The decisions in an order of their own, so that the order of the file does not matter; of two that clash the later wins.

    Raises KgbuildError for an unknown action or type and for pairs that are both the same and different.
    """
    concepts = load_schema().concepts
    found: dict[str, dict[tuple[Name, str], str]] = {action: {} for action in ACTIONS}
    for decision in decisions:
        if decision.action not in ACTIONS:
            raise KgbuildError(f"decision {decision.action!r} about {decision.subject!r} is unknown", f"known: {', '.join(ACTIONS)}")
        for type_ in (decision.type, decision.name) if decision.action == "type" else (decision.type,):
            if type_ not in concepts:
                raise KgbuildError(f"type {type_!r} in the decision about {decision.subject!r} is unknown", f"known: {', '.join(concepts)}")
        subject = _name(decision.type, decision.subject, vocabulary)
        if decision.action in ("rename", "type"):
            found[decision.action][subject, ""] = decision.name
        else:
            other = _name(decision.type, decision.name, vocabulary)
            first, second = sorted((subject, other))
            found[decision.action][first, second[1]] = decision.name
    clash = sorted(found["same"].keys() & found["different"].keys())
    if clash:
        raise KgbuildError(f"decisions say both same and different of {clash[0][0][1]!r} and {clash[0][1]!r}", "keep one of the two")
    retype = {name: type_ for (name, _), type_ in found["type"].items()}
    pairs = {action: tuple(((a[0], a[1]), (a[0], b)) for a, b in sorted(found[action])) for action in ("same", "different")}
    return Rules(pairs["same"], pairs["different"], {name: new for (name, _), new in found["rename"].items()}, retype)


def _name(type_: str, shown: str, vocabulary: Vocabulary) -> Name:
    own = key(type_, shown)
    concept = vocabulary.find(type_, own)
    return type_, concept.keys[0] if concept else own
