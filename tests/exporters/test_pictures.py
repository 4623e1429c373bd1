"""Pictures and what notebooks show."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest
from matplotlib.figure import Figure
from small_graphs import NASTY

from kgbuild import notebook, plot
from kgbuild.errors import KgbuildError, MissingExtraError
from kgbuild.graph import Graph


def texts(figure: Figure) -> list[str]:
    """What stands written in the picture."""
    axes = figure.axes[0]
    labels = [*axes.get_xticklabels(), *axes.get_yticklabels(), axes.title]
    return [text.get_text() for text in (*axes.texts, *labels)] + [axes.get_title(loc="left"), axes.get_xlabel()]


def test_neighbourhood_names_what_the_graph_says(gold: Graph) -> None:
    """Every relation of ImageNet has its heading and at least one name, and headings tell how many are left out."""
    written = texts(plot.neighbourhood(gold, "imagenet", limit=12))
    assert "ImageNet" in written
    incoming = [row for _, row in gold.edge_rows("EVALUATED_ON") if row["target"] == "dataset:imagenet"]
    names = {row["id"]: row["name"] for _, row in gold.node_rows("Method")}
    (heading,) = [text for text in written if text.startswith("→ evaluated on")]
    shown = {names[row["source"]] for row in incoming} & set(written)
    assert shown
    assert heading.strip() == ("→ evaluated on" if len(shown) == len(incoming) else f"→ evaluated on  ({len(shown)} of {len(incoming)})")


def test_leaderboard_is_sorted(board: Graph) -> None:
    """The best figure stands first, and the picture says which direction is better."""
    figure = plot.leaderboard(board, "WMT 2014 English-German")
    assert [label.get_text().split()[0] for label in figure.axes[0].get_yticklabels()] == ["Transformer", "ConvS2S"]
    written = texts(figure)
    assert "BLEU on WMT 2014 English-German" in written
    assert any("higher is better" in text for text in written)
    assert any("lower is better" in text for text in texts(plot.leaderboard(board, "ilsvrc")))


def test_matrix_counts_papers(gold: Graph) -> None:
    """The numbers of the matrix are the papers that have an edge to both."""
    figure = plot.matrix(gold, size=6)
    axes = figure.axes[0]
    rows, columns = ([label.get_text() for label in labels] for labels in (axes.get_yticklabels(), axes.get_xticklabels()))
    spoken: dict[str, set[str]] = {}
    names = {row["id"]: row["name"][:30] for _, row in gold.node_rows("Task", "Dataset")}
    for _, row in gold.edge_rows("MENTIONS", "ADDRESSES", "PROPOSES"):
        spoken.setdefault(names.get(row["target"], ""), set()).add(row["source"])
    values = axes.images[0].get_array()
    assert values is not None
    for y, row_name in enumerate(rows):
        for x, column_name in enumerate(columns):
            assert values[y][x] == len(spoken[row_name[:30]] & spoken[column_name[:30]])
    assert values.max() > 0


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_same_picture_same_bytes(suffix: str, board: Graph, tmp_path: Path) -> None:
    """A picture drawn twice has the same bytes, without date and without random names."""
    for number in (1, 2):
        plot.save(plot.neighbourhood(board, "Transformer"), tmp_path / f"{number}{suffix}")
    assert (tmp_path / f"1{suffix}").read_bytes() == (tmp_path / f"2{suffix}").read_bytes()


def test_nasty_names_are_drawn(nasty: Graph, tmp_path: Path) -> None:
    """Formulas, markup and control characters are drawn as text."""
    for name in (NASTY[0], NASTY[3], NASTY[6], NASTY[-1]):
        plot.save(plot.neighbourhood(nasty, f"method:{name[:200]}"), tmp_path / "nasty.svg")


def test_what_cannot_be_drawn_is_said(board: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown names, boards without figures, other suffixes and a missing matplotlib are one line each."""
    with pytest.raises(KgbuildError, match="no node 'Transformers'"):
        plot.neighbourhood(board, "Transformers")
    with pytest.raises(KgbuildError, match=r"no figures on 'ImageNet' in 'BLEU'.*top-5 error"):
        plot.leaderboard(board, "ImageNet", metric="BLEU")
    with pytest.raises(KgbuildError, match="unknown type 'Author'"):
        plot.matrix(board, "Author", "Dataset")
    with pytest.raises(KgbuildError, match="not a kind of picture"):
        plot.save(plot.matrix(board), tmp_path / "matrix.gif")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"kgbuild\[plot\]"):
        plot.matrix(board)


def test_graph_shows_itself(nasty: Graph, gold: Graph) -> None:
    """A graph in a notebook tells its counts and leading names, and no name becomes markup."""
    shown = gold._repr_html_()
    for type_, table in gold.nodes.items():
        assert re.search(rf"{type_}</td><td>{table.num_rows:,}</td>", shown)
    assert "ImageNet" in shown
    assert "<script>" not in nasty._repr_html_()
    assert repr(gold) == f"<Graph of {sum(t.num_rows for t in gold.nodes.values()):,} nodes and " + (
        f"{sum(t.num_rows for t in gold.edges.values()):,} edges>"
    )


def test_rows_show_themselves() -> None:
    """The extension hands IPython a table formatter that escapes, cuts and counts."""
    formatters: dict[type, object] = {}
    html = SimpleNamespace(for_type=formatters.__setitem__)
    notebook.load_ipython_extension(SimpleNamespace(display_formatter=SimpleNamespace(formatters={"text/html": html})))
    shown = formatters[pa.Table](pa.table({"name": ["<script>", "x" * 500] * 40, "of": [["a", "b"], None] * 40}))  # type: ignore[operator]
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "a; b" in shown
    assert "80 rows, the first 50 shown" in shown
