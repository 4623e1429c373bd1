"""Render the model card from the run's own files, so that it cannot disagree with the model.

    python scripts/extractor/card.py runs/small kgbuild/extraction/weights
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from string import Template

CARD = Template("""# $name

Reads the title and abstract of a paper and gives its methods, tasks, datasets and metrics, the relations between them, what the paper
proposes and addresses, and the results that it reports. Rendered by `scripts/extractor/card.py` from the training run; not written by hand.

- **Encoder**: all-MiniLM-L6-v2 (6 layers, 384 wide, 22 M parameters; Apache-2.0), one pass over title and abstract, an added embedding of word shapes.
- **Heads**: spans of up to $max_width words; mentions and numbers that look at the words and at one another; a learned choice of which names are one
  entity; pairs of entities (relations, roles in results) with the words between them and the words that both attend to.
- **Shipped as** int8 ONNX, $size MB with the tokenizer; needs onnxruntime and tokenizers, no torch, no GPU, no network.

## Data
| corpus | used for | licence as its source states it |
|---|---|---|
$corpora

$teacher

The weights were trained with `--licences $licences`. GPL-3.0 (SciER) speaks of code and says little about weights; SciERC, GSAP and CSNER state no
licence at all. Whoever must avoid both trains the variant without them: `LICENCES=free scripts/extractor/reproduce.sh`.
No CC BY-NC corpus (SciNLP) and no dev or test paper of any benchmark is in the weights.

## How the gold was made
$gold own records ($held of them held out to tune thresholds and calibration) were written by language-model annotators under written guidelines and re-read once each.
On 80 other papers two independent passes agree at mention F1 94.0, entity 93.7, relation 81.2, proposes 91.5, addresses 83.4, value 95.9 and
result 93.2: no figure below can be read as closer to the truth than that.
$annotated further abstracts of the public collection were annotated for training by language-model annotators under the same guidelines, in one pass each:
a first round of 2,100 (2020 and later; the first 420 pruned by a second reader), and a second of the rest (2012 and later), each part of which was written
beside some 45 gold records nearest to its papers in words. Into every hundred papers of the second round eight with gold were mixed unseen. On these
$hidden records the annotators agree with the gold at F1 of $agreement.
The annotations train and judge nothing: every score below is on the gold.

## Scores (dev; 95 % bootstrap intervals over papers)
$scores

*seed papers*: 60 papers of the kind the product was built for; *others*: 41 papers of machine learning, language and vision. *given*: with the gold
entities handed over. Scores are the float network's; `kgbuild eval` prints those of the shipped graphs, within two points (see docs/extraction.md). Thresholds were chosen on held-out training papers, never on these.
Expected calibration error: $calibration.

## Limits
English abstracts of machine learning and its neighbours. A mention is at most $max_width words. Figures written as words are found only for half, double, twice, triple.
A result's method or dataset that stands in another sentence is often missed. Relations are the weakest part: read an edge's evidence.
""")

CORPORA = {
    "own gold and annotations": ("all heads", "labels made for this project; abstracts of their authors"),
    "SciER": ("start of all heads but results", "GPL-3.0"),
    "SciERC": ("a span head of its own", "none stated"),
    "SciREX abstracts": ("a span head of its own", "Apache-2.0"),
    "GSAP": ("a span head of its own", "none stated"),
    "TDMSci": ("a span head of its own", "Apache-2.0"),
    "CSNER": ("a span head of its own", "none stated"),
}
FREE = ("own gold and annotations", "SciREX abstracts", "TDMSci")
TEACHER = """After a first round on the gold the network learnt, together with it, the averaged probabilities of two teachers on {labelled:,} abstracts without
annotation, and then gold and annotations, the last time with the errors that int8 makes. The teachers are itself after the first round and all-mpnet-base-v2 (12 layers,
768 wide, 110 M parameters; Apache-2.0) trained on the same gold. No seed paper and no paper with gold is among the abstracts."""
MEASURES = ("mention", "entity", "relation", "proposes", "addresses", "value", "result")
TITLES = {"dev": "seed papers", "dev_other": "others", "together": "together", "together given": "together, given"}


def scores_table(scores: dict[str, dict[str, dict[str, object]]]) -> str:
    rows = ["| papers | " + " | ".join(MEASURES) + " |", "|---" * (len(MEASURES) + 1) + "|"]
    for key, title in TITLES.items():
        f1, bounds = scores[key]["f1"], scores[key]["intervals"]
        cells = [f"{f1[m]:.1f} ({bounds[m][0]:.0f}-{bounds[m][1]:.0f})" for m in MEASURES]  # type: ignore[index]
        rows.append(f"| {title} ({scores[key]['papers']}) | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def main() -> None:
    run, folder = Path(sys.argv[1]), Path(sys.argv[2])
    scores = json.loads((run / "scores.json").read_text())
    meta = json.loads((folder / "meta.json").read_text())
    settings = meta["settings"]
    names = CORPORA if settings["licences"] == "all" else FREE
    counts = json.loads((run / "counts.json").read_text())
    agreement = json.loads((Path(__file__).parent / "annotations" / "agreement.json").read_text())
    card = CARD.substitute(
        name=meta["name"],
        max_width=meta["max_width"],
        size=f"{sum(p.stat().st_size for p in folder.iterdir()) / 1e6:.0f}",
        corpora="\n".join(f"| {n} | {CORPORA[n][0]} | {CORPORA[n][1]} |" for n in names),
        teacher=TEACHER.format(**counts) if settings["labels"] else "No teacher: trained on annotated text alone.",
        licences=settings["licences"],
        gold=counts["gold"],
        held=counts["held out"],
        annotated=counts["annotated"],
        hidden=agreement["records"],
        agreement=", ".join(f"{name} {f1:.1f}" for name, f1 in agreement["f1"].items()),
        scores=scores_table(scores),
        calibration=", ".join(f"{k} {v}" for k, v in scores["calibration_error"].items()),
    )
    (folder / "MODEL_CARD.md").write_text(card, encoding="utf-8")


if __name__ == "__main__":
    main()
