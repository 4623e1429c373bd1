"""JSON as it comes: lines, one array, one object, or an object around a list; read value by value within bounds."""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from kgbuild.errors import InputError
from kgbuild.sources.stream import HEAD, LINE_LIMIT, MIB, Input

LISTS = ("results", "data", "recommendedPapers", "papers")  # where services put their records
SAMPLE = 20  # records that detection looks at
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def records(source: Input) -> Iterator[tuple[str, dict[str, Any]]]:
    """(position, record) of every JSON object that stands for a record.

    position: `line 7` in JSON lines, `record 7` in a document. What is not an object is reported and left out.
    Raises: InputError where a document breaks off.
    """
    for position, value in values(source):
        if isinstance(value, dict):
            yield position, value
        elif value is None:
            source.warn("null: the service had no such paper", position)
        else:
            source.problem("not a JSON object", position)


def first_record(source: Input) -> dict[str, Any] | InputError | None:
    """One of the first objects, with a title if there is one, looked at without consuming it.

    The error, or None, where none can be read in the first 8 MiB.
    """
    size = HEAD
    while True:
        head = source.peek(size)
        problems: list[InputError] = []
        trial = Input(source.name, io.BytesIO(head), problems.append)
        found: list[dict[str, Any]] = []
        try:
            for _, value in islice(values(trial), SAMPLE):
                found += [value] if isinstance(value, dict) else []
        except InputError as error:
            problems.append(error)
        if found:
            return next((value for value in found if "title" in value), found[0])
        if len(head) < size or size >= LINE_LIMIT:
            return problems[0] if problems else None
        size *= 16


def values(source: Input) -> Iterator[tuple[str, Any]]:
    """(position, value) of the input's records, whatever they are."""
    return _lines(source) if _is_lines(source.peek(MIB)) else _document(source)


def _is_lines(head: bytes) -> bool:
    """JSON lines: the first line is a whole object, or the second line begins another one."""
    lines = [line for line in head.split(b"\n", 4)[:4] if line.strip()][:2]
    if not lines or not lines[0].lstrip().startswith(b"{") or lines[0].strip() == b"{":
        return False
    try:
        value = json.loads(lines[0])
    except (ValueError, RecursionError):
        return len(lines) > 1 and lines[1].lstrip().startswith(b"{")
    return not _listed(value)


def _listed(value: Any) -> str | None:
    if not isinstance(value, dict) or "title" in value:
        return None
    return next((key for key in LISTS if isinstance(value.get(key), list)), None)


def _lines(source: Input) -> Iterator[tuple[str, Any]]:
    for number, line in source.raw_lines():
        position = f"line {number}"
        if not line.strip():
            continue
        try:
            value = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            source.problem(f"invalid UTF-8 at byte {error.start + 1} of the line", position, "JSON must be UTF-8")
        except (ValueError, RecursionError) as error:
            source.problem(_reason(error), position)
        else:
            key = _listed(value)
            yield from ((position, item) for item in value[key]) if key else ((position, value),)


def _document(source: Input) -> Iterator[tuple[str, Any]]:
    text = _Window(source)
    number = 0
    while letter := text.peek():
        items = _array(text) if letter == "[" else _object(text) if letter == "{" else iter((text.value(),))
        for value in items:
            number += 1
            yield f"record {number}", value


def _array(text: _Window) -> Iterator[Any]:
    text.take("[")
    if text.peek() == "]":
        text.take("]")
        return
    while True:
        yield text.value()
        if text.take(",]") == "]":
            return


def _object(text: _Window) -> Iterator[Any]:
    """The items of the object's list of records, one by one; the object itself where it has no such list."""
    text.take("{")
    whole: dict[str, Any] = {}
    found = False
    closed = text.peek() == "}" and text.take("}") == "}"
    while not closed:
        key = text.value()
        text.take(":")
        if key in LISTS and "title" not in whole and text.peek() == "[":
            found = True
            yield from _array(text)
        else:
            whole[str(key)] = text.value()
        closed = text.take(",}") == "}"
    if not found:
        yield whole


class _Window:
    """The part of a JSON text that is being read: grows until a value is whole, forgets what was read."""

    def __init__(self, source: Input) -> None:
        self._source = source
        self._file = source.file()
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self._text = ""
        self._at = 0
        self._line = 1
        self._ended = False

    def peek(self) -> str:
        """The next sign that is not white space; empty at the end."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text) or not self._grow(HEAD):
                return self._text[self._at : self._at + 1]

    def take(self, signs: str) -> str:
        """Consume one of `signs`; raises InputError where another one stands."""
        sign = self.peek()
        if not sign or sign not in signs:
            expected = " or ".join(f"'{each}'" for each in signs)
            raise self._error(f"expected {expected}, found {sign!r}" if sign else "cut off: the JSON document does not end")
        self._at += 1
        return sign

    def value(self) -> Any:
        """Consume one JSON value of at most 8 MiB."""
        self.peek()
        size = HEAD
        while len(self._text) - self._at <= LINE_LIMIT:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if not _cut_off(error, len(self._text)) or not self._grow(size):
                    raise self._error(_reason(error)) from error
            else:
                length = end - self._at
                # A number at the end of the window may go on: read further before it is believed.
                if end < len(self._text) or not self._grow(size):
                    self._at += length
                    return value
            size *= 2
        raise self._error(f"JSON value larger than {LINE_LIMIT // MIB} MiB")

    def _grow(self, size: int) -> bool:
        if self._ended:
            return False
        data = self._file.read(size)
        self._ended = not data
        try:
            piece = self._decoder.decode(data, final=self._ended)
        except UnicodeDecodeError as error:
            raise self._error("invalid UTF-8 in the JSON text") from error
        self._line += self._text.count("\n", 0, self._at)
        self._text = self._text[self._at :] + piece
        self._at = 0
        return not self._ended

    def _error(self, message: str) -> InputError:
        line = self._line + self._text.count("\n", 0, self._at)
        return self._source.error(message, f"line {line}", "papers before that place are kept")


def _cut_off(error: Exception, length: int) -> bool:
    """Whether more text could mend the error: an open string, or an error at the very end of what is there."""
    return isinstance(error, json.JSONDecodeError) and (error.msg.startswith("Unterminated") or error.pos >= length - 16)


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "JSON nested too deeply"
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg[0].lower()}{error.msg[1:]}"
    return f"not JSON: {error}".split(";")[0]
