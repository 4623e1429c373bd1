"""Every piece of evidence against the text of its paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kgbuild.graph import Graph

SPANS = (("evidence_head_start", "evidence_head_end"), ("evidence_tail_start", "evidence_tail_end"))


@dataclass
class Verification:
    """`checked`: spans looked at; `faults`: one line for each that does not hold."""

    checked: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Share of the spans that hold, in [0, 1]."""
        return 1 - len(self.faults) / self.checked if self.checked else 1.0


def verify(graph: Graph) -> Verification:
    """Slice the text of its paper for every passage, mention and quote of the graph and compare.

    Raises SchemaError where the tables themselves break the ontology.
    """
    graph.validate()
    source = next(name for name, kind in graph.schema.nodes.items() if kind.kind == "source")
    texts = {row["id"]: f"{row['title']}\n{row['abstract']}" for _, row in graph.node_rows(source)}
    found = Verification()
    for name, row in graph.edge_rows():
        for fault in _edge_faults(row, texts):
            found.checked += 1
            if fault:
                found.faults.append(f"{name} {row['source']} -> {row['target']}: {fault}")
    _check_quotes(graph, texts, found)
    return found


def _edge_faults(row: Mapping[str, Any], texts: Mapping[str, str]) -> Iterator[str]:
    """For each span of the edge what is wrong with it, empty where nothing is."""
    for i, paper in enumerate(row["evidence_paper"]):
        text = texts.get(paper)
        start, end = row["evidence_start"][i], row["evidence_end"][i]
        if text is None:
            yield f"evidence from the paper {paper!r}, which is not in the graph"
            continue
        holds = 0 <= start < end <= len(text) and text[start:end] == row["evidence_text"][i]
        yield "" if holds else f"{paper}[{start}:{end}] is {text[start:end][:60]!r}, not {row['evidence_text'][i][:60]!r}"
        for left, right in SPANS:
            inner, outer = row[left][i], row[right][i]
            if (inner, outer) != (-1, -1):
                yield "" if start <= inner < outer <= end else f"{paper}[{inner}:{outer}] is not inside its passage [{start}:{end}]"


def _check_quotes(graph: Graph, texts: Mapping[str, str], found: Verification) -> None:
    """Results quote the paper that reports them."""
    fact = next(name for name, kind in graph.schema.nodes.items() if kind.kind == "fact")
    quotes = {row["id"]: row["quote"] for _, row in graph.node_rows(fact)}
    for relation in graph.schema.group("paper"):
        if all(target != fact for _, target in relation.patterns):
            continue
        for _, row in graph.edge_rows(relation.name):
            found.checked += 1
            if quotes[row["target"]] not in texts[row["source"]]:
                found.faults.append(f"{row['target']}: its quote is not in the paper {row['source']}: {quotes[row['target']][:60]!r}")
