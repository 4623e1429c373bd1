"""Bytes of an input: opened, decompressed, decoded and cut into lines within fixed bounds of memory and time."""

from __future__ import annotations

import codecs
import gzip
import io
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

import zstandard

from kgbuild.errors import InputError, InputWarning

MIB = 1 << 20
HEAD = 1 << 16  # bytes that detection looks at first
LINE_LIMIT = 8 * MIB  # bytes of one line or one JSON value
BOMB_FLOOR = 16 * MIB  # bytes that may come out before the ratio is looked at
BOMB_RATIO = 250  # text shrinks 3 to 20 times, repetitive test data perhaps 100 times
STEP = 512  # packed bytes that are unpacked at once; at worst they become 16 MiB
ZSTD_WINDOW = 128 * MIB
XZ_MEMORY = 256 * MIB  # the dictionary an .xz file may ask for; xz -9 asks for 64 MiB

WARNINGS = 1000  # of one input; more are counted, not told
PROBLEMS = 10_000  # of one input; then it is given up
BLANKS = 1000  # bytes of blank lines that are skipped as one

Problem = Callable[[InputError], None]
_DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError, zstandard.ZstdError)


class Input:
    """One named stream of bytes with a head to look at, lines to read, and a place for its problems.

    name: the source name, stands in every message. path: the plain file behind it, None for compressed inputs and standard input.
    """

    def __init__(
        self, name: str, file: IO[bytes], on_problem: Problem, *, path: Path | None = None, opened: IO[bytes] | None = None
    ) -> None:
        """Look for a byte order mark; `opened` is the file to close where `file` stands on another one."""
        self.name = name
        self.path = path
        self.encoding = "utf-8"
        self.warnings = 0
        self.problems = 0
        self._on_problem = on_problem
        self._file: IO[bytes] = file
        self._opened = opened or file
        self._head = b""
        self._transcode()

    def problem(self, message: str, position: str = "", hint: str = "") -> None:
        """Report a record that cannot be read; reading goes on.

        Raises: InputError after 10,000 of them: such an input is not what it was taken for.
        """
        self.problems += 1
        if self.problems > PROBLEMS:
            raise self.error(f"more than {PROBLEMS:,} problems, the rest is not read", position, "is the format right?")
        self._on_problem(self.error(message, position, hint))

    def warn(self, message: str, position: str = "", hint: str = "") -> None:
        """Report something that a user should know and that loses no readable paper; the first 1,000 are told."""
        self.warnings += 1
        if self.warnings <= WARNINGS:
            self._on_problem(InputWarning(self.name, _short(message), position=position, hint=hint))

    def error(self, message: str, position: str = "", hint: str = "") -> InputError:
        """The error to raise when the rest of the input cannot be read."""
        return InputError(self.name, _short(message), position=position, hint=hint)

    def peek(self, size: int = HEAD) -> bytes:
        """The first `size` bytes (fewer at the end of the input); nothing is consumed."""
        while len(self._head) < size:
            piece = self._read(size - len(self._head))
            if not piece:
                break
            self._head += piece
        return self._head[:size]

    def file(self) -> io.BufferedReader:
        """The whole stream from its first byte; to be asked for once."""
        return io.BufferedReader(_Rest(self._head, self._read), MIB)

    def lines(self) -> Iterator[tuple[int, str]]:
        """(line number from 1, text without its line end); lines that cannot be read are reported and left out.

        A line that is not UTF-8 is read as Windows-1252, with one warning per input.
        """
        warned = False
        for number, line in self.raw_lines():
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError:
                text = _legacy(line)
                if not warned:
                    self.warn("not UTF-8, read as Windows-1252", f"line {number}", "convert the file to UTF-8 if letters look wrong")
                    warned = True
            if "\0" in text:
                self.problem("NUL character in the text", f"line {number}", "the file is damaged or not text")
                continue
            yield number, text

    def raw_lines(self) -> Iterator[tuple[int, bytes]]:
        """Like `lines`, before decoding."""
        file = self.file()
        number = 0
        while line := file.readline(LINE_LIMIT):
            number += 1
            if len(line) == LINE_LIMIT and not line.endswith(b"\n"):
                while len(line) == LINE_LIMIT and not line.endswith(b"\n"):
                    line = file.readline(LINE_LIMIT)
                self.problem(f"line longer than {LINE_LIMIT // MIB} MiB", f"line {number}", "one record a line, or one JSON document")
                continue
            yield number, line.rstrip(b"\r\n")
            if not line.strip():
                number += _skip_blanks(file)

    def close(self) -> None:
        """Close the file, standard input excepted, and tell how many warnings were left out."""
        if self.warnings > WARNINGS:
            self._on_problem(InputWarning(self.name, f"{self.warnings - WARNINGS:,} more warnings like these"))
        if self._opened is not sys.stdin.buffer:
            self._opened.close()

    def _read(self, size: int) -> bytes:
        return self._read_from(self._file, size)

    def _read_from(self, file: IO[bytes], size: int) -> bytes:
        try:
            return file.read(size)
        except _DAMAGED as error:
            reason = getattr(error, "strerror", None) or "compressed data is damaged or cut off"
            raise self.error(str(reason), hint="check the file, papers before that place are kept") from error

    def _transcode(self) -> None:
        head = self.peek(512)
        encoding = _wide_encoding(head)
        if head.startswith(b"\xef\xbb\xbf"):
            self._head = self._head[3:]
        elif encoding:
            self.encoding = encoding
            recoded = _Recoded(_Rest(self._head, partial(self._read_from, self._file)), encoding, self.name)
            self._head, self._file = b"", io.BufferedReader(recoded, HEAD)


