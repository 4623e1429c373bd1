from __future__ import annotations

import contextlib
import copy
import importlib.util
import io
import json
import random
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kgbuild.cli import main
from kgbuild.errorpage import page
from kgbuild.errors import InputError, RecordError
from kgbuild.evaluation import MEASURES, fold, intervals, read_records, score, score_paper
from kgbuild.extraction import load_extractor
from kgbuild.records import Paper

TEXT = "ResNet for image classification\nWe train ResNet on ImageNet. ResNets reach 77.3% top-1 accuracy, above VGG."
GOLD: dict[str, Any] = {
    "id": "a",
    "entities": [
        {"eid": "e1", "type": "Method", "name": "ResNet", "surfaces": ["ResNet", "ResNets"]},
        {"eid": "e2", "type": "Task", "name": "image classification", "surfaces": ["image classification"]},
        {"eid": "e3", "type": "Dataset", "name": "ImageNet", "surfaces": ["ImageNet"]},
        {"eid": "e4", "type": "Metric", "name": "top-1 accuracy", "surfaces": ["top-1 accuracy"]},
        {"eid": "e5", "type": "Method", "name": "VGG", "surfaces": ["VGG"]},
    ],
    "relations": [["e1", "USED_FOR", "e2"], ["e1", "TRAINED_ON", "e3"], ["e1", "COMPARED_WITH", "e5"]],
    "proposes": ["e1"],
    "addresses": ["e2"],
    "results": [
        {"method": "e1", "dataset": "e3", "task": None, "metric": "e4", "value": "77.3", "kind": "absolute", "quote": "reach 77.3%"}
    ],
}


