"""What is one node, and what is not."""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from resolution.conftest import Document, document

from conftest import ROOT
from kgbuild.errors import KgbuildError
from kgbuild.resolution import Decision, Resolution, Resolver, resolve

PAIRS = list(csv.DictReader((Path(__file__).parent / "pairs.tsv").open(encoding="utf-8"), delimiter="\t"))


@pytest.mark.parametrize("pair", PAIRS, ids=[f"{row['a']}|{row['b']}" for row in PAIRS])
def test_pairs(pair: dict[str, str]) -> None:
    """Thirty pairs of names are one node and thirty look-alikes are two, each name in a paper of its own."""
    resolution = resolve([document("1", (pair["type"], [pair["a"]])), document("2", (pair["type"], [pair["b"]]))])
    assert (resolution.links["1"]["e0"] == resolution.links["2"]["e0"]) == (pair["same"] == "yes")


def test_pairs_are_sixty() -> None:
    """The list is as long as promised."""
    assert [sum(row["same"] == word for row in PAIRS) for word in ("yes", "no")] == [30, 30]


def test_gold_scores(shared: Path, unresolved: list[Document], tmp_path: Path) -> None:
    """On the gold clusters: B-cubed F1 0.96, pairwise F1 0.90 at precision 0.97, no look-alike merged, no fold of five far below."""
    links = resolve(unresolved).links
    rows = [{"id": p.id, "entities": [{"eid": e.eid, "node": links[p.id].get(e.eid)} for e in x.entities]} for p, x in unresolved]
    (tmp_path / "out.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    score = _score(shared, tmp_path / "out.jsonl")
    assert score["b3_f1"] >= 0.96
    assert score["pair_f1"] >= 0.90
    assert score["pair_precision"] >= 0.97
    assert score["look_alikes_merged"] == 0
    folds = []
    for fold in range(5):
        (tmp_path / "fold").write_text("\n".join(row["id"] for row in rows[fold::5]), encoding="utf-8")
        folds.append(_score(shared, tmp_path / "out.jsonl", "--only", str(tmp_path / "fold")))
    assert min(fold["b3_f1"] for fold in folds) >= 0.955
    assert min(fold["pair_f1"] for fold in folds) >= 0.90


def _score(shared: Path, out: Path, *more: str) -> dict[str, float]:
    annotation = shared / "annotation"
    command = [sys.executable, str(shared / "eval" / "score_resolution.py"), str(annotation / "resolution.dev.gold.jsonl"), str(out)]
    command += ["--different", str(annotation / "different.dev.jsonl"), "--json", *more]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_seeds_have_one_node_for_well_known_things(gold: list[Document]) -> None:
    """Names that everybody knows are one node each in the gold of the seeds, whatever they are called there."""
    resolution = resolve(gold)
    for id_, names in {
        "method:large-language-model": ["large language model", "LLM", "LLMs", "Large Language Models"],
        "method:vision-transformer": ["Vision Transformer", "ViT", "vision transformers"],
        "method:bert": ["BERT"],
        "method:contrastive-learning": ["contrastive learning", "Contrastive Learning"],
        "task:natural-language-processing": ["natural language processing", "NLP"],
        "dataset:imagenet": ["ImageNet"],
    }.items():
        wanted = {name.casefold() for name in names}
        nodes = [node for node in resolution.nodes.values() if node.type.lower() == id_.split(":")[0]]
        assert [node.id for node in nodes if wanted & {name.casefold() for name in (node.name, *node.aliases)}] == [id_]


def test_order_and_hash_seed_do_not_matter(unresolved: list[Document]) -> None:
    """The same papers in any order, and any PYTHONHASHSEED, give the same resolution to the last merge."""
    part = unresolved[:60]
    mixed = random.Random(1).sample(part, len(part))
    assert _bytes(resolve(part)) == _bytes(resolve(mixed))
    code = (
        "from resolution.conftest import document; from kgbuild.resolution import resolve;"
        "d=[document(str(i),('Method',[n]),('Task',['detecting '+n,'NLP'])) for i,n in enumerate(['GANs','CNNs','LLM','deep nets'])];"
        "r=resolve(d); print(r.links, r.nodes, r.merges, r.proposals)"
    )
    path = os.pathsep.join([str(ROOT / "tests"), str(ROOT)])
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path}, capture_output=True, check=True
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(outputs) == 1


def _bytes(resolution: Resolution) -> str:
    return repr(
        (sorted(resolution.links.items()), sorted(resolution.nodes.items()), resolution.merges, resolution.proposals, resolution.broader)
    )


def test_growing_equals_building_anew(unresolved: list[Document]) -> None:
    """Papers added to or removed from a resolver that has decided give what a fresh one gives."""
    grown = Resolver()
    for paper, extraction in unresolved[:60]:
        grown.add(paper, extraction)
    grown.resolve()
    grown.add(*unresolved[60])
    grown.resolve()
    grown.remove(unresolved[3][0].id)
    assert _bytes(grown.resolve()) == _bytes(resolve([d for i, d in enumerate(unresolved[:61]) if i != 3]))