def open_input(name: str, path: Path | None, on_problem: Problem) -> Input:
    """The decompressed stream of a file, or of standard input where `path` is None.

    Raises: InputError for what cannot be opened and for archives.
    """
    try:
        raw: IO[bytes] = sys.stdin.buffer if path is None else path.open("rb")
    except OSError as error:
        raise InputError(name, (error.strerror or "cannot be opened").lower()) from error
    plain = Input(name, raw, on_problem, path=path)
    head = plain.peek(512)
    if head[257:262] == b"ustar" or head.startswith((b"PK\x03\x04", b"7z\xbc\xaf", b"Rar!")):
        raise InputError(name, "an archive", hint="unpack it and give the files")
    decompress = next((function for magic, function in _COMPRESSIONS.items() if head.startswith(magic)), None)
    if decompress is None:
        return plain
    packed = _Counted(plain.file())
    return Input(name, io.BufferedReader(_Guarded(decompress(packed), packed, name), HEAD), on_problem, opened=raw)


def _skip_blanks(file: io.BufferedReader) -> int:
    """Pass over a long run of blank lines at once; their number."""
    ahead = file.peek()
    blank = ahead[: len(ahead) - len(ahead.lstrip(b" \t\r\n"))]
    end = blank.rfind(b"\n") + 1
    return file.read(end).count(b"\n") if end > BLANKS else 0


def _short(message: str) -> str:
    """One line of at most 200 signs: what libraries say may quote the whole input."""
    line = " ".join(message.split())
    return line if len(line) <= 200 else f"{line[:199]}…"


def _legacy(line: bytes) -> str:
    """Bytes that are not UTF-8: a line with sound multi-byte letters is damaged UTF-8, any other is Windows-1252."""
    damaged = line.decode("utf-8", "replace")
    if any(letter > "\x7f" and letter != "\ufffd" for letter in damaged):
        return damaged
    try:
        return line.decode("cp1252")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _wide_encoding(head: bytes) -> str | None:
    if head.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "utf-32"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    # Without a mark: Latin text in UTF-16 has a zero in every other byte and none in the others.
    even, odd = head[0::2], head[1::2]
    if len(head) >= 16 and odd.count(0) > 0.7 * len(odd) and not even.count(0):
        return "utf-16-le"
    if len(head) >= 16 and even.count(0) > 0.7 * len(even) and not odd.count(0):
        return "utf-16-be"
    return None


class _Rest(io.RawIOBase):
    """A head that was looked at, and then the rest."""

    def __init__(self, head: bytes, read: Callable[[int], bytes]) -> None:
        self._head = memoryview(head)
        self._next = read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._head[: len(buffer)] if self._head else self._next(len(buffer))
        self._head = self._head[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)


class _Counted(io.RawIOBase):
    """Counts the compressed bytes that were read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._file.read(len(buffer))
        self.count += len(piece)
        buffer[: len(piece)] = piece
        return len(piece)


class _Guarded(io.RawIOBase):
    """Stops a stream that grows out of all proportion to its compressed bytes."""

    def __init__(self, file: IO[bytes], packed: _Counted, name: str) -> None:
        self._file, self._packed, self._name = file, packed, name
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._file.read(min(len(buffer), HEAD))
        self._count += len(piece)
        if self._count > BOMB_FLOOR and self._count > BOMB_RATIO * self._packed.count:
            hint = "a decompression bomb; if it is not, unpack it first"
            raise InputError(self._name, f"unpacks to more than {BOMB_RATIO} times its size", hint=hint)
        buffer[: len(piece)] = piece
        return len(piece)


class _Frames(io.RawIOBase):
    """Packed frames one after the other, unpacked in small steps, so that a bomb never goes off at once; the end must be whole."""

    def __init__(self, packed: IO[bytes], start: Callable[[], Any]) -> None:
        self._packed, self._start = packed, start
        self._frame: Any = None
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            if self._frame is None or self._frame.eof:
                unused = self._frame.unused_data if self._frame else b""
                data = unused.lstrip(b"\0") or self._packed.read(STEP).lstrip(b"\0")
                if not data:
                    return 0
                self._frame = self._start()
            elif not (data := self._packed.read(STEP)):
                raise EOFError
            self._left = self._frame.decompress(data)
        piece, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)


class _Recoded(io.RawIOBase):
    """UTF-16 or UTF-32 bytes as UTF-8, so that readers meet one encoding."""

    def __init__(self, file: io.RawIOBase, encoding: str, name: str) -> None:
        self._file, self._name, self._encoding = file, name, encoding
        self._decoder = codecs.getincrementaldecoder(encoding)("strict")
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            data = self._file.read(HEAD) or b""
            try:
                self._left = self._decoder.decode(data, final=not data).encode("utf-8")
            except UnicodeError as error:
                raise InputError(self._name, f"invalid {self._encoding.upper()}", hint="convert the file to UTF-8") from error
            if not data:
                break
        piece, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)


def _gzip(packed: IO[bytes]) -> IO[bytes]:
    return gzip.GzipFile(fileobj=packed)  # type: ignore[return-value]


def _xz(packed: IO[bytes]) -> IO[bytes]:
    return _Frames(packed, partial(lzma.LZMADecompressor, memlimit=XZ_MEMORY))  # type: ignore[return-value]


def _zstd(packed: IO[bytes]) -> IO[bytes]:
    return _Frames(packed, zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj)  # type: ignore[return-value]


_COMPRESSIONS: dict[bytes, Callable[[Any], Any]] = {b"\x1f\x8b": _gzip, b"\xfd7zXZ\0": _xz, b"\x28\xb5\x2f\xfd": _zstd}
