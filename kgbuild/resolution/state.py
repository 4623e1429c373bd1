"""What a resolution leaves behind, in one SQLite file: enough to resolve again where some papers changed, without reading the others."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from kgbuild.resolution.ledger import Name
from kgbuild.resolution.naming import concepts_of, plain_id
from kgbuild.resolution.normalise import squash
from kgbuild.resolution.profile import Profile, Profiler, pack, unpack
from kgbuild.resolution.stems import signature
from kgbuild.resolution.values import Decision, Node, Resolution
from kgbuild.resolution.vocabulary import Vocabulary
from kgbuild.schema import ontology_path

if TYPE_CHECKING:
    from kgbuild.resolution.resolver import Resolver

LAYOUT = 2  # goes up with every change of the tables, or of what the rules of resolution do within one version
WORDS = ("kgbuild.yaml", "resolution.yaml", "vocabulary.tsv", "abbreviations.tsv")
CHUNK = 500  # values in one list of a query

# `names` are those of entities before types are agreed on, `node` what they became; `bare` lists the papers that leave an abbreviation
# unexplained; `base` is the identifier that a node would have if no other wanted it.
TABLES = """
CREATE TABLE made (stamp TEXT NOT NULL);
CREATE TABLE papers (id INTEGER PRIMARY KEY, paper TEXT NOT NULL, content TEXT NOT NULL, profiles BLOB NOT NULL);
CREATE TABLE names (id INTEGER PRIMARY KEY, type TEXT NOT NULL, key TEXT NOT NULL, letters TEXT NOT NULL, stems TEXT NOT NULL, node TEXT);
CREATE TABLE links (paper INTEGER, eid TEXT, name INTEGER, PRIMARY KEY (paper, eid)) WITHOUT ROWID;
CREATE TABLE strings (name INTEGER, string TEXT, n INTEGER, PRIMARY KEY (name, string)) WITHOUT ROWID;
CREATE TABLE keys (type TEXT, key TEXT, n INTEGER, PRIMARY KEY (type, key)) WITHOUT ROWID;
CREATE TABLE shorts (type TEXT, short TEXT, long TEXT, n INTEGER, PRIMARY KEY (type, short, long)) WITHOUT ROWID;
CREATE TABLE bare (type TEXT, short TEXT, paper INTEGER, PRIMARY KEY (type, short, paper)) WITHOUT ROWID;
CREATE TABLE nodes (id TEXT PRIMARY KEY, type TEXT NOT NULL, base TEXT NOT NULL, concept TEXT) WITHOUT ROWID;
"""
INDEXES = """
CREATE UNIQUE INDEX papers_paper ON papers (paper);
CREATE UNIQUE INDEX names_key ON names (type, key);
CREATE INDEX names_letters ON names (letters);
CREATE INDEX names_stems ON names (type, stems);
CREATE INDEX names_node ON names (node);
CREATE INDEX links_name ON links (name, paper);
CREATE INDEX nodes_base ON nodes (base);
"""


class State:
    """Papers, names, links and nodes of one resolution."""

    def __init__(self, path: Path, profiler: Profiler) -> None:
        """Open the file; raises sqlite3.Error where that cannot be done."""
        self.profiler = profiler
        self.db = sqlite3.connect(path)
        # The file lies in a folder that counts only once it is whole: no journal has to save it.
        self.db.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -100000")

    def usable(self, decisions: Sequence[Decision]) -> bool:
        """Whether it was made by the same rules, words and decisions."""
        try:
            return bool(self.db.execute("SELECT stamp FROM made").fetchone() == (stamp(decisions),))
        except sqlite3.Error:
            return False

    @classmethod
    def write(
        cls, path: Path, resolver: Resolver, resolution: Resolution, contents: Mapping[str, str], decisions: Sequence[Decision]
    ) -> None:
        """Make the file from a resolver that has just decided; `contents` names what each paper says, by id."""
        with cls(path, resolver.ledger.profiler) as state:
            state.db.executescript(TABLES)
            _fill(state.db, resolver, resolution, contents)
            state.replace_nodes((), resolution.nodes.values(), resolver.vocabulary)
            state.db.executescript(INDEXES)
            state.db.execute("INSERT INTO made VALUES (?)", (stamp(decisions),))

    def __enter__(self) -> Self:
        """The state itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Keep the changes and close the file."""
        self.db.commit()
        self.db.close()

    def spelled_out(self, name: Name) -> Counter[str]:
        """The names that papers spell the abbreviation out as, with the number of papers."""
        return Counter(dict(self.db.execute("SELECT long, n FROM shorts WHERE type = ? AND short = ?", name)))

    def has(self, name: Name) -> bool:
        """Whether an entity of some paper goes by the name."""
        return self.db.execute("SELECT 1 FROM keys WHERE type = ? AND key = ?", name).fetchone() is not None

    # --- papers ---

    def contents(self) -> dict[str, str]:
        """What each paper said when it was resolved, by id."""
        return dict(self.db.execute("SELECT paper, content FROM papers"))

    def profiles(self, paper_id: str) -> dict[str, Profile]:
        """The profiles of a paper's entities by eid."""
        return unpack(self._one("SELECT profiles FROM papers WHERE paper = ?", paper_id))

    def links(self, paper_id: str) -> dict[str, Name]:
        """The names of a paper's entities by eid."""
        rows = self.db.execute("SELECT eid, type, key FROM links JOIN names ON name = id WHERE paper = ?", (self._number(paper_id),))
        return {eid: (type_, key) for eid, type_, key in rows}

    def nodes_of(self, paper_id: str) -> dict[str, str]:
        """The nodes of a paper's entities by eid."""
        return dict(self.db.execute("SELECT eid, node FROM links JOIN names ON name = id WHERE paper = ?", (self._number(paper_id),)))

    def add_paper(self, paper_id: str, content: str, profiles: Mapping[str, Profile]) -> None:
        """Note a paper that is not there."""
        self.db.execute("INSERT INTO papers (paper, content, profiles) VALUES (?, ?, ?)", (paper_id, content, pack(profiles)))
        rows = [(*name, self._number(paper_id)) for name in _bare(profiles)]
        self.db.executemany("INSERT INTO bare VALUES (?, ?, ?)", rows)

    def drop_paper(self, paper_id: str) -> None:
        """Forget a paper; its links are to be taken out before."""
        number = self._number(paper_id)
        rows = [(*name, number) for name in _bare(self.profiles(paper_id))]
        self.db.executemany("DELETE FROM bare WHERE type = ? AND short = ? AND paper = ?", rows)
        self.db.execute("DELETE FROM papers WHERE id = ?", (number,))

    def link(self, paper_id: str, eid: str, name: Name, surfaces: Mapping[str, int]) -> None:
        """Give an entity that has none its name."""
        number = self._name(name)
        self.db.execute("INSERT INTO links VALUES (?, ?, ?)", (self._number(paper_id), eid, number))
        for string, count in surfaces.items():
            self._change("strings", {"name": number, "string": string}, count)

    def unlink(self, paper_id: str, eid: str, name: Name, surfaces: Mapping[str, int]) -> None:
        """Take an entity's name back."""
        number = self._name(name)
        self.db.execute("DELETE FROM links WHERE paper = ? AND eid = ?", (self._number(paper_id), eid))
        for string, count in surfaces.items():
            self._change("strings", {"name": number, "string": string}, -count)

    def count_key(self, name: Name, by: int) -> bool:
        """Change the number of entities that go by a name; says whether the name came or went."""
        before = self.has(name)
        self._change("keys", {"type": name[0], "key": name[1]}, by)
        return before != self.has(name)

    def count_short(self, short: Name, long: str, by: int) -> None:
        """Change the number of papers that spell an abbreviation out so."""
        self._change("shorts", {"type": short[0], "short": short[1], "long": long}, by)

    def bare_names(self) -> list[Name]:
        """Abbreviations that some paper leaves unexplained."""
        return self.db.execute("SELECT DISTINCT type, short FROM bare").fetchall()

    def papers_with(self, short: Name) -> list[str]:
        """Papers that leave the abbreviation unexplained."""
        rows = self.db.execute("SELECT p.paper FROM bare b JOIN papers p ON p.id = b.paper WHERE type = ? AND short = ?", short)
        return [paper for (paper,) in rows]

    # --- names ---

    def names(self, letters: Iterable[str]) -> dict[Name, str | None]:
        """Names that have these letters, of any type, and the node that each was."""
        rows = self._among("SELECT type, key, node FROM names WHERE letters IN", letters)
        return {(type_, key): node for type_, key, node in rows}

    def letters_beside(self, names: Iterable[Name]) -> set[str]:
        """Letters of the names that have the stems of one of these and its type."""
        found: set[str] = set()
        for type_, stems in sorted({(type_, _stems(key)) for type_, key in names}):
            found.update(
                letters for (letters,) in self.db.execute("SELECT letters FROM names WHERE type = ? AND stems = ?", (type_, stems))
            )
        return found

    def papers_of(self, names: Iterable[Name]) -> set[int]:
        """Numbers of the papers that use one of the names."""
        numbers = [self._name(name) for name in sorted(names)]
        return {paper for (paper,) in self._among("SELECT DISTINCT paper FROM links WHERE name IN", numbers)}

    def strings(self, name: Name) -> Counter[str]:
        """The strings that stand for a name, with their counts."""
        return Counter(dict(self.db.execute("SELECT string, n FROM strings WHERE name = ?", (self._name(name),))))

    def ids(self, numbers: Iterable[int]) -> set[str]:
        """Papers by their numbers."""
        return {paper for (paper,) in self._among("SELECT paper FROM papers WHERE id IN", numbers)}

    def become(self, name: Name, node: str | None) -> None:
        """Note the node of a name; None where no paper uses it any longer."""
        if node is None:
            self.db.execute("DELETE FROM names WHERE type = ? AND key = ?", name)
        else:
            self.db.execute("UPDATE names SET node = ? WHERE type = ? AND key = ?", (node, *name))

    # --- nodes ---

    def bases(self, nodes: Iterable[str]) -> set[str]:
        """The plain identifiers of nodes."""
        return {base for (base,) in self._among("SELECT base FROM nodes WHERE id IN", nodes)}

    def sharing(self, bases: Iterable[str]) -> set[str]:
        """The nodes that want one of the plain identifiers."""
        return {id_ for (id_,) in self._among("SELECT id FROM nodes WHERE base IN", bases)}

    def letters_of(self, nodes: Iterable[str]) -> set[str]:
        """Letters of the names of nodes."""
        return {letters for (letters,) in self._among("SELECT letters FROM names WHERE node IN", nodes)}

    def types(self, nodes: Iterable[str]) -> dict[str, str]:
        """The types of nodes."""
        return dict(self._among("SELECT id, type FROM nodes WHERE id IN", nodes))

    def by_concept(self) -> dict[str, str]:
        """The node of every concept of the vocabulary that has one: see `owners`."""
        return dict(self.db.execute("SELECT concept, min(id) FROM nodes WHERE concept IS NOT NULL GROUP BY concept"))

    def replace_nodes(self, old: Iterable[str], new: Iterable[Node], vocabulary: Vocabulary) -> None:
        """Take nodes out and put others in."""
        self.db.executemany("DELETE FROM nodes WHERE id = ?", ((id_,) for id_ in old))
        nodes = list(new)
        concepts = concepts_of(nodes, vocabulary)
        rows = ((node.id, node.type, plain_id(node.type, node.name), concepts.get(node.id)) for node in nodes)
        self.db.executemany("INSERT INTO nodes VALUES (?, ?, ?, ?)", rows)

    # --- rows ---

    def _one(self, query: str, value: str) -> Any:
        return self.db.execute(query, (value,)).fetchone()[0]

    def _number(self, paper_id: str) -> int:
        return int(self._one("SELECT id FROM papers WHERE paper = ?", paper_id))

    def _name(self, name: Name) -> int:
        """The number of a name, which is made where it is new."""
        query = "SELECT id FROM names WHERE type = ? AND key = ?"
        found = self.db.execute(query, name).fetchone()
        if not found:
            self.db.execute("INSERT INTO names (type, key, letters, stems) VALUES (?, ?, ?, ?)", (*name, squash(name[1]), _stems(name[1])))
            found = self.db.execute(query, name).fetchone()
        return int(found[0])

    def _among(self, query: str, values: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
        wanted = list(values)
        for start in range(0, len(wanted), CHUNK):
            part = wanted[start : start + CHUNK]
            yield from self.db.execute(f"{query} ({','.join('?' * len(part))})", part).fetchall()

    def _change(self, table: str, row: Mapping[str, Any], by: int) -> None:
        """Add to a count; what comes to nothing leaves no row."""
        where, values = " AND ".join(f"{column} = ?" for column in row), tuple(row.values())
        found = self.db.execute(f"SELECT n FROM {table} WHERE {where}", values).fetchone()
        count = (found[0] if found else 0) + by
        if not count:
            self.db.execute(f"DELETE FROM {table} WHERE {where}", values)
        elif found:
            self.db.execute(f"UPDATE {table} SET n = ? WHERE {where}", (count, *values))
        else:
            self.db.execute(f"INSERT INTO {table} VALUES ({','.join('?' * (len(row) + 1))})", (*values, count))


def _fill(db: sqlite3.Connection, resolver: Resolver, resolution: Resolution, contents: Mapping[str, str]) -> None:
    """All rows but those of nodes."""
    run, entries = resolver.run, resolver.ledger.entries

    links = run.links if run else {}
    names: dict[Name, int] = {}
    strings: dict[int, Counter[str]] = defaultdict(Counter)
    nodes: dict[int, str] = {}
    for paper, (paper_id, entry) in enumerate(sorted(entries.items())):
        profiles = entry.profiles
        db.execute("INSERT INTO papers VALUES (?, ?, ?, ?)", (paper, paper_id, contents[paper_id], entry.packed))
        db.executemany("INSERT INTO bare VALUES (?, ?, ?)", ((*name, paper) for name in _bare(profiles)))
        linked = {eid: names.setdefault(name, len(names)) for eid, name in links.get(paper_id, {}).items()}
        db.executemany("INSERT INTO links VALUES (?, ?, ?)", ((paper, eid, number) for eid, number in linked.items()))
        for eid, number in linked.items():
            strings[number].update(dict(profiles[eid].surfaces))
            nodes[number] = resolution.links[paper_id][eid]
    named = ((number, *name, squash(name[1]), _stems(name[1]), nodes[number]) for name, number in names.items())
    db.executemany("INSERT INTO names VALUES (?, ?, ?, ?, ?, ?)", named)
    db.executemany("INSERT INTO strings VALUES (?, ?, ?)", ((n, *row) for n, counts in strings.items() for row in counts.items()))
    db.executemany("INSERT INTO keys VALUES (?, ?, ?)", ((*name, count) for name, count in resolver.ledger.papers.items()))
    spelled = ((*short, *row) for short, counts in resolver.ledger.shorts.items() for row in counts.items())
    db.executemany("INSERT INTO shorts VALUES (?, ?, ?, ?)", spelled)


def stamp(decisions: Sequence[Decision]) -> str:
    """A name for all that decides a resolution besides the papers."""
    parts = [str(LAYOUT), version("kgbuild"), *sorted(map(repr, decisions))]
    digest = hashlib.sha256("\0".join(parts).encode())
    for name in WORDS:
        digest.update(ontology_path(name).read_bytes())
    return digest.hexdigest()


def _stems(key: str) -> str:
    return "\n".join(signature(key))


def _bare(profiles: Mapping[str, Profile]) -> list[Name]:
    return sorted({(profile.type, profile.key) for profile in profiles.values() if profile.bare})
