"""Pictures of a graph: what lies around a node, a leaderboard, and which things meet in papers.

Every function returns a matplotlib `Figure`, which notebooks show; `save` writes it. Needs the extra `plot`.
"""

from __future__ import annotations

import warnings
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgbuild.errors import KgbuildError, MissingExtraError
from kgbuild.exporters import flat
from kgbuild.exporters.files import replacing
from kgbuild.exporters.leaderboards import Entry, entries
from kgbuild.exporters.selection import find, select
from kgbuild.graph import Graph

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, BLUE = "#222222", "#0072B2"
Pair = tuple[str, str]
SUFFIXES = (".png", ".svg", ".pdf")


def _figure(width: float, height: float) -> Figure:
    """An empty figure, sizes in inches; raises MissingExtraError without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("drawing pictures", "plot") from error
    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def save(figure: Figure, path: Path | str, *, dpi: int = 150) -> None:
    """Write the picture as PNG, SVG or PDF, by its suffix; the same picture gives the same bytes. Raises KgbuildError for others."""
    from matplotlib import rc_context

    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise KgbuildError(f"{path}: not a kind of picture", f"name it with one of {', '.join(SUFFIXES)}")
    # matplotlib writes the time into SVG and PDF, and names SVG parts at random, unless told otherwise.
    metadata = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}[path.suffix.lower()]
    with replacing(path) as beside, rc_context({"svg.hashsalt": "kgbuild"}), warnings.catch_warnings():
        # A script that the font lacks is drawn as boxes; a warning for each sign would help nobody.
        warnings.filterwarnings("ignore", message="Glyph")
        figure.savefig(beside, format=path.suffix[1:].lower(), dpi=dpi, metadata=metadata)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of one side of the neighbourhood: a heading (no type) or a node with the support of its edge."""

    text: str
    type: str = ""
    support: int = 0


def neighbourhood(graph: Graph, name: str, *, limit: int = 36) -> Figure:
    """What the graph says of a node: what it points at on the right, what points at it on the left, grouped by relation.

    name: a name, alias or id; of several nodes with that name the one with the most edges is drawn. limit: most nodes to
    show, the best supported of each relation first. Figures are drawn at their papers only. Raises KgbuildError for an unknown
    name, and for a node without edges.
    """
    degrees = flat.degrees(graph)
    centre = max(find(graph, name), key=lambda node: (degrees[node], node))
    part = select(graph, around=[centre[1]], hops=1)
    rows = {(type_, row["id"]): (type_, row) for type_, row in part.node_rows()}
    groups: defaultdict[tuple[bool, str], list[tuple[int, float, str, str]]] = defaultdict(list)
    for relation, edge in part.edge_rows():
        source, target = (edge["source_type"], edge["source"]), (edge["target_type"], edge["target"])
        if centre in (source, target):
            type_, row = rows[target if source == centre else source]
            if graph.schema.nodes[type_].kind == "fact" and graph.schema.nodes[centre[0]].kind == "concept":
                continue
            text = flat.label(graph.schema.nodes[type_], row)
            groups[source == centre, relation].append((edge["support"], edge["belief"], text, type_))
    if not groups:
        raise KgbuildError(f"{name!r} has no relations to draw", "build the graph from more papers, or draw another node")
    shown = _shares([len(members) for members in groups.values()], limit)
    sides: dict[bool, list[_Line]] = {False: [], True: []}
    for ((outward, relation), members), share in zip(groups.items(), shown, strict=True):
        best = sorted(members, key=lambda member: (-member[0], -member[1], member[2]))[:share]
        more = f"  ({share} of {len(members)})" if share < len(members) else ""
        words = relation.replace("_", " ").lower()
        sides[outward].append(_Line(f"{words} →{more}" if outward else f"→ {words}{more}"))
        sides[outward] += [_Line(_short(text, 58), type_, support) for support, _, text, type_ in best]
    return _draw_sides(graph, centre[0], flat.label(graph.schema.nodes[centre[0]], rows[centre][1]), sides)


def _shares(sizes: list[int], limit: int) -> list[int]:
    """How many members of each group are shown: as even as their sizes allow, `limit` in all, at least one of each."""
    shares = [min(size, 1) for size in sizes]
    while sum(shares) < limit and any(share < size for share, size in zip(shares, sizes, strict=True)):
        for index, size in enumerate(sizes):
            if shares[index] < size and sum(shares) < limit:
                shares[index] += 1
    return shares


def _short(text: str, length: int) -> str:
    """One line of at most `length` characters; dollar signs would start a formula, control characters have no picture."""
    line = "".join(char if char.isprintable() else " " for char in text)
    return (line if len(line) <= length else line[: length - 1].rstrip() + "…").replace("$", r"\$")


