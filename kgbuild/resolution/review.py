"""The review file: doubtful merges for a person, and the person's decisions for the next build."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from kgbuild.errors import InputError
from kgbuild.resolution.decisions import ACTIONS
from kgbuild.resolution.values import Decision, Proposal

COLUMNS = ("decision", "type", "a", "b", "gain", "score", "reasons")
NOTICE = """\
# Fill in `decision`: same (a and b are one thing), different (keep them apart), rename (call a from now on b), type (a is a thing of
# the type b). Rows without a decision change nothing; add rows of your own; delete a row to undo it.
"""


def write_review(proposals: Iterable[Proposal], path: Path, *, decided: Iterable[Decision] = ()) -> int:
    """Write what was decided and then what is open, the largest gain first, as YAML or (`.csv`) CSV; returns the number of open rows."""
    rows = [{"decision": d.action, "type": d.type, "a": d.subject, "b": d.name} for d in decided]
    done = len(rows)
    for p in proposals:
        reasons = "; ".join(p.reasons)
        rows.append({"decision": "", "type": p.type, "a": p.left, "b": p.right, "gain": p.gain, "score": p.score, "reasons": reasons})  # type: ignore[dict-item]
    if path.suffix.lower() == ".csv":
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    else:
        import yaml

        text = yaml.safe_dump(rows, allow_unicode=True, sort_keys=False, width=10_000) if rows else "[]\n"
        path.write_text(NOTICE + text, encoding="utf-8")
    return len(rows) - done


def read_decisions(path: Path) -> list[Decision]:
    """The filled-in rows of a review file, YAML or CSV. Raises InputError with the row for what is not one."""
    try:
        rows = list(_rows(path))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(path), f"cannot be read: {error}") from error
    found = []
    for number, row in enumerate(rows, 1):
        position = f"row {number}"
        if not isinstance(row, Mapping):
            raise InputError(str(path), "is not a row of decision, type, a, b", position=position, hint="kgbuild review writes the form")
        action = str(row.get("decision") or "").strip()
        if not action:
            continue
        if action not in ACTIONS:
            raise InputError(str(path), f"unknown decision {action!r}", position=position, hint=f"known: {', '.join(ACTIONS)}")
        cells = [str(row.get(name) or "").strip() for name in ("type", "a", "b")]
        if not all(cells):
            raise InputError(str(path), f"{action} needs type, a and b", position=position)
        found.append(Decision(action, *cells))
    return found


def _rows(path: Path) -> Iterator[Any]:
    if path.suffix.lower() == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as stream:
            yield from csv.DictReader(stream)
        return
    import yaml

    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise InputError(str(path), f"is not YAML: {' '.join(str(error).split())}") from error
    if rows is not None and not isinstance(rows, list):
        raise InputError(str(path), "is not a list of decisions", hint="kgbuild review writes the form")
    yield from rows or ()
