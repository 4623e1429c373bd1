// The panel of a node: what it is, its names, its statements grouped, its results and its papers.

import { figure, h, outside, short, some } from "./dom";
import type { Graph, Relation } from "./graph";
import { words } from "./graph";
import { growing, type Page } from "./page";
import { plain } from "./plain";
import { withEvidence } from "./statement";

interface Group { relation: Relation; outgoing: boolean; edges: number[] }

const SHOWN = 6; // rows of a group before `more`

export async function nodePanel(page: Page, node: number, close: () => void): Promise<HTMLElement> {
  const { graph } = page;
  const details = await graph.details(node);
  const groups = grouped(page, node);
  const statements = groups.filter((group) => group.relation.group === "concept");
  let first = true; // the strongest statement shows its sentence at once: that is what this page is for
  const sections = statements.map((group) => {
    const open = first;
    first = false;
    return groupSection(page, node, group, open);
  });
  return h("article", { class: `panel ${page.tone(node)}`, "aria-label": short(graph.names[node], 200) },
    h("header", {},
      h("div", { class: "line" }, page.badge(graph.type[node]), h("button", { class: "close", type: "button", title: "Close (Esc)", "aria-label": "Close", onclick: close }, "×")),
      h("h2", {}, clamped(graph.names[node])),
      h("p", { class: "quiet" }, facts(page, node, statements)),
      aliasLine(graph.core.aliases[node] ?? []),
      sameAs((details.same_as as string[] | undefined) ?? []),
      ...properties(details)),
    ...sections,
    resultSection(page, node, groups),
    paperSection(page, node, groups),
    !graph.degree(node) && h("p", { class: "quiet" }, "Nothing else in the graph is connected with it."));
}

/** A name as text; what is very long shows its rest on demand. */
function clamped(name: string): HTMLElement {
  if (name.length <= 220) return h("span", {}, name);
  const text = h("span", {}, short(name, 200));
  const button = h("button", { class: "more", type: "button", onclick: () => { text.textContent = name; button.remove(); } }, "all of it");
  return h("span", {}, text, " ", button);
}

function facts(page: Page, node: number, statements: Group[]): string {
  const { graph } = page;
  const community = graph.core.communities.find((item) => item.number === graph.core.community[node]);
  const count = statements.reduce((sum, group) => sum + group.edges.length, 0);
  return [
    graph.isConcept(node) && `in ${page.papers(node)}`,
    graph.years(node),
    count > 0 && some(count, "statement"),
    community && graph.isConcept(node) && `among ${community.members.filter((member) => member !== node).slice(0, 2).map((member) => short(graph.names[member], 40)).join(" and ")}`,
  ].filter(Boolean).join(" · ");
}

function aliasLine(aliases: string[]): HTMLElement | null {
  if (!aliases.length) return null;
  const shown = aliases.map(plain);
  return h("p", { class: "aliases" }, h("span", { class: "quiet" }, "Also: "), short(shown.join(", "), 400));
}

function sameAs(ids: string[]): HTMLElement | null {
  return ids.length ? h("p", { class: "aliases" }, h("span", { class: "quiet" }, "Same as: "), ...ids.slice(0, 8).flatMap((id) => [outside(id, short(id, 60)), " "])) : null;
}

const QUIET = new Set(["aliases", "same_as", "edges", "abstract", "mentions", "confidence"]);

/** What else the graph knows of the node, such as the direction of a metric, the kind of a result or an address. */
function properties(details: Record<string, unknown>): HTMLElement[] {
  return Object.entries(details).filter(([key]) => !QUIET.has(key)).map(([key, value]) => {
    const text = Array.isArray(value) ? value.join(", ") : String(value);
    return h("p", { class: "aliases" }, h("span", { class: "quiet" }, `${words(key)}: `), outside(text, plain(short(text, 300))));
  });
}