def _draw_sides(graph: Graph, type_: str, name: str, sides: dict[bool, list[_Line]]) -> Figure:
    colours = flat.colours(graph.schema)
    height = max(len(lines) + 0.8 * sum(not line.type for line in lines) for lines in sides.values())
    figure = _figure(12, max(2.4, 0.9 + 0.26 * height))
    axes = figure.add_subplot()
    for outward, lines in sides.items():
        _draw_side(axes, lines, 1 if outward else -1, colours)
    box = {"boxstyle": "round,pad=0.6", "facecolor": colours[type_], "edgecolor": "white", "linewidth": 2}
    axes.text(0, 0, _short(name, 34), ha="center", va="center", fontsize=13, weight="bold", color="white", bbox=box, zorder=5)
    axes.set_xlim(-6.2, 6.2)
    axes.set_ylim(-height / 2 - 0.5, height / 2 + 0.5)
    axes.axis("off")
    used = {line.type for lines in sides.values() for line in lines if line.type} | {type_}
    _legend(figure, {name: colour for name, colour in colours.items() if name in used})
    return figure


def _draw_side(axes: Axes, lines: list[_Line], direction: int, colours: dict[str, str]) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Curve

    align = "left" if direction > 0 else "right"
    y = (len(lines) + 0.8 * sum(not line.type for line in lines)) / 2 - 0.5
    for line in lines:
        if not line.type:
            y -= 0.8
            axes.text(direction * 2.15, y, line.text, ha=align, va="center", fontsize=9, style="italic", color="#555555")
        else:
            curve = Curve([(0, 0), (direction * 1.3, 0), (direction * 0.9, y), (direction * 2, y)], [1, 4, 4, 4])
            width = min(0.7 + 0.4 * line.support, 4)
            axes.add_patch(PathPatch(curve, facecolor="none", edgecolor=colours[line.type], linewidth=width, alpha=0.45))
            axes.plot(direction * 2.05, y, "o", color=colours[line.type], markersize=6, zorder=4)
            axes.text(direction * 2.2, y, line.text, ha=align, va="center", fontsize=9.5, color=INK)
        y -= 1


def _legend(figure: Figure, colours: dict[str, str]) -> None:
    from matplotlib.lines import Line2D

    marks = [Line2D([], [], marker="o", linestyle="", color=colour, label=name) for name, colour in colours.items()]
    figure.legend(handles=marks, loc="outside lower center", ncols=len(marks), frameon=False, fontsize=9)


def leaderboard(graph: Graph, dataset: str, *, metric: str | None = None, limit: int = 25) -> Figure:
    """The absolute figures on a dataset in one metric, best first.

    metric: the one with the most figures unless named. Raises KgbuildError where the graph has no such figures.
    """
    wanted = set(find(graph, dataset))
    names = {row["name"] for type_, row in graph.node_rows() if (type_, row["id"]) in wanted and "name" in row}
    board = [entry for entry in entries(graph) if entry.dataset in names and entry.kind == "absolute" and entry.number is not None]
    counts = Counter(entry.metric for entry in board if entry.metric)
    if metric is None and counts:
        metric = max(counts, key=lambda name: (counts[name], name))
    chosen = [entry for entry in board if metric and entry.metric.casefold() == metric.casefold()]
    if not chosen:
        known = ", ".join(f"{name} ({count})" for name, count in counts.most_common(5))
        raise KgbuildError(f"no figures on {dataset!r}" + (f" in {metric!r}" if metric else ""), f"there are: {known}" if known else "")
    lower = chosen[0].better == "lower"
    chosen.sort(key=lambda entry: ((entry.number or 0.0) * (1 if lower else -1), entry.method, entry.result))
    return _draw_board(chosen[:limit], len(chosen))


