"""The learned extractor: what comes out stands in the text, whatever the text is, and is the same each time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from kgbuild.extraction.decode import cluster, strings
from kgbuild.extraction.features import MAX_WIDTH, encode, fold, pair_geometry
from kgbuild.extraction.learned import LearnedExtractor
from kgbuild.extraction.lists import certain, listed, sorted_out
from kgbuild.extraction.onnx import load as load_model
from kgbuild.extraction.records import parse_record
from kgbuild.records import Paper

BERT = Paper(
    "bert",
    "BERT: pre-training of deep bidirectional Transformers",
    "We introduce BERT, a language representation model. It is fine-tuned for question answering and natural language inference. "
    "BERT obtains a GLUE score of 80.5% and a F1 of 93.2 on SQuAD v1.1.",
)
ODD = {
    "empty": ("", ""),
    "blank": (" ", " \n "),
    "emoji": ("🙂 Emoji 🙂", "We propose 🙂Net 🚀 for sentiment analysis 👍 on SST-2. It reaches 91.2% accuracy 🎉."),
    "chinese": ("基于变换器的翻译", "我们提出了一种新的机器翻译方法。在 WMT 2014 上达到 28.4 BLEU。"),
    "latex": (r"\it $\beta$-VAE", r"We train the $\beta$-VAE \cite{x} on CelebA; it improves \textbf{FID} by $12.3\%$."),
    "capitals": ("RESNET FOR IMAGE CLASSIFICATION", "WE EVALUATE RESNET ON IMAGENET AND REACH 76.1% ACCURACY."),
    "growing": ("İstanbul ß ﬁne", "İİİ We use BERT for ﬁne-grained classiﬁcation in İstanbul."),
    "one word": ("BERT" * 2000, "x"),
    "control": ("a\x00b\u200bBERT", "\ufeffWe use\tBERT\r\n\r\nfor parsing."),
}


@pytest.fixture(scope="module")
def model() -> LearnedExtractor:
    """The shipped model, loaded once."""
    return load_model()


def test_finds_what_a_reader_finds(model: LearnedExtractor) -> None:
    """The plainest abstract gives its method as proposed, its dataset, and its figures with their metric."""
    extraction = next(model.extract([BERT]))
    names = {BERT.text[s:e]: entity for entity in extraction.entities for s, e in entity.mentions}

    assert names["BERT"].type == "Method"
    assert names["question answering"].type == "Task"
    assert names["SQuAD v1.1"].type == "Dataset"
    assert names["BERT"].eid in extraction.proposes
    assert "93.2" in {r.value for r in extraction.results}


def test_lists_of_figures_and_of_data_sets_go_together_in_order(model: LearnedExtractor) -> None:
    """The first of three numbers belongs to the first of three data sets, also where a second list of numbers stands between."""
    text = (
        "We evaluate ResNet. It obtains 91.2%, 73.4%, and 88.0% accuracy with gains of 2.9%, 4.3% and 0.7% "
        "over VGG on CIFAR-10, CIFAR-100 and SVHN, respectively."
    )
    extraction = next(model.extract([Paper("lists", "Deep residual learning", text)]))
    names = {entity.eid: entity.name for entity in extraction.entities}
    found = {(result.value, names.get(result.dataset or "")) for result in extraction.results}

    assert found >= {("91.2", "CIFAR-10"), ("73.4", "CIFAR-100"), ("88.0", "SVHN")}
    assert found >= {("2.9", "CIFAR-10"), ("4.3", "CIFAR-100"), ("0.7", "SVHN")}


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("It reaches 91.2% and 73.4% on A and B.", ["91.2 A, 73.4 B"]),
        ("It reaches 91.2/73.4 on A, B.", ["91.2 A, 73.4 B"]),
        ("It reaches 91.2 ± 0.3 and 73.4 ± 0.2 on A and B.", ["91.2 A, 73.4 B"]),
        ("It gains 10-20% and 30-40% on A and B.", ["10-20 A, 30-40 B"]),
        ("It reaches 91.2% and 73.4% on A and B, and 60.1% and 50.2% on C and D.", ["91.2 A, 73.4 B", "60.1 C, 50.2 D"]),
        ("It reaches 91.2% on A and 73.4% on B.", []),
        ("It reaches 91.2% and 73.4%. We used A and B.", []),
        ("It reaches 91.2%, 73.4% and 60% on A and B.", []),
        ("It reaches 91.2% and 73.4% on A and A.", []),
    ],
)
def test_only_equally_long_lists_of_one_sentence_match(model: LearnedExtractor, sentence: str, expected: list[str]) -> None:
    """Lists match where both have as many members, all different, nothing else stands between the members, and no other is nearer."""
    encoded, _ = encode(sentence, model.tokenizer)
    words = {start: word for word, start in enumerate(encoded.word_start.tolist())}
    mentions = [(words[at], words[at], "ABCD".index(name)) for at, name in enumerate(sentence) if name in "ABCD"]
    found = [
        ", ".join(f"{encoded.numbers[n].value} {'ABCD'[e]}" for n, e in zip(*pairs, strict=True)) for pairs in listed(encoded, mentions)
    ]

    assert found == expected


def test_a_list_says_whose_a_figure_is_and_not_that_it_is_one() -> None:
    """The certainty that a number is a result of some metric of the list stays what it was; data sets of the list are certain."""
    scores = np.array([[0.1, 0.3, 0.2], [0.5, 0.1, 0.0]], dtype=np.float32)
    metrics, datasets = sorted_out(scores, [([0, 1], [0, 1])]), certain(scores, [([0, 1], [0, 1])])

    assert np.allclose(metrics, [[0.3, 0, 0.2], [0, 0.5, 0]])
    assert np.allclose(datasets, [[0.94, 0, 0], [0, 0.94, 0]])
    assert scores[0, 0] == np.float32(0.1)


@pytest.mark.parametrize("name", ODD)
def test_odd_texts_give_valid_records(model: LearnedExtractor, name: str) -> None:
    """No text makes it fail, and every span, type and role passes the checks of a record from outside."""
    paper = Paper(name, *ODD[name])
    extraction = next(model.extract([paper]))

    assert parse_record(extraction.to_json(paper.text), paper).entities == extraction.entities


def test_long_texts_are_windowed_without_loss(model: LearnedExtractor) -> None:
    """A text of 50,000 characters is read to its end: the name in its last sentence is found, and in the middle too."""
    filler = "The weather was mild and people walked along the river for most of the day. " * 330
    abstract = f"{filler}We evaluate BERT on SQuAD. {filler}We train ResNet on ImageNet for image classification."
    paper = Paper("long", "A long text", abstract)
    assert len(paper.text) > 50_000
    extraction = next(model.extract([paper]))
    found = {paper.text[s:e] for entity in extraction.entities for s, e in entity.mentions}

    assert {"SQuAD", "ImageNet"} <= found
    assert parse_record(extraction.to_json(paper.text), paper)


def test_same_text_same_bytes_whatever_stands_beside_it(model: LearnedExtractor) -> None:
    """A paper's extraction does not depend on the papers read before, with or after it, nor on the run."""
    papers = [Paper(name, *ODD[name]) for name in ODD]
    together = [e.to_json("") for e in model.extract([*papers, BERT]) if e.id == "bert"]

    assert together == [e.to_json("") for e in load_model().extract([BERT])]


