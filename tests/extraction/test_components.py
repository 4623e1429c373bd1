from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import spacy
from spacy import displacy
from spacy.language import Language
from spacy.tokens import Doc

from kgbuild.extraction import load_extractor
from kgbuild.extraction.components import pipeline
from kgbuild.records import Paper
from kgbuild.text import sentences

PAPER = Paper(
    "1810.04805",
    "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding",
    "We introduce BERT, a language representation model. BERT is evaluated on SQuAD v1.1 for question answering and reaches 93.2 F1.",
)


@pytest.fixture(scope="module")
def nlp() -> Language:
    """All components, with the rules."""
    return pipeline("rules")


def test_same_as_the_extractor(nlp: Language) -> None:
    """The pipeline says what the extractor says, for one document and for many."""
    (expected,) = load_extractor("rules").extract([PAPER])
    assert replace(nlp(PAPER.text)._.kgbuild, id=PAPER.id) == expected
    other = "Graph Attention Networks\nWe present graph attention networks."
    docs = list(nlp.pipe([PAPER.text, other, ""] * 20, batch_size=7))
    assert [replace(doc._.kgbuild, id=PAPER.id) for doc in docs[::3]] == [expected] * 20


def test_found_by_name() -> None:
    """The components are found by spaCy without an import of ours, stage by stage: each adds its own part."""
    nlp = spacy.blank("en")
    nlp.add_pipe("kgbuild_entities", config={"extractor": "rules"})
    first = nlp(PAPER.text)._.kgbuild
    assert first.entities
    assert not first.relations
    nlp.add_pipe("kgbuild_relations", config={"extractor": "rules"})
    second = nlp(PAPER.text)._.kgbuild
    assert second.relations
    assert not second.results
    nlp.add_pipe("kgbuild_results", config={"extractor": "rules"})
    assert nlp(PAPER.text)._.kgbuild.results


def test_sentences_and_spans(nlp: Language) -> None:
    """Sentences are ours, entities and spans stand where the mentions are, and displaCy shows them."""
    doc = nlp(PAPER.text)
    assert [sentence.start_char for sentence in doc.sents] == [start for start, _ in sentences(PAPER.text)]
    mentions = {(start, end): entity.type for entity in doc._.kgbuild.entities for start, end in entity.mentions}
    assert {(span.start_char, span.end_char): span.label_ for span in doc.spans["kgbuild"]} == mentions
    assert {ent.text for ent in doc.ents} >= {"BERT", "question answering"}
    assert "question answering" in displacy.render(doc, style="ent", jupyter=False)
    assert "kgbuild" in doc.spans
    assert displacy.render(doc, style="span", options={"spans_key": "kgbuild"}, jupyter=False)


def test_own_entities_in_between(nlp: Language) -> None:
    """Where another component corrects the entities, relations and results are made for the corrected ones."""
    corrected = spacy.blank("en")
    corrected.add_pipe("kgbuild_entities", config={"extractor": "rules"})

    @Language.component("keep_two_entities")
    def keep_two(doc: Doc) -> Doc:
        doc._.kgbuild = replace(doc._.kgbuild, entities=doc._.kgbuild.entities[:2])
        return doc

    corrected.add_pipe("keep_two_entities")
    corrected.add_pipe("kgbuild_relations", config={"extractor": "rules"})
    found = corrected(PAPER.text)._.kgbuild
    assert len(found.entities) == 2
    assert found.relations == load_extractor("rules").relate(PAPER, found.entities).relations


def test_saved_and_sent(nlp: Language, tmp_path: Path) -> None:
    """Documents keep what was extracted when they are saved, and a saved pipeline says the same when it is loaded."""
    doc = nlp(PAPER.text)
    again = Doc(nlp.vocab).from_bytes(doc.to_bytes())
    assert again._.kgbuild == doc._.kgbuild
    nlp.to_disk(tmp_path)
    assert spacy.load(tmp_path)(PAPER.text)._.kgbuild == doc._.kgbuild
