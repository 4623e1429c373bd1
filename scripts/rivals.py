"""What needs a language-model service does without one here: LangChain and neo4j-graphrag with answers that were made before.

The answers are kgbuild's own extractions in the words that each library asks for, so that only the library's own work is timed: its
prompts, the reading of answers, its graph documents. A real service would take seconds more for each paper. Both stop at one graph a
paper: nothing is merged.

    pip install langchain-experimental json-repair neo4j-graphrag
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kgbuild.extraction import load_extractor
from kgbuild.records import Extraction, Paper
from kgbuild.sources import read

Result = tuple[dict[str, float], str]


def answered(papers: Path, extractor: str) -> Iterator[tuple[Paper, Extraction]]:
    """Each paper with what the canned service says about it."""
    texts = [paper for _, paper in read([str(papers)], on_problem=print)]
    return zip(texts, load_extractor(extractor).extract(texts), strict=True)


def langchain(papers: Path, folder: Path, extractor: str) -> Result:
    """LLMGraphTransformer of langchain-experimental, without tool calls."""
    from langchain_core.documents import Document
    from langchain_core.language_models.chat_models import SimpleChatModel
    from langchain_experimental.graph_transformers import LLMGraphTransformer

    class Canned(SimpleChatModel):
        answer: str = ""

        @property
        def _llm_type(self) -> str:
            return "canned"

        def _call(self, messages: list[Any], *_: Any, **__: Any) -> str:
            return self.answer

    found = [(paper.text, _triples(extraction)) for paper, extraction in answered(papers, extractor)]
    start = time.monotonic()
    service, graphs = Canned(), []
    transformer = LLMGraphTransformer(service, ignore_tool_usage=True)
    for text, answer in found:
        service.answer = answer
        graphs += transformer.convert_to_graph_documents([Document(text)])
    return {"extract": time.monotonic() - start}, _made(sum(len(g.nodes) for g in graphs), sum(len(g.relationships) for g in graphs))


def _triples(extraction: Extraction) -> str:
    entities = {entity.eid: entity for entity in extraction.entities}
    rows = [
        {
            "head": entities[r.head].name,
            "head_type": entities[r.head].type,
            "relation": r.label,
            "tail": entities[r.tail].name,
            "tail_type": entities[r.tail].type,
        }
        for r in extraction.relations
    ]
    return json.dumps(rows)


def neo4j_graphrag(papers: Path, folder: Path, extractor: str) -> Result:
    """LLMEntityRelationExtractor of neo4j-graphrag, one chunk a paper."""
    from neo4j_graphrag.components.entity_relation_extractor import LLMEntityRelationExtractor
    from neo4j_graphrag.components.types import TextChunk, TextChunks
    from neo4j_graphrag.llm import LLMInterface, LLMResponse

    class Canned(LLMInterface):
        answer = ""

        def invoke(self, *_: Any, **__: Any) -> LLMResponse:
            return LLMResponse(content=self.answer)

        async def ainvoke(self, *_: Any, **__: Any) -> LLMResponse:
            return LLMResponse(content=self.answer)

    async def run() -> list[Any]:
        service = Canned("canned")
        extract = LLMEntityRelationExtractor(service, create_lexical_graph=False)
        graphs = []
        for text, answer in found:
            service.answer = answer
            graphs.append(await extract.run(chunks=TextChunks(chunks=[TextChunk(text=text, index=0)])))
        return graphs

    found = [(paper.text, _property_graph(extraction)) for paper, extraction in answered(papers, extractor)]
    start = time.monotonic()
    graphs = asyncio.run(run())
    return {"extract": time.monotonic() - start}, _made(sum(len(g.nodes) for g in graphs), sum(len(g.relationships) for g in graphs))


def _property_graph(extraction: Extraction) -> str:
    nodes = [{"id": e.eid, "label": e.type, "properties": {"name": e.name}} for e in extraction.entities]
    edges = [{"type": r.label, "start_node_id": r.head, "end_node_id": r.tail, "properties": {}} for r in extraction.relations]
    return json.dumps({"nodes": nodes, "relationships": edges})


def _made(nodes: int, edges: int) -> str:
    return f"{nodes:,} nodes, {edges:,} edges, none merged"
