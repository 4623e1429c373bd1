// Leaderboards: the figures of the graph by dataset and metric.

import type { Details, Graph } from "./graph";

/** A figure that a paper reports; `roles` maps method, dataset, task, metric and baseline to nodes. */
export interface Result {
  node: number; paper: number | null; edge: number | null; roles: Map<string, number>; roleEdges: number[];
}
export interface Figure extends Result { value: string; number: number; unit: string; kind: string; confidence: number }
export interface Board { dataset: number | null; metric: number; results: Result[] }

/** All boards: those of a named dataset first, of these the ones with most figures. */
export function boards(graph: Graph): Board[] {
  const found = new Map<string, Board>();
  graph.types.forEach((type, at) => {
    if (type.kind !== "fact") return;
    for (const node of graph.nodesOf(at)) {
      const result = resultOf(graph, node);
      const metric = result.roles.get("metric");
      if (metric === undefined) continue;
      const dataset = result.roles.get("dataset") ?? null;
      const key = `${dataset}|${metric}`;
      const board = found.get(key) ?? { dataset, metric, results: [] };
      board.results.push(result);
      found.set(key, board);
    }
  });
  return [...found.values()].sort((a, b) => Number(a.dataset === null) - Number(b.dataset === null) || b.results.length - a.results.length || a.metric - b.metric);
}

function resultOf(graph: Graph, node: number): Result {
  const result: Result = { node, paper: null, edge: null, roles: new Map(), roleEdges: [] };
  for (const edge of graph.edgesOf(node)) {
    const role = graph.relationOf(edge).role;
    const other = graph.other(edge, node);
    if (role) { result.roles.set(role, other); result.roleEdges.push(edge); }
    else if (graph.isPaper(other)) { result.paper = other; result.edge = edge; }
  }
  return result;
}

/** The figures of a board with what the graph knows of them. */
export function figures(graph: Graph, board: Board): Promise<Figure[]> {
  return Promise.all(board.results.map(async (result) => {
    const details: Details = await graph.details(result.node);
    return {
      ...result, value: String(details.value ?? ""), unit: String(details.unit ?? ""), kind: String(details.kind ?? ""),
      number: typeof details.number === "number" ? details.number : NaN, confidence: Number(details.confidence ?? 0),
    };
  }));
}