@pytest.fixture(scope="session")
def scorer(shared: Path) -> Any:
    """The shared scorer as a module."""
    spec = importlib.util.spec_from_file_location("shared_score", shared / "eval" / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def real(shared: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Dev gold records and their papers."""
    rows = [json.loads(line) for line in (shared / "annotation" / "papers.jsonl").open(encoding="utf-8")]
    papers = {row["id"]: row for row in rows}
    gold = {}
    for name in ("dev.jsonl", "dev_other.jsonl"):
        gold |= {row["id"]: row for row in map(json.loads, (shared / "annotation" / name).open(encoding="utf-8"))}
    return gold, papers


def texts_of(papers: dict[str, Any]) -> dict[str, str]:
    """Text by paper id."""
    return {id_: f"{row['title']}\n{row['abstract']}" for id_, row in papers.items()}


def agree(scorer: Any, gold: dict[str, Any], predicted: dict[str, Any], papers: dict[str, Any]) -> None:
    """Both scorers count the same items, in each table."""
    counts, types, labels, _ = scorer.score(gold, predicted, papers)
    scores, _ = score(gold, predicted, texts_of(papers))
    for theirs, ours in ((counts, scores.measures), (types, scores.types), (labels, scores.labels)):
        assert {name: tuple(row) for name, row in theirs.items()} == {n: (c.right, c.predicted, c.gold) for n, c in ours.items()}
    for name, count in scores.measures.items():
        assert (count.precision, count.recall, count.f1) == scorer.prf(counts[name])


def perturbed(record: dict[str, Any], text: str, dice: random.Random) -> dict[str, Any]:
    """A record as a poor extractor would give it: things lost, renamed, retyped, turned round, doubled, and mentions moved."""
    row = copy.deepcopy(record)
    for entity in row["entities"]:
        if dice.random() < 0.2:
            entity["type"] = dice.choice(["Method", "Task", "Dataset", "Metric"])
        if dice.random() < 0.4:
            at = dice.randrange(len(text) - 8)
            entity["mentions"] = [[at, at + dice.randrange(1, 8)] for _ in range(dice.randrange(3))]
            places = [text.find(surface) for surface in entity["surfaces"]]
            entity["mentions"] += [[p, p + len(s)] for p, s in zip(places, entity["surfaces"], strict=True) if dice.random() < 0.7]
        elif dice.random() < 0.3:
            entity["surfaces"] = [*entity["surfaces"][:1], "no such surface", dice.choice(text.split())]
    row["relations"] = [
        dice.choice([[h, label, t], [t, label, h], [h, "USED_FOR", t]]) for h, label, t in row["relations"] if dice.random() < 0.8
    ]
    row["relations"] += row["relations"][:1]
    eids = [entity["eid"] for entity in row["entities"]]
    row["proposes"] = dice.sample(eids, min(2, len(eids)))
    for result in row["results"]:
        result["value"] = dice.choice([result["value"], f"+{result['value']}%", f"{result['value']}0", "1,000", "~5", "6-20"])
        result["dataset"] = dice.choice([result["dataset"], None, *eids[:1]])
    row["results"] += row["results"][:1]
    if dice.random() < 0.1:
        del row["results"], row["addresses"]
    return row


def test_agrees_with_the_shared_scorer(scorer: Any, shared: Path) -> None:
    """On real predictions, on gold itself and on many broken versions of it, every count is that of the shared scorer."""
    gold, papers = real(shared)
    agree(scorer, gold, gold, papers)
    agree(scorer, gold, {}, papers)
    texts = texts_of(papers)
    found = load_extractor("rules").extract(Paper(id_, papers[id_]["title"], papers[id_]["abstract"]) for id_ in gold)
    agree(scorer, gold, {x.id: json.loads(json.dumps(x.to_json(texts[x.id]))) for x in found}, papers)
    for seed in range(10):
        dice = random.Random(seed)
        some = dict(dice.sample(sorted(gold.items()), 15))
        agree(scorer, some, {id_: perturbed(row, texts[id_], dice) for id_, row in some.items() if dice.random() < 0.95}, papers)


def test_perfect_and_empty() -> None:
    """Gold against itself scores 100 everywhere, nothing against gold scores 0."""
    assert set(score({"a": GOLD}, {"a": GOLD}, {"a": TEXT})[0].f1().values()) == {100.0}
    assert set(score({"a": GOLD}, {}, {"a": TEXT})[0].f1().values()) == {0.0}


def test_what_counts() -> None:
    """A symmetric relation counts either way round, a directed one does not; a plural matches; a result needs its dataset."""
    predicted = copy.deepcopy(GOLD)
    predicted["entities"][0]["mentions"] = [[TEXT.index("ResNets"), TEXT.index("ResNets") + 7]]
    predicted["relations"] = [["e5", "COMPARED_WITH", "e1"], ["e2", "USED_FOR", "e1"]]
    predicted["results"][0]["dataset"] = None
    measures = score_paper("a", GOLD, predicted, TEXT).scores.measures
    assert (measures["relation"].right, measures["relation"].predicted) == (1, 2)
    assert measures["entity"].right == 5
    assert (measures["value"].right, measures["result"].right) == (1, 0)
    assert (measures["mention"].right, measures["mention"].predicted, measures["mention"].gold) == (5, 5, 7)
    assert fold("Pre-Trained Models,") == fold("pre trained model")


def test_records_that_cannot_be_scored(tmp_path: Path) -> None:
    """A line that is no record is named with file and line, a record without what is scored with its paper."""
    bad = tmp_path / "gold.jsonl"
    for line in ("{", "[]", '{"id": "a"}', '{"id": 3, "entities": [], "relations": []}'):
        bad.write_text(json.dumps(GOLD) + "\n" + line + "\n", encoding="utf-8")
        with pytest.raises(InputError, match=r"gold\.jsonl: line 2"):
            read_records([bad])
    with pytest.raises(RecordError, match="'a': cannot be scored"):
        score_paper("a", GOLD, {"entities": [{"eid": "e1"}], "relations": []}, TEXT)


def test_intervals(shared: Path) -> None:
    """Bootstrap intervals hold the score, are the same each time, and are narrower for more papers."""
    gold, papers = real(shared)
    dice = random.Random(0)
    texts = texts_of(papers)
    predicted = {id_: perturbed(row, texts[id_], dice) for id_, row in gold.items()}
    scores, scored = score(gold, predicted, texts)
    bounds = intervals(scored, 400)
    assert bounds == intervals(scored, 400)
    few = intervals(scored[:20], 400)
    for name in MEASURES:
        low, high = bounds[name]
        assert low <= scores.f1()[name] <= high
    assert sum(high - low for low, high in few.values()) > sum(high - low for low, high in bounds.values())


def test_error_page() -> None:
    """The page shows what was missed, invented and mistyped, escapes what papers say, and needs nothing from outside."""
    text = TEXT.replace("VGG", "<VGG>")
    predicted = copy.deepcopy(GOLD)
    predicted["entities"][1]["type"] = "Method"
    del predicted["entities"][4]
    predicted["relations"] = [["e1", "TRAINED_ON", "e3"], ["e3", "BENCHMARK_FOR", "e2"]]
    _, scored = score({"a": GOLD}, {"a": predicted}, {"a": text})
    html = page(scored, {"a": GOLD}, {"a": predicted}, {"a": text})
    assert "&lt;" in html
    assert "<VGG>" not in html
    assert 'class="missed"' in html
    assert 'class="type"' in html
    assert "class=bad>ResNet USED_FOR image classification" in html
    assert "class=bad>ImageNet BENCHMARK_FOR image classification" in html
    assert "<li>ResNet TRAINED_ON ImageNet" in html
    assert "http" not in html
    assert "src=" not in html


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command line."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as stop:
        main(list(arguments))
    return int(stop.value.code or 0), out.getvalue(), err.getvalue()


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Rows as JSONL."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A gold file with its papers beside it."""
    title, _, abstract = TEXT.partition("\n")
    write_jsonl(tmp_path / "gold.jsonl", [GOLD])
    write_jsonl(
        tmp_path / "papers.jsonl", [{"id": "b", "title": "Another", "abstract": ""}, {"id": "a", "title": title, "abstract": abstract}]
    )
    return tmp_path


def test_extract_writes_one_record_per_paper(folder: Path) -> None:
    """One checked record per paper in the order of the input, a twin included; several workers write the same bytes."""
    rows = read_lines(folder / "papers.jsonl")
    write_jsonl(folder / "papers.jsonl", [*rows, rows[0]])
    assert run("extract", str(folder / "papers.jsonl"), "-o", str(folder / "r.jsonl"), "--extractor", "rules")[0] == 0
    records = read_lines(folder / "r.jsonl")
    assert [record["id"] for record in records] == ["b", "a", "b"]
    for entity in records[1]["entities"]:
        assert entity["surfaces"] == sorted({TEXT[start:end] for start, end in entity["mentions"]})
    code, out, _ = run("extract", str(folder / "papers.jsonl"), "-o", "-", "--extractor", "rules", "--workers", "2")
    assert code == 0
    assert out == (folder / "r.jsonl").read_text(encoding="utf-8")


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Rows of a JSONL file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_extract_with_bad_inputs(folder: Path) -> None:
    """A bad record is one line with its position, the rest is written, and the exit code is 2; with --skip-bad it is 0.

    Where nothing can be read nothing is written.
    """
    papers = folder / "papers.jsonl"
    papers.write_text(papers.read_text(encoding="utf-8") + "{broken\n", encoding="utf-8")
    code, _, err = run("extract", str(papers), "-o", str(folder / "r.jsonl"), "--extractor", "rules")
    assert code == 2
    assert "line 3" in err
    assert len(read_lines(folder / "r.jsonl")) == 2
    assert run("extract", str(papers), "-o", str(folder / "r.jsonl"), "--extractor", "rules", "--skip-bad")[0] == 0
    assert run("extract", str(folder / "nowhere"), "-o", str(folder / "none.jsonl"))[0] == 2
    assert not (folder / "none.jsonl").exists()


def test_eval_prints_the_scorers_table(scorer: Any, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`eval` on real gold prints the same table as the shared scorer does for the records of `extract`, digit for digit."""
    gold = shared / "annotation" / "dev_other.jsonl"
    ids = {row["id"] for row in read_lines(gold)}
    chosen = write_jsonl(tmp_path / "papers.jsonl", [row for row in read_lines(shared / "annotation" / "papers.jsonl") if row["id"] in ids])
    assert run("extract", str(chosen), "-o", str(tmp_path / "r.jsonl"), "--extractor", "rules")[0] == 0
    for flags in ([], ["--json"]):
        out = io.StringIO()
        monkeypatch.setattr(sys, "argv", ["score.py", str(gold), str(tmp_path / "r.jsonl"), "--papers", str(chosen), *flags])
        with contextlib.redirect_stdout(out):
            scorer.main()
        ours = run("eval", str(gold), "--extractor", "rules", *flags)[1]
        assert sorted(ours.splitlines()) == sorted(out.getvalue().splitlines())
        assert run("eval", str(gold), "--records", str(tmp_path / "r.jsonl"), *flags)[1] == ours


def test_eval_with_gold_entities(folder: Path) -> None:
    """Given the gold mentions, mentions and entities are all right and the rest is the extractor's."""
    code, out, _ = run("eval", str(folder / "gold.jsonl"), "--gold-entities", "--extractor", "rules", "--json")
    assert code == 0
    f1 = json.loads(out)
    assert (f1["mention"], f1["entity"]) == (100.0, 100.0)
    assert f1["relation"] > 0
    assert list(f1) == list(MEASURES)


def test_eval_extras(folder: Path) -> None:
    """Intervals and the error page come when asked for; a paper or file that is missing is one line with what to do."""
    gold = str(folder / "gold.jsonl")
    assert "95 % interval" in run("eval", gold, "--extractor", "rules", "--bootstrap", "50")[1]
    assert json.loads(run("eval", gold, "--extractor", "rules", "--bootstrap", "50", "--json")[1])["intervals"].keys() == set(MEASURES)
    assert run("eval", gold, "--extractor", "rules", "--errors", str(folder / "e.html"))[0] == 0
    assert (folder / "e.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    code, _, err = run("eval", gold, "--papers", str(write_jsonl(folder / "other.jsonl", [{"id": "x", "title": "t", "abstract": ""}])))
    assert code == 2
    assert "no paper for the gold record 'a'" in err
    assert "--papers" in err
    assert run("eval", str(folder / "none.jsonl"))[0] == 2
    assert "known: model, rules" in run("eval", gold, "--extractor", "nope")[2]
