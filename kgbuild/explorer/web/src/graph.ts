// The graph in the page: columns of numbers and names, the edges of each node, and parts that are unpacked when asked for.

import { plain, slicer } from "./plain";

export interface NodeType { name: string; kind: string; description: string }
export interface Relation { name: string; group: string; description: string; symmetric: boolean; role: string | null }
export interface Community { number: number; size: number; members: number[]; name: string }
export type Details = Record<string, unknown> & { edges?: number[] };

interface Core {
  title: string; papers: number; sourceType: string;
  schema: { types: NodeType[]; relations: Relation[] };
  counts: number[]; ids: string[]; names: string[]; aliases: Record<string, string[]>; weight: number[];
  x: number[]; y: number[]; firstYear: number[]; lastYear: number[]; community: number[];
  source: number[]; target: number[]; relation: number[]; belief: number[]; support: number[];
  communities: Community[]; together: [number, number, number][];
  matrix: { rows: number[]; columns: number[]; cells: number[][] };
  perPart: { details: number; evidence: number };
}
interface EvidencePart { counts: number[]; rows: number[]; texts: Record<string, string> }

/** A piece of evidence: a sentence of a paper and where the two ends stand in the paper's text. */
export interface Evidence {
  edge: number; paper: number; start: number; end: number; head: [number, number]; tail: [number, number];
  confidence: number; extractor: number; text?: string;
}
const WIDTH = 9; // numbers of one piece of evidence

const opened = new Map<string, Promise<unknown>>();

/** A part of the page, unpacked once. */
function part<T>(name: string): Promise<T> {
  let found = opened.get(name);
  if (!found) opened.set(name, (found = unpack(name)));
  return found as Promise<T>;
}

async function unpack(name: string): Promise<unknown> {
  const element = document.querySelector(`script[data-part="${name}"]`);
  if (!element) throw new Error(`the page lacks its part ${name}`);
  const packed = Uint8Array.from(atob(element.textContent ?? ""), (sign) => sign.charCodeAt(0));
  element.remove();
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

export class Graph {
  readonly types: NodeType[];
  readonly relations: Relation[];
  readonly count: number;
  readonly edges: number;
  readonly names: string[];
  readonly type: Uint8Array;
  readonly relation: Uint8Array;
  readonly firstOf: number[];
  private readonly offsets: Int32Array;
  private readonly incident: Int32Array;
  private readonly byId = new Map<string, number>();
  private readonly evidenceParts = new Map<number, { part: EvidencePart; starts: Int32Array }>();

  constructor(readonly core: Core) {
    this.types = core.schema.types;
    this.relations = core.schema.relations;
    this.count = core.ids.length;
    this.edges = core.source.length;
    this.names = core.names.map(plain);
    this.type = runs(core.counts, this.count);
    this.relation = runs(core.relation, this.edges);
    this.firstOf = core.counts.map((_, type) => core.counts.slice(0, type).reduce((sum, count) => sum + count, 0));
    this.offsets = new Int32Array(this.count + 1);
    for (let edge = 0; edge < this.edges; edge++) { this.offsets[core.source[edge] + 1]++; this.offsets[core.target[edge] + 1]++; }
    for (let node = 0; node < this.count; node++) this.offsets[node + 1] += this.offsets[node];
    this.incident = new Int32Array(this.edges * 2);
    const next = this.offsets.slice();
    for (let edge = 0; edge < this.edges; edge++) { this.incident[next[core.source[edge]]++] = edge; this.incident[next[core.target[edge]]++] = edge; }
    for (let node = this.count - 1; node >= 0; node--) this.byId.set(this.key(node), node);
  }

  static async load(): Promise<Graph> {
    return new Graph(await part<Core>("core"));
  }

  /** What stands for a node in the page's address: papers come with ids from outside and keep to a path of their own. */
  key(node: number): string {
    return (this.isPaper(node) ? "paper/" : "node/") + encodeURIComponent(this.core.ids[node]);
  }

  /** The node of a key, or undefined. */
  find(key: string): number | undefined {
    return this.byId.get(key);
  }

  isPaper(node: number): boolean { return this.typeOf(node).kind === "source"; }
  isConcept(node: number): boolean { return this.typeOf(node).kind === "concept"; }
  typeOf(node: number): NodeType { return this.types[this.type[node]]; }
  relationOf(edge: number): Relation { return this.relations[this.relation[edge]]; }
  degree(node: number): number { return this.offsets[node + 1] - this.offsets[node]; }
  edgesOf(node: number): Int32Array { return this.incident.subarray(this.offsets[node], this.offsets[node + 1]); }
  other(edge: number, node: number): number { return this.core.source[edge] === node ? this.core.target[edge] : this.core.source[edge]; }
  nodesOf(type: number): number[] { return Array.from({ length: this.core.counts[type] }, (_, row) => this.firstOf[type] + row); }

  /** `2019`, `2019–2022` or nothing. */
  years(node: number): string {
    const [first, last] = [this.core.firstYear[node], this.core.lastYear[node]];
    return !last ? "" : first === last ? String(first) : `${first}–${last}`;
  }

  /** The properties of a node that the core leaves out. */
  async details(node: number): Promise<Details> {
    const size = this.core.perPart.details;
    return (await part<Details[]>(`details-${Math.floor(node / size)}`))[node % size];
  }

  /** Edges that a paper is evidence for. */
  async contributed(paper: number): Promise<number[]> {
    let edge = 0;
    return ((await this.details(paper)).edges ?? []).map((step) => (edge += step));
  }

  /** All evidence of an edge, in the order of the graph. */
  async evidence(edge: number): Promise<Evidence[]> {
    const size = this.core.perPart.evidence;
    const { part: found, starts } = await this.evidencePart(Math.floor(edge / size));
    return Array.from({ length: found.counts[edge % size] }, (_, piece) => {
      const at = starts[edge % size] + piece;
      const [paper, start, end, headStart, headEnd, tailStart, tailEnd, confidence, extractor] = found.rows.slice(at * WIDTH, at * WIDTH + WIDTH);
      return { edge, paper, start, end, head: [headStart, headEnd], tail: [tailStart, tailEnd], confidence: confidence / 100, extractor, text: found.texts[at] };
    });
  }

  private async evidencePart(number: number): Promise<{ part: EvidencePart; starts: Int32Array }> {
    const known = this.evidenceParts.get(number);
    if (known) return known;
    const found = await part<EvidencePart>(`evidence-${number}`);
    const starts = new Int32Array(found.counts.length);
    for (let edge = 1; edge < starts.length; edge++) starts[edge] = starts[edge - 1] + found.counts[edge - 1];
    const value = { part: found, starts };
    this.evidenceParts.set(number, value);
    return value;
  }

  /** A reader of slices of a paper's text: title, newline, abstract, as the source gave them. */
  async text(paper: number): Promise<(start: number, end: number) => string> {
    return slicer(`${this.core.names[paper]}\n${String((await this.details(paper)).abstract ?? "")}`);
  }

  extractors(): Promise<string[]> { return part<string[]>("extractors"); }
}

/** [2, 3] as 0 0 1 1 1. */
function runs(counts: number[], total: number): Uint8Array {
  const out = new Uint8Array(total);
  let at = 0;
  counts.forEach((count, value) => { out.fill(value, at, at + count); at += count; });
  return out;
}

/** USED_FOR as `used for`. */
export const words = (name: string): string => name.toLowerCase().replaceAll("_", " ");