def test_abbreviations_by_surroundings() -> None:
    """An abbreviation of two things is understood by the words around it, and stays alone where nothing speaks for one."""
    syntax = document("1", ("Method", ["AST"]), text="Syntax matters: AST nodes of the abstract tree are encoded.")
    audio = document("2", ("Method", ["AST"]), text="AST is an audio transformer over the spectrogram.")
    alone = document("3", ("Method", ["AST"]), text="AST is fast.")
    resolution = resolve([syntax, audio, alone])
    assert resolution.links["1"]["e0"] == "method:abstract-syntax-tree"
    assert resolution.links["2"]["e0"] == "method:audio-spectrogram-transformer"
    assert resolution.links["3"]["e0"] == "method:ast"


def test_abbreviations_by_other_papers() -> None:
    """What one paper spells out explains the abbreviation in another that names a word of it."""
    spelled = document("1", ("Method", ["gated widget network", "GWN"]))
    bare = document("2", ("Method", ["GWN"]), text="GWN connects every widget.")
    resolution = resolve([spelled, bare])
    assert resolution.links["1"]["e0"] == resolution.links["2"]["e0"]
    assert any("abbreviates" in merge.reasons[0] for merge in resolution.merges)


def test_a_slip_of_type_follows_the_others() -> None:
    """One paper of many that has a data set as a method does not make a second node; two that disagree stay two."""
    papers = [document(f"p{i}", ("Dataset", ["QuuxNet"])) for i in range(9)]
    slip, own = document("slip", ("Method", ["QuuxNet"])), document("own", ("Method", ["ZorgNet"]))
    resolution = resolve([*papers, slip, own, document("other", ("Dataset", ["ZorgNet"]))])

    assert resolution.links["slip"]["e0"] == resolution.links["p0"]["e0"]
    assert resolution.links["own"]["e0"] != resolution.links["other"]["e0"]
    (merge,) = [m for m in resolution.merges if m.left == m.right]
    assert merge.reasons == ("9 papers have 'quuxnet' as a Dataset, 1 as a Method",)

    kept = resolve([*papers, slip], decisions=[Decision("type", "Method", "QuuxNet", "Method")])
    assert kept.links["slip"]["e0"] == "method:quuxnet", "a person's decision overrules the count"


def test_generic_names_make_no_nodes() -> None:
    """`model` or `method` alone is nothing; a generic metric counts where a result hangs on it."""
    assert resolve([document("1", ("Method", ["model"]), ("Dataset", ["datasets"]))]).nodes == {}


def test_unnamed_data_sets_stay_with_their_paper() -> None:
    """A data set without a name is another one in every paper."""
    resolution = resolve([document("1", ("Dataset", ["synthetic data"])), document("2", ("Dataset", ["synthetic data"]))])
    assert resolution.links["1"]["e0"] != resolution.links["2"]["e0"]


def test_decisions_are_obeyed_and_undone() -> None:
    """same, different, rename and type change what they name, and without them everything is as before."""
    documents = [
        document("1", ("Method", ["Foo network"]), ("Method", ["LLM"])),
        document("2", ("Method", ["BarNet"]), ("Method", ["large language models"])),
        document("3", ("Method", ["learning widgets"])),
        document("4", ("Method", ["widget learning"])),
    ]
    before = resolve(documents)
    assert before.links["3"]["e0"] == before.links["4"]["e0"]
    decisions = [
        Decision("same", "Method", "Foo network", "BarNet"),
        Decision("different", "Method", "learning widgets", "widget learning"),
        Decision("rename", "Method", "LLM", "giant language model"),
        Decision("type", "Method", "widget learning", "Task"),
    ]
    after = resolve(documents, decisions=decisions)
    assert after.links["1"]["e0"] == after.links["2"]["e0"]
    assert after.links["3"]["e0"] != after.links["4"]["e0"]
    assert after.links["1"]["e1"] == after.links["2"]["e1"] == "method:giant-language-model"
    assert after.links["4"]["e0"] == "task:widget-learning"
    assert _bytes(resolve(documents, decisions=decisions[::-1])) == _bytes(after)
    assert _bytes(resolve(documents, decisions=[])) == _bytes(before)


def test_contradicting_decisions_are_refused() -> None:
    """A pair cannot be the same and different, and unknown words are named."""
    both = [Decision("same", "Method", "A1", "B2"), Decision("different", "Method", "B2", "A1")]
    with pytest.raises(KgbuildError, match="both same and different"):
        resolve([], decisions=both)
    with pytest.raises(KgbuildError, match="unknown"):
        resolve([], decisions=[Decision("merge", "Method", "A", "B")])
    with pytest.raises(KgbuildError, match="unknown"):
        resolve([], decisions=[Decision("same", "Gadget", "A", "B")])
