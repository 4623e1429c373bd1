from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgbuild.text import sentences

PIECES = st.sampled_from(
    [
        "We",
        "the",
        " ",
        "\n",
        ".",
        "e.g.",
        "0.5",
        "Fig.",
        "3",
        "et al.",
        "?",
        "!",
        "...",
        ")",
        "(",
        '"',
        "。",
        "😀",
        "模型",
        "$x$",
        "\\it",
        "http://a.b/c.",
        "\t",
        "U.S.",
        "A",
    ]
)


def parts(text: str) -> list[str]:
    """The sentences as strings."""
    return [text[start:end] for start, end in sentences(text)]


@given(st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=60).map("".join)))
def test_spans_partition_the_text(text: str) -> None:
    """Spans are sorted, disjoint, trimmed, and cover every character that is not white space, whatever the text."""
    end = 0
    for left, right in sentences(text):
        assert end <= left < right <= len(text)
        assert not text[end:left].strip()
        assert text[left:right] == text[left:right].strip()
        end = right
    assert not text[end:].strip()


@pytest.mark.parametrize(
    "sentence",
    [
        "We use parsers, e.g. BERT, i.e. Transformers, as in Vaswani et al. (2017).",
        "See Fig. 3 and Sec. 2 for ResNet vs. VGG.",
        "Accuracy rises from 0.5 to 77.33% on v2.0 data.",
        "Code is at https://github.com/tensorflow/tensor2tensor.git under MIT.",
        "Work by J. Smith in the U.S. Senate speeches is used.",
        "It scores 28.4 BLEU (Eq. (2)) w.r.t. the ensemble.",
        "Systems such as Yahoo! answer questions.",
    ],
)
def test_no_break_inside(sentence: str) -> None:
    """Abbreviations, initials, decimals and addresses do not end a sentence, and what follows them starts a new one."""
    assert parts(f"A title\n{sentence} We go on.") == ["A title", sentence, "We go on."]


def test_breaks() -> None:
    """The title ends at the first line break; question marks, brackets, missing spaces, lists and Chinese full stops end sentences."""
    text = "What is X? A study of Y\nIt works (well.) mBERT helps.The rest fails! 1. First we train. 2. Then we test. 我们提出。它好"
    assert parts(text) == [
        "What is X?",
        "A study of Y",
        "It works (well.)",
        "mBERT helps.",
        "The rest fails!",
        "1. First we train.",
        "2. Then we test.",
        "我们提出。",
        "它好",
    ]


def test_line_breaks_inside_the_abstract() -> None:
    """Wrapped lines belong to one sentence, a blank line starts another."""
    assert parts("T\nWe wrap\nlines here\n\nnew part") == ["T", "We wrap\nlines here", "new part"]


def test_real_abstracts(shared: Path) -> None:
    """Thousands of real abstracts a second, with a sane number of sentences each."""
    rows = [json.loads(line) for line in (shared / "annotation" / "papers.jsonl").open(encoding="utf-8")]
    texts = [f"{row['title']}\n{row['abstract']}" for row in rows]
    start = time.process_time()
    counts = [len(sentences(text)) for text in texts]
    # a quarter of what one free core does, so that a busy machine does not fail
    assert len(texts) / (time.process_time() - start) > 1000
    assert 7 < sum(counts) / len(counts) < 10