def _draw_board(board: list[Entry], total: int) -> Figure:
    figure = _figure(9.5, 1.5 + 0.32 * len(board))
    axes = figure.add_subplot()
    numbers = [entry.number or 0.0 for entry in board]
    places = range(len(board))
    # Lines start left of the smallest figure, so that it has one too.
    room = 0.1 * ((max(numbers) - min(numbers)) or abs(max(numbers)) or 1.0)
    axes.hlines(places, min(numbers) - room, numbers, color="#dddddd", linewidth=2, zorder=1)
    axes.set_xlim(min(numbers) - room, max(numbers) + 1.4 * room)
    axes.set_ylim(-0.7, len(board) - 0.3)
    axes.scatter(numbers, places, s=60, color=[BLUE if number == numbers[0] else "#7fb3d5" for number in numbers], zorder=3)
    for place, entry in zip(places, board, strict=True):
        text = f"{entry.value}{entry.unit if entry.unit == '%' else ''}"
        axes.annotate(text, (entry.number or 0.0, place), (8, 0), textcoords="offset points", va="center", fontsize=9, color=INK)
    labels = [f"{_short(entry.method or 'method not named', 34)}  {f'({entry.year})' if entry.year else ''}" for entry in board]
    axes.set_yticks(places, labels, fontsize=9)
    axes.invert_yaxis()
    direction = {"higher": "higher is better", "lower": "lower is better"}.get(board[0].better, "")
    axes.set_title(_short(f"{board[0].metric} on {board[0].dataset}", 80), loc="left", fontsize=13, weight="bold", color=INK)
    rest = f"best {len(board)} of {total}" if len(board) < total else ""
    notes = "; ".join(part for part in (direction, "figures as the abstracts state them", rest) if part)
    axes.set_xlabel(notes, fontsize=9, color="#555555")
    _clean(axes)
    return figure


def matrix(graph: Graph, rows: str = "Task", columns: str = "Dataset", *, size: int = 15) -> Figure:
    """How many papers speak of both: the things of two types that meet most, one a row, one a column.

    rows, columns: node types. size: most rows and columns. Raises KgbuildError for an unknown type, and where nothing meets.
    """
    for name in (rows, columns):
        if name not in graph.schema.nodes:
            raise KgbuildError(f"unknown type {name!r}", f"known: {', '.join(graph.schema.nodes)}")
    met = _meetings(graph, rows, columns)
    if not met:
        raise KgbuildError(f"no paper speaks of a {rows} and a {columns}", "try two other types")
    top_rows, top_columns = _densest(met, size)
    values = [[met[row, column] for column in top_columns] for row in top_rows]
    figure = _figure(2.8 + 0.5 * len(top_columns), 2.4 + 0.36 * len(top_rows))
    axes = figure.add_subplot()
    largest = max(max(line) for line in values)
    axes.imshow(values, cmap="Blues", vmin=0, vmax=largest * 1.15, aspect="auto")
    for y, line in enumerate(values):
        for x, value in enumerate(line):
            if value:
                axes.text(x, y, str(value), ha="center", va="center", fontsize=9, color="white" if value > 0.6 * largest else INK)
    labels = {row["id"]: _short(flat.label(graph.schema.nodes[type_], row), 34) for type_, row in graph.node_rows(*{rows, columns})}
    names = [labels[id_] for id_ in top_columns]
    axes.set_xticks(range(len(names)), names, rotation=40, ha="left", rotation_mode="anchor", fontsize=9)
    axes.set_yticks(range(len(top_rows)), [labels[id_] for id_ in top_rows], fontsize=9)
    axes.xaxis.tick_top()
    axes.set_xlabel(f"papers that speak of both the {rows} and the {columns}", fontsize=9, color="#555555")
    _clean(axes)
    return figure


def _meetings(graph: Graph, rows: str, columns: str) -> Counter[Pair]:
    """(row id, column id) -> number of papers that have an edge to both."""
    spoken: defaultdict[str, set[Pair]] = defaultdict(set)
    for _, edge in graph.edge_rows(*(relation.name for relation in graph.schema.group("paper"))):
        if edge["target_type"] in (rows, columns):
            spoken[edge["source"]].add((edge["target_type"], edge["target"]))
    met: Counter[Pair] = Counter()
    for nodes in spoken.values():
        met.update((a, b) for kind_a, a in nodes for kind_b, b in nodes if kind_a == rows and kind_b == columns and a != b)
    return met


def _densest(met: Mapping[Pair, int], size: int) -> tuple[list[str], list[str]]:
    """The rows and columns of a full corner: what meets least with the rest is dropped until both fit."""
    kept = _ranked(met, 0)[: 6 * size], _ranked(met, 1)[: 6 * size]
    while True:
        rows, columns = frozenset(kept[0]), frozenset(kept[1])
        met = {pair: count for pair, count in met.items() if pair[0] in rows and pair[1] in columns}
        kept = _ranked(met, 0), _ranked(met, 1)
        place = 0 if len(kept[0]) >= len(kept[1]) else 1
        if len(kept[place]) <= size:
            return kept
        kept[place].pop()


def _ranked(met: Mapping[Pair, int], place: int) -> list[str]:
    """Ids of the rows (place 0) or columns (1), those that meet most first.

    Counts are squared, or one paper that names six tasks and five datasets would fill the picture with ones.
    """
    total: Counter[str] = Counter()
    for pair, count in met.items():
        total[pair[place]] += count * count
    return sorted(total, key=lambda id_: (-total[id_], id_))


def _clean(axes: Any) -> None:
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, colors=INK)
