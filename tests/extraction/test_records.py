from __future__ import annotations

import copy
import importlib.util
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgbuild.errors import RecordError
from kgbuild.extraction import parse_record
from kgbuild.extraction.records import match_surfaces
from kgbuild.records import Paper

PAPER = Paper(
    "1706.03762",
    "Attention Is All You Need",
    "We propose the Transformer. On WMT 2014 English-German translation it reaches 28.4 BLEU, above ConvS2S. Transformers use attention.",
)
RECORD: dict[str, Any] = {
    "id": "1706.03762",
    "entities": [
        {"eid": "e1", "type": "Method", "name": "Transformer", "surfaces": ["Transformer", "Transformers"]},
        {"eid": "e2", "type": "Dataset", "name": "WMT 2014 English-German", "surfaces": ["WMT 2014 English-German"]},
        {"eid": "e3", "type": "Metric", "name": "BLEU", "surfaces": ["BLEU"]},
        {"eid": "e4", "type": "Task", "name": "translation", "surfaces": ["translation"]},
        {"eid": "e5", "type": "Method", "name": "ConvS2S", "surfaces": ["ConvS2S"]},
    ],
    "relations": [["e1", "USED_FOR", "e4"], ["e1", "COMPARED_WITH", "e5"]],
    "proposes": ["e1"],
    "addresses": ["e4"],
    "results": [
        {
            "method": "e1", "dataset": "e2", "task": "e4", "metric": "e3", "value": "28.4", "unit": None, "kind": "absolute",
            "baseline": None, "quote": "it reaches 28.4 BLEU",
        }
    ],
}  # fmt: skip


def changed(path: str, value: Any) -> dict[str, Any]:
    """The record with one place changed, such as `entities.0.type`."""
    record = copy.deepcopy(RECORD)
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place: Any = record
    for step in steps:
        place = place[step]
    place[last] = value
    return record


def test_mentions_come_from_surfaces() -> None:
    """Surfaces become mentions at whole words, and a result gets the offsets of its number."""
    extraction = parse_record(RECORD, PAPER)
    first = extraction.entities[0]
    assert [PAPER.text[start:end] for start, end in first.mentions] == ["Transformer", "Transformers"]
    result = extraction.results[0]
    assert PAPER.text[result.start : result.end] == "28.4"
    assert extraction.proposes == {"e1": 1.0}


