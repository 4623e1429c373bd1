"""From documents to the next graph: made from all of them, or grown from the graph before where few have changed."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from kgbuild.errors import StoreError
from kgbuild.graph import Change, Graph
from kgbuild.graphfile import STATE
from kgbuild.ledger import Documents
from kgbuild.resolution import Resolver, assemble
from kgbuild.resolution.patching import patch
from kgbuild.resolution.profile import Profiler
from kgbuild.resolution.revision import Revision, Said, revise
from kgbuild.resolution.state import State
from kgbuild.resolution.values import Decision, Resolution
from kgbuild.resolution.vocabulary import load_vocabulary

FEW = 100  # changed papers that are always few
SHARE = 0.1  # of all papers, up to which changed ones are few: beyond it making the graph anew is as fast


class Growth:
    """The way to the graph of some documents; either way leads to the same graph.

    `changes` tells how it differs from the graph before, by type or relation; None where it was made anew.
    """

    def __init__(self, folder: Path, before: Path | None, documents: Documents, decisions: Sequence[Decision]) -> None:
        """Resolve, and leave in `folder` what the next growth starts from. `before`: the folder of the graph before."""
        self.folder = folder
        self.before = before
        self.documents = documents
        self.changes: Mapping[str, Change] | None = None
        self.resolution: Resolution | None = None
        self.revision = self._revised(folder / STATE, before, decisions) if before else None
        if not self.revision:
            self.resolution = self._resolved(folder / STATE, decisions)

    def _revised(self, path: Path, before: Path, decisions: Sequence[Decision]) -> Revision | None:
        """The revision of the state before; None where there is none that serves, or too much has changed."""
        contents = self.documents.contents
        try:
            shutil.copyfile(before / STATE, path)
            with State(path, Profiler(load_vocabulary())) as state:
                if not state.usable(decisions):
                    return None
                known = state.contents()
                gone = {id_ for id_, content in known.items() if contents.get(id_) != content}
                new = {id_ for id_, content in contents.items() if known.get(id_) != content}
                if len(gone | new) > max(FEW, SHARE * len(contents)):
                    return None
                said = [Said(paper, extraction, contents[paper.id]) for paper, extraction in self.documents.only(new)]
                return revise(state, gone, said, self.documents.by_id.__getitem__, decisions)
        except (FileNotFoundError, sqlite3.DatabaseError):
            return None

    def _resolved(self, path: Path, decisions: Sequence[Decision]) -> Resolution:
        resolver = Resolver()
        for paper, extraction in self.documents:
            resolver.add(paper, extraction)
        resolution = resolver.resolve(decisions)
        path.unlink(missing_ok=True)
        try:
            State.write(path, resolver, resolution, self.documents.contents, decisions)
        except sqlite3.Error as error:
            raise StoreError(f"{path}: cannot be written: {error}", "free some space and run again") from error
        return replace(resolution, merges=(), proposals=())  # they are many, and the graph has no place for them

    def graph(self) -> Graph:
        """The graph of the documents; made anew, its tables lie in the folder and are read from there."""
        if self.resolution:
            return assemble(self.documents, self.resolution, into=self.folder)
        assert self.revision
        assert self.before
        part = assemble(self.documents.only(self.revision.papers), self.revision.resolution)
        patched = patch(Graph.read(self.before), self.revision, part, self.documents.by_id.__getitem__)
        self.changes = patched.changes
        return patched.graph
