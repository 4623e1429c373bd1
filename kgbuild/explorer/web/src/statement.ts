// A statement and the sentences behind it: sentences are unpacked when somebody wants to read them.

import { h, outside, some, webAddress } from "./dom";
import type { Details, Evidence, Graph } from "./graph";
import { words } from "./graph";
import { growing, type Page } from "./page";
import { plain } from "./plain";

/** A span of a paper's text that stands for a node, or for a value where `node` is null. */
export interface Mark { start: number; end: number; node: number | null }

/** The text from `start` to `end` with marks in it; of overlapping marks the longest is kept. */
export function marked(page: Page, read: (start: number, end: number) => string, start: number, end: number, marks: Mark[], linked = false): Node[] {
  const kept: Mark[] = [];
  const fitting = marks.filter((mark) => mark.start >= start && mark.end <= end && mark.end > mark.start);
  for (const mark of fitting.sort((a, b) => b.end - b.start - (a.end - a.start) || a.start - b.start)) {
    if (kept.every((other) => mark.end <= other.start || mark.start >= other.end)) kept.push(mark);
  }
  const out: Node[] = [];
  let at = start;
  for (const mark of kept.sort((a, b) => a.start - b.start)) {
    out.push(document.createTextNode(plain(read(at, mark.start))), markElement(page, mark, plain(read(mark.start, mark.end)), linked));
    at = mark.end;
  }
  out.push(document.createTextNode(plain(read(at, end))));
  return out;
}

function markElement(page: Page, mark: Mark, text: string, linked: boolean): HTMLElement {
  if (mark.node === null) return h("mark", { class: "value" }, text);
  const type = page.graph.typeOf(mark.node).name;
  const element = h("mark", { class: page.tone(mark.node), title: `${type}: ${page.graph.names[mark.node].slice(0, 200)}` }, text);
  return linked ? h("a", { href: page.state.nodeHref(mark.node), class: "bare" }, element) : element;
}

/** The marks that a piece of evidence brings. */
export function marksOf(graph: Graph, evidence: Evidence): Mark[] {
  const ends: [number, [number, number]][] = [[graph.core.source[evidence.edge], evidence.head], [graph.core.target[evidence.edge], evidence.tail]];
  return ends.flatMap(([node, [start, end]]) => (start < 0 ? [] : [{ start, end, node: graph.isConcept(node) ? node : null }]));
}

/** Where the paper can be read outside: its address, DOI or arXiv page; null where the graph knows none. */
export function paperAddress(details: Details): string | null {
  const { url, doi, arxiv } = details as Record<string, string | undefined>;
  return (url && webAddress(url)) || (doi && webAddress(`https://doi.org/${doi}`)) || (arxiv && webAddress(`https://arxiv.org/abs/${arxiv}`)) || null;
}

/** One sentence with its marks, the paper it stands in and how sure the extractor was. */
export async function sentence(page: Page, evidence: Evidence, more: Mark[] = []): Promise<HTMLElement> {
  const { graph } = page;
  const quote = h("blockquote", {});
  if (evidence.text !== undefined || evidence.paper < 0) quote.append(plain(evidence.text ?? ""));
  else quote.append(...marked(page, await graph.text(evidence.paper), evidence.start, evidence.end, [...marksOf(graph, evidence), ...more]));
  const source = h("p", { class: "source" });
  if (evidence.paper >= 0) {
    const address = paperAddress(await graph.details(evidence.paper));
    source.append(page.link(evidence.paper, 90), graph.years(evidence.paper) && ` ${graph.years(evidence.paper)} `, address ? outside(address, "open ↗") : "");
  }
  const extractor = (await graph.extractors())[evidence.extractor] ?? "";
  source.append(h("span", { class: "quiet", title: `Confidence of the extractor${extractor ? ` (${extractor})` : ""}` }, ` ${Math.round(evidence.confidence * 100)} %`));
  return h("div", { class: "sentence" }, quote, source);
}

/** All sentences behind an edge, or of one paper only. */
export async function sentences(page: Page, edges: number[], paper?: number): Promise<HTMLElement> {
  const found = (await Promise.all(edges.map((edge) => page.graph.evidence(edge)))).flat().filter((item) => paper === undefined || item.paper === paper);
  if (!found.length) return h("p", { class: "quiet" }, "Background knowledge: the vocabulary states it, no paper here does.");
  const built = await Promise.all(found.slice(0, 40).map((item) => sentence(page, item)));
  return growing(built, 3, (item) => h("li", {}, item));
}

/** A row of a list: what stands there, and a button that shows the sentences below it. */
export function withEvidence(page: Page, content: Node[], edges: number[], options: { paper?: number; open?: boolean } = {}): HTMLElement {
  const { graph } = page;
  const belief = Math.max(...edges.map((edge) => graph.core.belief[edge]));
  const support = Math.max(...edges.map((edge) => graph.core.support[edge]));
  const box = h("div", { class: "evidence", hidden: true });
  const button = h("button", { type: "button", class: "show", "aria-expanded": "false", title: "Show the sentences behind it", onclick: () => void toggle() },
    h("span", { class: "meter", "aria-hidden": "true" }, bar(belief)), h("span", { class: "unseen" }, `belief ${belief} %, `),
    support ? some(support, "paper") : "vocabulary", h("span", { class: "chevron", "aria-hidden": "true" }));
  const toggle = async (): Promise<void> => {
    box.hidden = !box.hidden;
    button.setAttribute("aria-expanded", String(!box.hidden));
    if (!box.hidden && !box.hasChildNodes()) box.append(await sentences(page, edges, options.paper));
  };
  if (options.open) void toggle();
  return h("li", { class: "statement" }, h("div", { class: "row" }, h("div", { class: "what" }, ...content), button), box);
}

function bar(belief: number): HTMLElement {
  const inner = h("span", {});
  inner.style.width = `${belief}%`;
  return inner;
}

/** `A used for B`, both ends as links. */
export function spoken(page: Page, edge: number): Node[] {
  const { graph } = page;
  return [page.link(graph.core.source[edge], 60), h("span", { class: "verb", title: graph.relationOf(edge).description }, ` ${words(graph.relationOf(edge).name)} `), page.link(graph.core.target[edge], 60)];
}
