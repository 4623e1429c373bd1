"""Take annotation records of public abstracts into this folder's annotations: the quotes of results become places in the text.

    python scripts/extractor/places.py ../shared records.jsonl more.jsonl | xz > scripts/extractor/annotations/2026-11.jsonl.xz

Records are as `../shared/annotation/GUIDELINES.md` has them; a record with a surface or quote that is not in its text is named and left out,
and so is one of a paper that no annotation may be made for (papers with gold, every seed paper).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
from corpora import abstracts, lines  # noqa: E402
from label import kept_back, key  # noqa: E402


def placed(record: dict[str, Any], text: str) -> dict[str, Any]:
    """The record with places for quotes. Raises ValueError where a surface or a quote is not in the text."""
    for surface in (s for e in record["entities"] for s in e["surfaces"]):
        if surface not in text:
            raise ValueError(f"{surface!r} is not in the text")
    results = []
    for result in record["results"]:
        start = text.find(result["quote"])
        if start < 0:
            raise ValueError(f"{result['quote']!r} is not in the text")
        place = {"place": [start, start + len(result["quote"])]}
        results.append({k: v for k, v in result.items() if k != "quote"} | place)
    return record | {"results": results}


def main() -> None:
    shared, files = Path(sys.argv[1]), [Path(f) for f in sys.argv[2:]]
    records = {row["id"]: row for f in files for row in lines(f)}
    papers = {row["id"]: row for row in abstracts(shared) if row["id"] in records}
    without = kept_back(shared)
    for id_, record in sorted(records.items()):
        try:
            paper = papers.get(id_)
            if paper is None or key(paper["title"]) in without:
                raise ValueError("no abstract that may be annotated")
            print(json.dumps(placed(record, f"{paper['title']}\n{paper['abstract']}"), ensure_ascii=False, separators=(",", ":")))
        except ValueError as error:
            print(f"{id_}: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
