"""The review file, the explanations and the vocabulary behind them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from resolution.conftest import document

from kgbuild.cli.resolution import resolve as resolve_verb
from kgbuild.errors import InputError
from kgbuild.resolution import Decision, Proposal, explain, read_decisions, resolve, write_review
from kgbuild.resolution.abbreviations import abbreviates, definitions
from kgbuild.resolution.vocabulary import load_vocabulary
from kgbuild.schema import load_schema

DECIDED = [Decision("same", "Method", "A net", "B-Net"), Decision("rename", "Task", "colour, naming", "color: naming")]
OPEN = [Proposal("Method", "probe", "probing", 0.6, 4, ("same words in other forms",))]


@pytest.mark.parametrize("name", ["review.yaml", "review.csv"])
def test_review_file_round_trips(tmp_path: Path, name: str) -> None:
    """What was decided is read back as it was, open rows decide nothing, and filling one in makes it a decision."""
    path = tmp_path / name
    assert write_review(OPEN, path, decided=DECIDED) == 1
    assert read_decisions(path) == DECIDED
    text = path.read_text(encoding="utf-8")
    filled = text.replace("decision: ''", "decision: same").replace("\n,Method,probe", "\nsame,Method,probe")
    path.write_text(filled, encoding="utf-8")
    assert read_decisions(path) == [*DECIDED, Decision("same", "Method", "probe", "probing")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- {decision: merge, type: Method, a: x, b: y}", "unknown decision 'merge'"),
        ("- {decision: same, type: Method, a: x}", "needs type, a and b"),
        ("decision: same", "not a list"),
        ("- [1, 2", "is not YAML"),
        ("- 7", "row 1"),
    ],
)
def test_faulty_review_files_name_the_place(tmp_path: Path, text: str, message: str) -> None:
    """A mistake in the file is one line that says where."""
    path = tmp_path / "review.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message) as caught:
        read_decisions(path)
    assert "\n" not in str(caught.value)


def test_proposals_come_by_gain() -> None:
    """Doubtful merges are proposed, the one that moves most mentions first, and a decision takes them off the list."""
    documents = [document("1", ("Method", ["probe"])), document("2", ("Method", ["probing"]))]
    (proposal,) = resolve(documents).proposals
    assert {proposal.left, proposal.right} == {"probe", "probing"}
    for action in ("same", "different"):
        assert resolve(documents, decisions=[Decision(action, "Method", "probe", "probing")]).proposals == ()


def test_explanations() -> None:
    """explain tells one thing from two with the reason: the vocabulary, words, numbers, or the papers that use both names."""
    (same,) = [e for e in explain("LLMs", "large language model") if e.type == "Method"]
    assert same.same
    assert "vocabulary" in same.reasons[0]
    (apart,) = explain("CIFAR-10", "CIFAR-100", type="Dataset")
    assert not apart.same
    assert "different numbers" in apart.reasons[0]
    papers = [
        document("1", ("Method", ["gated widget network", "GWN"])),
        document("2", ("Method", ["GWN"]), text="GWN has a widget network."),
    ]
    (both,) = explain("GWN", "gated widget network", papers)
    assert both.same
    assert both.nodes[0] is not None
    assert any("1 paper uses both" in reason for reason in both.reasons)
    assert explain("qwertz", "asdfgh") == []


def test_every_recorded_merge_has_a_reason() -> None:
    """Each merge carries its score and why."""
    documents = [document("1", ("Task", ["detecting anomalies"]), ("Task", ["NLP"])), document("2", ("Task", ["anomaly detection"]))]
    merges = resolve(documents).merges
    assert len(merges) >= 2
    assert all(merge.reasons and 0 < merge.score <= 1 for merge in merges if merge.joined)


def test_resolve_verb_keeps_the_records(tmp_path: Path) -> None:
    """The verb gives every entity a node and leaves the rest of each record and their order as they were."""
    papers = [{"id": "b", "title": "LLMs", "abstract": "They talk."}, {"id": "a", "title": "Large language models", "abstract": ""}]
    records = [
        {"id": "b", "entities": [{"eid": "x", "type": "Method", "surfaces": ["LLMs"]}], "note": 1},
        {"id": "a", "entities": [{"eid": "y", "type": "Method", "surfaces": ["Large language models"]}]},
    ]
    for name, rows in (("papers.jsonl", papers), ("records.jsonl", records)):
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    resolve_verb(tmp_path / "records.jsonl", tmp_path / "papers.jsonl", tmp_path / "out.jsonl")
    out = [json.loads(line) for line in (tmp_path / "out.jsonl").open(encoding="utf-8")]
    assert [row["entities"][0].pop("node") for row in out] == ["method:large-language-model"] * 2
    assert out == records
    (tmp_path / "records.jsonl").write_text('{"id": "c", "entities": []}\n', encoding="utf-8")
    with pytest.raises(InputError, match="line 1"):
        resolve_verb(tmp_path / "records.jsonl", tmp_path / "papers.jsonl", tmp_path / "out.jsonl")


def test_vocabulary_is_sound(root: Path) -> None:
    """Identifiers are those of nodes, every broader concept exists and is of the same type without loops, and directions are known ones."""
    vocabulary = load_vocabulary()
    values = {"", *next(p.values for p in load_schema().nodes["Metric"].properties if p.name == "better")}
    for id_, concept in vocabulary.concepts.items():
        assert id_.startswith(f"{concept.type.lower()}:")
        assert concept.better in values
        assert all(vocabulary.concepts[parent].type == concept.type for parent in concept.broader)
    depth: dict[str, int] = {}

    def height(id_: str, above: tuple[str, ...] = ()) -> int:
        assert id_ not in above
        if id_ not in depth:
            depth[id_] = 1 + max((height(p, (*above, id_)) for p in vocabulary.concepts[id_].broader), default=0)
        return depth[id_]

    assert max(map(height, vocabulary.concepts)) < 20
    assert sum((root / "ontology" / name).stat().st_size for name in ("vocabulary.ttl", "vocabulary.tsv", "abbreviations.tsv")) < 4_000_000


def test_compact_vocabulary_belongs_to_the_turtle(root: Path) -> None:
    """vocabulary.tsv is what the script derives from vocabulary.ttl."""
    assert subprocess.run([sys.executable, str(root / "scripts" / "make_vocabulary.py"), "--check"]).returncode == 0


def test_vocabulary_loads_fast() -> None:
    """Reading the vocabulary takes well under 0.3 seconds of processor time, at its best of three: the machine may be busy."""

    def seconds() -> float:
        start = time.process_time()
        load_vocabulary.__wrapped__()
        return time.process_time() - start

    assert min(seconds() for _ in range(3)) < 0.3


def test_abbreviations() -> None:
    """Letters fit words in order, mostly first letters; definitions in brackets are found and others are not."""
    for short, long in [("CNN", "convolutional neural network"), ("mIoU", "mean intersection over union"), ("TTS", "text to speech")]:
        assert abbreviates(short, long)
    for short, long in [("LM", "large language model"), ("RL", "deep reinforcement learning"), ("CAE", "autoencoder")]:
        assert not abbreviates(short, long)
    text = "The active appearance model (AAM) and large language models (LLMs) appear (see Fig. 2) in the UK (EU)."
    assert definitions(text) == [("AAM", "active appearance model"), ("LLMs", "large language models")]