/** Statements by relation and direction, in the order of the schema; the surest first; filters count here too. */
function grouped(page: Page, node: number): Group[] {
  const { graph } = page;
  const groups = new Map<number, Group>();
  for (const edge of graph.edgesOf(node)) {
    if (!page.state.showsEdge(edge)) continue;
    const relation = graph.relationOf(edge);
    const outgoing = graph.core.source[edge] === node || relation.symmetric;
    const key = graph.relation[edge] * 2 + (outgoing ? 0 : 1);
    if (!groups.has(key)) groups.set(key, { relation, outgoing, edges: [] });
    groups.get(key)?.edges.push(edge);
  }
  const sorted = [...groups.entries()].sort(([a], [b]) => a - b).map(([, group]) => group);
  for (const group of sorted) group.edges.sort((a, b) => strength(graph, b) - strength(graph, a) || a - b);
  return sorted;
}

export function strength(graph: Graph, edge: number): number {
  return graph.core.belief[edge] * (1 + Math.log2(1 + graph.core.support[edge]));
}

function heading(group: Group, count: number): HTMLElement {
  const verb = words(group.relation.name);
  return h("h3", { title: group.relation.description }, h("span", { class: "verb" }, group.outgoing ? `${verb} →` : `→ ${verb} this`), h("span", { class: "count" }, figure(count)));
}

function groupSection(page: Page, node: number, group: Group, open: boolean): HTMLElement {
  const row = (edge: number): HTMLElement => withEvidence(page, [page.link(page.graph.other(edge, node), 80)], [edge], { open: open && edge === group.edges[0] });
  return h("section", {}, heading(group, group.edges.length), growing(group.edges, SHOWN, row));
}

function resultSection(page: Page, node: number, groups: Group[]): HTMLElement | null {
  const { graph } = page;
  const own = graph.typeOf(node).kind === "fact";
  const edges = groups.filter((group) => group.relation.group === "result" || (group.relation.group === "paper" && graph.typeOf(graph.other(group.edges[0], node)).kind === "fact")).flatMap((group) => group.edges);
  if (!edges.length) return null;
  const row = (edge: number): HTMLElement => {
    const role = h("span", { class: "quiet" }, `${graph.relationOf(edge).role ?? ""} `);
    return withEvidence(page, own ? [role, page.link(graph.other(edge, node), 80)] : [page.link(graph.other(edge, node), 90), ...boardLink(page, graph.other(edge, node))], [edge]);
  };
  return h("section", {}, h("h3", {}, own ? "What it is a figure of" : "Results", h("span", { class: "count" }, figure(edges.length))), growing(edges, SHOWN, row));
}

/** From a result to its leaderboard. */
function boardLink(page: Page, result: number): Node[] {
  const ends = new Map<string, number>();
  for (const edge of page.graph.edgesOf(result)) {
    const role = page.graph.relationOf(edge).role;
    if (role) ends.set(role, page.graph.core.target[edge]);
  }
  const metric = ends.get("metric");
  return metric === undefined ? [] : [h("a", { class: "quiet", href: page.state.boardHref(ends.get("dataset") ?? null, metric) }, " board")];
}

/** Papers that name the node, each once, with what they do with it. */
function paperSection(page: Page, node: number, groups: Group[]): HTMLElement | null {
  const { graph } = page;
  const byPaper = new Map<number, number[]>();
  for (const edge of groups.filter((group) => group.relation.group === "paper").flatMap((group) => group.edges)) {
    const other = graph.other(edge, node);
    if (graph.typeOf(other).kind !== "fact") byPaper.set(other, [...(byPaper.get(other) ?? []), edge]);
  }
  if (!byPaper.size) return null;
  const own = graph.isPaper(node);
  const rows = [...byPaper.entries()].sort(([a, x], [b, y]) => y.length - x.length || graph.core.lastYear[b] - graph.core.lastYear[a] || a - b);
  const row = ([other, edges]: [number, number[]]): HTMLElement => {
    const verbs = edges.map((edge) => words(graph.relationOf(edge).name)).join(", ");
    return withEvidence(page, [page.link(other, 110), h("span", { class: "quiet" }, ` ${[graph.years(other), verbs].filter(Boolean).join(" · ")}`)], edges);
  };
  return h("section", {}, h("h3", {}, own ? "What it names" : "Papers", h("span", { class: "count" }, figure(rows.length))), growing(rows, SHOWN, row));
}