def test_round_trip() -> None:
    """What is written is read back as the same extraction, confidences included."""
    row = changed("entities.0.confidence", 0.75)
    row["relation_confidences"] = [0.5, 0.25]
    row["proposes_confidences"] = [0.125]
    extraction = parse_record(row, PAPER)
    assert parse_record(json.loads(json.dumps(extraction.to_json(PAPER.text))), PAPER) == extraction
    assert [r.confidence for r in extraction.relations] == [0.5, 0.25]


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("id", "other", "has the id 'other'"),
        ("entities", {}, "entities is not a list"),
        ("entities.0", "Transformer", "is not a JSON object"),
        ("entities.1.eid", "e1", "stands twice"),
        ("entities.0.type", "Model", "unknown type 'Model'"),
        ("entities.0.type", "Paper", "unknown type 'Paper'"),
        ("entities.0.name", " ", "no name"),
        ("entities.0.surfaces", [], "neither surfaces nor mentions"),
        ("entities.0.surfaces", ["BERT"], "not in the text"),
        ("entities.0.surfaces", ["transformer"], "not in the text"),
        ("entities.0.surfaces", ["Trans"], "only inside a word"),
        ("entities.0.surfaces", [3], "has the surface 3"),
        ("entities.0.surfaces", ["BLEU"], "stands in two entities"),
        ("entities.0.mentions", [[0, 9999]], "outside the text"),
        ("entities.0.mentions", [[-3, 4]], "outside the text"),
        ("entities.0.mentions", [[0.0, 9]], "outside the text"),
        ("entities.0.mentions", [[0, 4]], "cuts a word"),
        ("entities.0.mentions", [[0, 9]], "but its mentions are ['Attention']"),
        ("entities.0.confidence", 1.5, "not a number from 0 to 1"),
        ("entities.0.confidence", float("nan"), "not a number from 0 to 1"),
        ("entities.0.confidence", True, "not a number from 0 to 1"),
        ("relations.0", ["e1", "USED_FOR"], "is not [head, label, tail]"),
        ("relations.0", ["e1", "USED_FOR", "e9"], "unknown eid"),
        ("relations.0", ["e1", "USED_FOR", "e1"], "to itself"),
        ("relations.0", ["e4", "USED_FOR", "e1"], "not allowed from Task to Method"),
        ("relations.0", ["e1", "LIKES", "e4"], "not allowed"),
        ("relations.0", ["e1", "RESULT_METHOD", "e5"], "not allowed"),
        ("relation_confidences", [0.5], "has 1 values for 2 relations"),
        ("proposes", ["e9"], "unknown eid 'e9'"),
        ("proposes", [["e1"]], "unknown eid"),
        ("addresses", ["e1"], "names e1, a Method"),
        ("results.0.metric", None, "has no metric"),
        ("results.0.metric", "e1", "not an entity of type Metric"),
        ("results.0.baseline", "e4", "not an entity of type Method"),
        ("results.0.kind", "best", "kind 'best' is none of absolute"),
        ("results.0.value", "many", "not a string with digits"),
        ("results.0.value", 28.4, "not a string with digits"),
        ("results.0.unit", 3, "unit 3"),
        ("results.0.quote", "it reaches 29 BLEU", "not in the text"),
        ("results.0.start", 5, "outside the text"),
    ],
)
def test_faults_are_named(path: str, value: Any, says: str) -> None:
    """Every fault is one line that names the paper and what is wrong."""
    with pytest.raises(RecordError) as caught:
        parse_record(changed(path, value), PAPER)
    assert says in str(caught.value)
    assert "'1706.03762'" in str(caught.value)
    assert "\n" not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["eid", "type", "name", "mentions", "surfaces"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(
    st.sampled_from(
        [*RECORD, "entities.0", "entities.0.mentions", "entities.0.eid", "results.0", "results.0.method", "results.0.start", "relations.1"]
    ),
    JSON,
)
def test_only_record_errors(path: str, value: Any) -> None:
    """Whatever stands in a record, it is read or refused as a RecordError: nothing else is raised."""
    with suppress(RecordError):
        parse_record(changed(path, value), PAPER)


def test_nested_entity_keeps_a_place() -> None:
    """An entity whose every occurrence is part of a longer name keeps those, so that its edges have evidence."""
    row = changed("entities.3.surfaces", ["English"])
    row["entities"][3]["name"] = "English"
    extraction = parse_record(row, PAPER)
    (start, end) = extraction.entities[3].mentions[0]
    assert PAPER.text[start:end] == "English"


def load_script(path: Path) -> Any:
    """A script of the real data as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_gold_records_parse_with_the_scorers_mentions(shared: Path) -> None:
    """All gold records pass the checks, and their mentions are those that the shared scorer finds."""
    scorer = load_script(shared / "eval" / "score.py")
    papers = scorer.read(shared / "annotation" / "papers.jsonl")
    for file in ("dev.jsonl", "dev_other.jsonl"):
        for id_, row in scorer.read(shared / "annotation" / file).items():
            paper = Paper(id_, papers[id_]["title"], papers[id_]["abstract"])
            found = {(start, end, entity.type) for entity in parse_record(row, paper).entities for start, end in entity.mentions}
            expected = scorer.mentions(row, paper.text)
            assert expected <= found
            # what the scorer leaves out lies inside something longer
            assert all(any(left <= start and end <= right for left, right, _ in expected) for start, end, _ in found - expected)


def test_longest_surface_wins() -> None:
    """Of overlapping surfaces the longest counts, then the earliest, as in the guidelines."""
    assert match_surfaces({"a": ["b c"], "b": ["a b"], "c": ["b"]}, "a b c b") == {"a": (), "b": ((0, 3),), "c": ((6, 7),)}
