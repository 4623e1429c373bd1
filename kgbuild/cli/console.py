"""What the command line says and draws: messages on standard error, answers on standard output, progress on a terminal only."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    import pyarrow as pa


class Format(StrEnum):
    """How rows are printed."""

    table = "table"
    csv = "csv"
    json = "json"
    jsonl = "jsonl"


# Called as work goes on: stage, items done, items in all (None while unknown).
OnProgress = Callable[[str, int, int | None], None]


class _Level:
    """What `--quiet` and `--verbose` of this run set."""

    quiet = False
    verbose = False


level = _Level()


def set_level(*, quiet: bool, verbose: bool) -> None:
    """Say less or more for the rest of the run; errors and answers are always printed."""
    level.quiet, level.verbose = quiet, verbose


def say(text: str) -> None:
    """A message for people, on standard error; nothing under `--quiet`."""
    if not level.quiet:
        print(text, file=sys.stderr)


def detail(text: str) -> None:
    """A message that only `--verbose` shows."""
    if level.verbose:
        print(text, file=sys.stderr)


def warn(text: str) -> None:
    """A message that `--quiet` does not hide."""
    print(text, file=sys.stderr)


@contextmanager
def progress() -> Iterator[OnProgress]:
    """A bar per stage with the time left on a terminal; elsewhere and under `--quiet` nothing is drawn."""
    if level.quiet or not sys.stderr.isatty():
        yield lambda stage, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def on_progress(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield on_progress


def write_table(table: pa.Table, format_: Format = Format.table, stream: TextIO | None = None) -> None:
    """Print the rows: aligned for people, or CSV, one JSON array, or a JSON object a line; lists are JSON inside CSV cells."""
    stream = stream or sys.stdout
    rows = (row for batch in table.to_batches(max_chunksize=10_000) for row in batch.to_pylist())
    if format_ is Format.table:
        _write_aligned(table.column_names, list(rows), stream)
    elif format_ is Format.csv:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(table.column_names)
        writer.writerows([_cell(row[name]) for name in table.column_names] for row in rows)
    elif format_ is Format.json:
        stream.write(json.dumps(list(rows), ensure_ascii=False, indent=2, default=str) + "\n")
    else:
        stream.writelines(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows)


def _write_aligned(names: list[str], rows: list[dict[str, Any]], stream: TextIO) -> None:
    """Columns by the width of their content; on a terminal cut to its width, elsewhere never cut."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = stream.isatty()
    drawn = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in names:
        drawn.add_column(Text(name), overflow="fold", no_wrap=not terminal)
    for row in rows:
        drawn.add_row(*(Text(shown(row[name])) for name in names))
    console = Console(file=stream, width=None if terminal else 100_000, highlight=False, soft_wrap=not terminal)
    with console.capture() as capture:
        console.print(drawn)
    stream.write("\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n")
    stream.write(f"{len(rows)} {'row' if len(rows) == 1 else 'rows'}\n")


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | dict) else value


def shown(value: Any) -> str:
    """A cell for people: lists joined, fractions short, control characters made visible, so that no text steers the terminal."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e4 else f"{value:g}"
    if isinstance(value, list):
        return ", ".join(map(shown, value))
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in str(value))