def test_given_entities_come_back_unchanged(model: LearnedExtractor) -> None:
    """`relate` keeps the entities that it was given, with their eids, and speaks of no others."""
    entities = next(model.extract([BERT])).entities
    extraction = model.relate(BERT, entities)
    known = {entity.eid for entity in entities}

    assert extraction.entities == tuple(entities)
    assert {eid for r in extraction.relations for eid in (r.head, r.tail)} <= known


def test_onnx_says_what_torch_says(model: LearnedExtractor) -> None:
    """The shipped int8 graphs agree with the torch network that they were made from (scripts/extractor/reference.py wrote its answers)."""
    rows = json.loads((Path(__file__).parent / "reference.json").read_text(encoding="utf-8"))
    assert len(rows) == 3
    for row in rows:
        _, probabilities = model.network.encode(encode(row["text"], model.tokenizer)[0])
        assert len(row["spans"]) >= 3
        errors = [abs(float(probabilities[w, x, i]) - p) for w, x, values in row["spans"] for i, p in enumerate(values)]
        assert float(np.mean(errors)) < 0.03
        assert max(errors) < 0.35


def test_strings_take_every_occurrence_and_never_overlap() -> None:
    """A name that is sure in one place is found in the others; a surer longer name keeps its words to itself."""
    model = load_model()
    encoded = encode("graph neural network\nA neural network differs. The graph neural network wins.", model.tokenizer)[0]
    probabilities = np.zeros((encoded.words, MAX_WIDTH, 5), dtype=np.float32)
    probabilities[..., 0] = 1
    probabilities[0, 2] = [0.1, 0.9, 0, 0, 0]  # graph neural network, in the title
    probabilities[9, 2] = [0.3, 0.7, 0, 0, 0]
    probabilities[4, 1] = [0.4, 0.6, 0, 0, 0]  # neural network
    found = strings(probabilities, encoded, 0.3)

    assert [(s.key, s.occurrences) for s in found] == [("graph neural network", [(0, 2), (9, 11)]), ("neural network", [(4, 5)])]


def test_clusters_need_the_mean_of_their_links() -> None:
    """Two strings that one sure link joins stay apart from a third that only one of them resembles, and types never mix."""
    same = np.array([[1, 0.9, 0.8], [0.9, 1, 0.0], [0.8, 0.0, 1]], dtype=np.float32)

    assert cluster(same, [0, 0, 0]) == [0, 0, 1]
    assert cluster(same, [0, 1, 0]) == [0, 1, 0]
    assert cluster(np.zeros((0, 0), dtype=np.float32), []) == []


def test_pair_geometry_takes_the_closest_mentions() -> None:
    """Of several mentions the closest two decide distance and the words between."""
    first, last = np.array([0, 10, 4]), np.array([1, 10, 5])
    _, between = pair_geometry(first, last, np.array([0, 0, 1]), np.zeros(12, dtype=np.int64), 2)

    assert between[0, 1].tolist() == [2, 4]
    assert between[1, 0].tolist() == [2, 4]


@pytest.mark.parametrize(("left", "right"), [("Large-Language Models", "large language model"), ("LLMs", "LLM"), ("F1-score", "f1 score")])
def test_fold_hides_spelling(left: str, right: str) -> None:
    """Case, hyphens and a plural s do not make another name."""
    assert fold(left) == fold(right)
