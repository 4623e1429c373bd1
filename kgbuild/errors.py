"""Everything that kgbuild raises on purpose.

KgbuildError            message (what and where) and hint (how to mend it); the command line prints both and exits with 2
    InputError          a file or record that cannot be read: carries path and position
        InputWarning    something odd about an input that loses no readable paper
    RecordError         an extraction record that breaks the guidelines: carries the paper's id
    SchemaError         a graph, type or relation that the ontology does not allow
    QueryError          a query that does not parse or names what does not exist
    StoreError          a store that cannot be reached, is locked, or was made by another version
    MissingExtraError   a feature whose extra is not installed
"""

from __future__ import annotations


class KgbuildError(Exception):
    """A problem that its user can mend; `message` says what and where, `hint` how (may be empty)."""

    def __init__(self, message: str, hint: str = "") -> None:
        """`message`: what and where; `hint`: how to mend it."""
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """Message and hint."""
        return f"{self.message} ({self.hint})" if self.hint else self.message


class InputError(KgbuildError):
    """An input that cannot be read; `path` and `position` (such as `line 7`) say where."""

    def __init__(self, path: str, message: str, *, position: str = "", hint: str = "") -> None:
        """`path`: the source name; `position`: such as `line 7`."""
        super().__init__(": ".join(part for part in (path, position, message) if part), hint)
        self.path = path
        self.position = position
        self.problem = message

    def __reduce__(self) -> tuple[object, ...]:
        """What pickle needs to make it again."""
        # Exceptions with keyword arguments do not pickle by themselves, and workers send this one home.
        return (_input_error, (type(self), self.path, self.problem, self.position, self.hint))


def _input_error(kind: type[InputError], path: str, message: str, position: str, hint: str) -> InputError:
    return kind(path, message, position=position, hint=hint)


class InputWarning(InputError):  # noqa: N818  it loses nothing, so it is no error
    """Something odd about an input that loses no readable paper, such as a valid file without papers; builds go on and succeed."""


class RecordError(KgbuildError):
    """An extraction record that contradicts its paper's text or the guidelines."""


class SchemaError(KgbuildError):
    """A node, edge or property that the ontology does not allow."""


class QueryError(KgbuildError):
    """A query that does not parse or that names something that does not exist."""


class StoreError(KgbuildError):
    """A store or graph that cannot be opened, reached, locked or understood."""


class MissingExtraError(KgbuildError):
    """A feature that needs an optional dependency."""

    def __init__(self, feature: str, extra: str) -> None:
        """`feature`: what was asked for; `extra`: the extra of the package that has it."""
        super().__init__(f"{feature} needs an optional package", f'pip install "kgbuild[{extra}]"')
