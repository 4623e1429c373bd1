"""The rule-based extractor: a lexicon and tables of measured rules. It needs no model and is the baseline for one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from kgbuild.extraction.entities import find_entities
from kgbuild.extraction.gazetteer import load_lexicon
from kgbuild.extraction.relations import addressed, proposals, relations, roles
from kgbuild.extraction.results import results
from kgbuild.extraction.signatures import View, load_rules
from kgbuild.records import Entity, Extraction, Paper

VERSION = "1"


class RuleExtractor:
    """Extracts by rules, some hundred abstracts a second; the same text always gives the same extraction."""

    name = f"rules {VERSION}"

    def extract(self, papers: Iterable[Paper]) -> Iterator[Extraction]:
        """One extraction for each paper, in order."""
        lexicon = load_lexicon()
        for paper in papers:
            yield self.relate(paper, find_entities(paper.text, lexicon))

    def relate(self, paper: Paper, entities: Sequence[Entity]) -> Extraction:
        """Relations, contributions, tasks and results among the given entities, which come back unchanged."""
        rules, view = load_rules(), View(paper.text, entities)
        proposed, tasks = proposals(view, rules), addressed(view, rules)
        found = relations(view, rules, roles(proposed, tasks))
        return Extraction(
            id=paper.id,
            entities=tuple(entities),
            relations=tuple(found),
            proposes=proposed,
            addresses=tasks,
            results=tuple(results(view, rules, proposed)),
            extractor=self.name,
        )


def load() -> RuleExtractor:
    """The extractor with its tables loaded, so that the first paper takes no longer than the others."""
    load_lexicon()
    load_rules()
    return RuleExtractor()
