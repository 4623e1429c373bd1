"""Draw the pictures of docs/ from the graph of the examples; run it after anything that changes what is extracted.

    python scripts/docs_pictures.py
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import kgbuild
from kgbuild import plot

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    with TemporaryDirectory() as folder:
        kgbuild.build([str(ROOT / "examples" / "papers.jsonl")], Path(folder) / "papers.kg")
        with kgbuild.open(Path(folder) / "papers.kg") as papers:
            graph = papers.graph()
        plot.save(plot.neighbourhood(graph, "BERT"), ROOT / "docs" / "images" / "neighbourhood.png", dpi=100)
        plot.save(plot.matrix(graph), ROOT / "docs" / "images" / "matrix.png", dpi=100)


if __name__ == "__main__":
    main()
