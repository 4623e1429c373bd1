// Where the reader is and what is filtered: all of it stands in the page's address, so that every view can be sent to somebody.

import type { Graph } from "./graph";

export const VIEWS = ["map", "overview", "leaderboards", "papers", "list"] as const;
export type View = (typeof VIEWS)[number];

export interface Filters {
  types: Set<number>; relations: Set<number>; from: number; to: number; belief: number;
}
export interface Place { view: View; node: number | null; board: [number | null, number] | null }

export class State {
  readonly years: [number, number];
  readonly defaults: Filters;
  filters: Filters;
  place: Place = { view: "map", node: null, board: null };
  private readonly listeners: ((changed: "place" | "filters") => void)[] = [];

  constructor(private readonly graph: Graph) {
    const known = graph.core.firstYear.filter(Boolean);
    const latest = graph.core.lastYear.reduce((a, b) => Math.max(a, b), 0);
    this.years = [known.reduce((a, b) => Math.min(a, b), latest), latest];
    this.defaults = this.initial();
    this.filters = copy(this.defaults);
  }

  /** Concepts and what holds between them: papers and figures would hide them, and come with a click. */
  private initial(): Filters {
    const concepts = this.graph.types.flatMap((type, at) => (type.kind === "concept" ? [at] : []));
    return { types: new Set(concepts), relations: new Set(this.graph.relations.keys()), from: this.years[0], to: this.years[1], belief: 0 };
  }

  listen(listener: (changed: "place" | "filters") => void): void { this.listeners.push(listener); }

  /** Take over what the address says; unknown names in it are passed over. */
  read(): void {
    const [path, query] = decodeHash(location.hash);
    const before = JSON.stringify(this.query().toString());
    this.place = this.placeOf(path);
    this.filters = this.filtersOf(new URLSearchParams(query));
    this.emit("place");
    if (JSON.stringify(this.query().toString()) !== before) this.emit("filters");
  }

  private placeOf(address: string): Place {
    const path = address.split("/").map(recoded).join("/");
    const [first, ...rest] = path.split("/");
    const node = this.graph.find(path);
    if (first === "paper" && node !== undefined) return { view: "papers", node, board: null };
    if (first === "node" && node !== undefined) return { view: "map", node, board: null };
    if (first === "map" && rest.length) return { view: "map", node: this.graph.find(rest.join("/")) ?? null, board: null };
    if (first === "leaderboard") {
      const [dataset, metric] = rest.map((id) => this.graph.find(`node/${id}`));
      if (metric !== undefined) return { view: "leaderboards", node: null, board: [dataset ?? null, metric] };
    }
    const view = VIEWS.find((name) => name === first || `${first}s` === name) ?? "map";
    return { view, node: null, board: null };
  }

  private filtersOf(query: URLSearchParams): Filters {
    const named = (key: string, names: string[], fallback: Set<number>): Set<number> =>
      query.has(key) ? new Set((query.get(key) ?? "").split(",").map((name) => names.indexOf(name)).filter((at) => at >= 0)) : new Set(fallback);
    const year = (key: string, fallback: number): number => Number(query.get(key)) || fallback;
    return {
      types: named("types", this.graph.types.map((type) => type.name), this.defaults.types),
      relations: named("relations", this.graph.relations.map((relation) => relation.name), this.defaults.relations),
      from: year("from", this.defaults.from), to: year("to", this.defaults.to),
      belief: Math.min(1, Math.max(0, Number(query.get("belief")) || 0)),
    };
  }

  private query(): URLSearchParams {
    const { filters, defaults } = this;
    const query = new URLSearchParams();
    if (!same(filters.types, defaults.types)) query.set("types", [...filters.types].sort((a, b) => a - b).map((at) => this.graph.types[at].name).join(","));
    if (!same(filters.relations, defaults.relations)) query.set("relations", [...filters.relations].sort((a, b) => a - b).map((at) => this.graph.relations[at].name).join(","));
    if (filters.from !== defaults.from) query.set("from", String(filters.from));
    if (filters.to !== defaults.to) query.set("to", String(filters.to));
    if (filters.belief > 0) query.set("belief", String(filters.belief));
    return query;
  }

  /** The address of a place with the filters of now. */
  href(path: string): string {
    const query = this.query().toString();
    return `#/${path}${query ? `?${query}` : ""}`;
  }

  /** The address of a node: papers are read, everything else is shown on the map. */
  nodeHref(node: number): string { return this.href(this.graph.key(node)); }

  boardHref(dataset: number | null, metric: number): string {
    return this.href(`leaderboard/${dataset === null ? "-" : encodeURIComponent(this.graph.core.ids[dataset])}/${encodeURIComponent(this.graph.core.ids[metric])}`);
  }

  go(path: string): void { location.hash = this.href(path); }

  /** Change filters and the address with them, without a new entry in the browser's history. */
  filter(change: Partial<Filters>): void {
    this.filters = { ...this.filters, ...change };
    history.replaceState(null, "", this.href(decodeHash(location.hash)[0] || "map"));
    this.emit("filters");
  }

  private emit(changed: "place" | "filters"): void { for (const listener of this.listeners) listener(changed); }

  showsNode(node: number): boolean {
    const { filters, years } = this;
    const narrowed = filters.from > years[0] || filters.to < years[1];
    const last = this.graph.core.lastYear[node];
    return filters.types.has(this.graph.type[node]) && (!narrowed || (last >= filters.from && last > 0 && this.graph.core.firstYear[node] <= filters.to));
  }

  showsEdge(edge: number): boolean {
    return this.filters.relations.has(this.graph.relation[edge]) && this.graph.core.belief[edge] >= this.filters.belief * 100;
  }
}

function decodeHash(hash: string): [string, string] {
  const text = hash.replace(/^#\/?/, "");
  const at = text.indexOf("?");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

/** One spelling for the ids in an address, whoever typed or shortened it. */
function recoded(text: string): string {
  try {
    return encodeURIComponent(decodeURIComponent(text));
  } catch {
    return text;
  }
}

function copy(filters: Filters): Filters {
  return { ...filters, types: new Set(filters.types), relations: new Set(filters.relations) };
}

function same(a: Set<number>, b: Set<number>): boolean {
  return a.size === b.size && [...a].every((item) => b.has(item));
}
