"""Locations as people give them (files, folders, patterns, `-`) as a sorted run of named files."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePath

from kgbuild.errors import InputError, InputWarning
from kgbuild.sources.stream import Problem

STDIN = "-"
DEPTH = 200  # folders within folders


def source_name(location: str | os.PathLike[str]) -> str:
    """The name by which a graph remembers a location: as it was given, without `./` and closing slashes, in printable signs."""
    text = os.fspath(location)
    return text if text in (STDIN, "") else _printable(PurePath(os.path.normpath(text)).as_posix())


def belongs(source: str, location: str | os.PathLike[str]) -> bool:
    """Whether a source name comes from this location, be its file still there or not: the file itself, in the folder, or matched.

    >>> belongs("papers/2024/may.jsonl", "./papers/")
    True
    """
    name = source_name(location)
    if source == name or name == "." or source.startswith(f"{name.rstrip('/')}/"):
        return True
    return glob.has_magic(name) and not Path(name).exists() and _matches(source, name)


def files(location: str | os.PathLike[str], on_problem: Problem) -> Iterator[tuple[str, Path | None]]:
    """(source name, path) of every file of one location, sorted by name; None stands for standard input.

    Hidden files of folders are left out. What is missing, closed or runs in circles goes to `on_problem`.
    """
    name = source_name(location)
    if name == STDIN:
        yield name, None
        return
    path = Path(location)
    try:
        if not name:
            raise ValueError("an empty name")
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        if glob.has_magic(name) and not os.path.lexists(path):
            yield from _globbed(os.path.normpath(location), on_problem)
        else:
            on_problem(InputError(name, _reason(error), hint="give files, folders, patterns or - for standard input"))
        return
    if stat.S_ISDIR(mode):
        empty = True
        for item in _walk(path, name, on_problem, set()):
            empty = False
            yield item
        if empty:
            on_problem(InputWarning(name, "no files in it"))
    elif stat.S_ISREG(mode) or stat.S_ISFIFO(mode):
        yield name, path
    else:
        on_problem(InputError(name, "neither a file nor a folder"))


def _globbed(pattern: str, on_problem: Problem) -> Iterator[tuple[str, Path | None]]:
    parts = PurePath(pattern).parts
    if "**" in parts:
        # The library's own ** follows links in circles; our walk does not.
        base = PurePath(*parts[: next(index for index, part in enumerate(parts) if glob.has_magic(part))])
        found = [
            item
            for item in _walk(Path(base), _printable(base.as_posix()), on_problem, set())
            if _parts_match(PurePath(item[0]).parts, parts)
        ]
    else:
        found = [item for name in sorted(glob.glob(pattern)) for item in files(name, on_problem)]
    if not found:
        on_problem(InputError(_printable(pattern), "no such file, and no file matches it", hint="check the name"))
    yield from found


def _matches(source: str, pattern: str) -> bool:
    """Whether a pattern would find the file or a folder above it."""
    parts = PurePath(source).parts
    return any(_parts_match(parts[:length], PurePath(pattern).parts) for length in range(1, len(parts) + 1))


def _parts_match(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return _parts_match(parts, pattern[1:]) or bool(parts and _parts_match(parts[1:], pattern))
    return bool(parts) and PurePath(parts[0]).match(pattern[0]) and _parts_match(parts[1:], pattern[1:])


def _walk(folder: Path, name: str, on_problem: Problem, seen: set[tuple[int, int]]) -> Iterator[tuple[str, Path | None]]:
    """Files below a folder; a folder that links lead to twice is read once."""
    try:
        status = folder.stat()
        entries = sorted(os.listdir(folder))
    except OSError as error:
        on_problem(InputError(name, _reason(error)))
        return
    if name.count("/") > DEPTH:
        on_problem(InputError(name, f"folders nested more than {DEPTH} deep"))
        return
    if (status.st_dev, status.st_ino) in seen:
        on_problem(InputWarning(name, "a link to a folder that is read already, left out"))
        return
    seen.add((status.st_dev, status.st_ino))
    for entry in entries:
        if entry.startswith("."):
            continue
        path, shown = folder / entry, _printable(entry)
        label = shown if name == "." else f"{name.rstrip('/')}/{shown}"
        try:
            mode = path.stat().st_mode
        except OSError as error:
            on_problem(InputError(label, _reason(error)))
            continue
        if stat.S_ISDIR(mode) and path.is_symlink() and folder.resolve().is_relative_to(path.resolve()):
            on_problem(InputWarning(label, "a link to a folder above it, left out"))
        elif stat.S_ISDIR(mode):
            yield from _walk(path, label, on_problem, seen)
        elif stat.S_ISREG(mode):
            yield label, path


def _printable(name: str) -> str:
    """File names are bytes: what is no text or would break a line is shown as a replacement sign."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)


def _reason(error: OSError | ValueError) -> str:
    message = (getattr(error, "strerror", None) or str(error)).lower()
    return "a symbolic link that leads in a circle" if "symbolic links" in message else message
