"""How far our annotators agree with the gold: they wrote records of some gold papers, which were mixed unseen into their work.

    python scripts/extractor/agreement.py ../shared      # writes annotations/agreement.json, which the model card quotes

Those records lie in `annotations/check.jsonl.xz`; they are in no training set.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
from corpora import annotated, lines, read_papers  # noqa: E402

from kgbuild.evaluation import score  # noqa: E402


def main() -> None:
    folder, notes = Path(__file__).parent / "annotations", Path(sys.argv[1]) / "annotation"
    ours = {row["id"]: row for row in annotated("check.jsonl.xz")}
    gold = {row["id"]: row for name in ("train", "extra") for row in lines(notes / f"{name}.jsonl") if row["id"] in ours}
    papers = read_papers(notes / "papers.jsonl")
    total, _ = score(gold, ours, {id_: f"{papers[id_]['title']}\n{papers[id_]['abstract']}" for id_ in gold})
    f1 = {name: round(value, 1) for name, value in total.f1().items()}
    (folder / "agreement.json").write_text(json.dumps({"records": len(gold), "f1": f1}, indent=1) + "\n", encoding="utf-8")
    print(f"{len(gold)} records: " + ", ".join(f"{name} {value}" for name, value in f1.items()))


if __name__ == "__main__":
    main()
