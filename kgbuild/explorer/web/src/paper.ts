// The papers: a list, and for one of them its abstract with everything marked that the graph took from it.

import { h, outside, short, some } from "./dom";
import { type Evidence, words } from "./graph";
import { growing, type Page } from "./page";
import { fold } from "./search";
import { type Mark, marked, marksOf, paperAddress, spoken, withEvidence } from "./statement";

export async function papers(page: Page, node: number | null): Promise<HTMLElement> {
  const content = node === null ? h("p", { class: "quiet grow" }, "Choose a paper: its abstract is shown with everything marked that the graph took from it.") : await paper(page, node);
  return h("article", { class: "papers" }, h("h2", { class: node === null ? "" : "unseen" }, "Papers"), h("div", { class: "beside" }, paperList(page, node), content));
}

function paperList(page: Page, current: number | null): HTMLElement {
  const { graph } = page;
  const type = graph.types.findIndex((kind) => kind.name === graph.core.sourceType);
  const all = graph.nodesOf(type).sort((a, b) => graph.core.lastYear[b] - graph.core.lastYear[a] || graph.names[a].localeCompare(graph.names[b], "en"));
  const box = h("div", {});
  const row = (node: number): HTMLElement => h("li", {}, h("a", { class: "board", href: page.state.nodeHref(node), "aria-current": node === current ? "page" : null },
    h("span", {}, short(graph.names[node], 110)), h("span", { class: "count" }, graph.years(node))));
  const draw = (): void => {
    const typed = fold(input.value).split(" ");
    box.replaceChildren(growing(input.value ? all.filter((node) => typed.every((word) => fold(graph.names[node]).includes(word))) : all, 20, row));
  };
  const input = h("input", { type: "search", placeholder: "words of the title", "aria-label": "Find a paper", oninput: () => draw() });
  draw();
  return h("nav", { class: `rail ${current === null ? "" : "second"}`, "aria-label": "Papers" }, input, h("p", { class: "quiet" }, some(all.length, "paper")), box);
}

async function paper(page: Page, node: number): Promise<HTMLElement> {
  const { graph } = page;
  const details = await graph.details(node);
  const evidence = await evidenceOf(page, node);
  const marks = distinct(evidence.flatMap((item) => marksOf(graph, item)));
  const read = await graph.text(node);
  const titleLength = Array.from(graph.core.names[node]).length;
  const length = titleLength + 1 + Array.from(String(details.abstract ?? "")).length;
  const address = paperAddress(details);
  const authors = (details.authors as string[] | undefined) ?? [];
  return h("section", { class: "grow paper", "aria-label": "Paper" },
    h("h2", {}, ...marked(page, read, 0, titleLength, marks, true)),
    h("p", { class: "quiet" }, [authors.length > 8 ? `${authors.slice(0, 8).join(", ")} and ${authors.length - 8} more` : authors.join(", "), details.venue, graph.years(node)].filter(Boolean).join(" · ")),
    h("p", {}, address ? outside(address, "Read the paper ↗") : "", " ", h("a", { href: page.state.href(`map/${graph.key(node)}`) }, "Show on the map")),
    key(page, marks),
    h("p", { class: "abstract" }, ...marked(page, read, titleLength + 1, length, marks, true)),
    ...contributions(page, node, evidence));
}

async function evidenceOf(page: Page, node: number): Promise<Evidence[]> {
  const edges = await page.graph.contributed(node);
  return (await Promise.all(edges.map((edge) => page.graph.evidence(edge)))).flat().filter((item) => item.paper === node);
}

/** Each span once; where a span stands for a thing and for a value, the thing. */
function distinct(marks: Mark[]): Mark[] {
  const found = new Map<string, Mark>();
  for (const mark of marks) {
    const key = `${mark.start}-${mark.end}`;
    if (mark.node !== null || !found.has(key)) found.set(key, mark);
  }
  return [...found.values()];
}

function key(page: Page, marks: Mark[]): HTMLElement {
  const types = [...new Set(marks.flatMap((mark) => (mark.node === null ? [] : [page.graph.type[mark.node]])))].sort((a, b) => a - b);
  return h("p", { class: "key" }, ...types.map((type) => page.badge(type)), marks.some((mark) => mark.node === null) && h("span", { class: "badge value" }, "Value"));
}

/** What the paper added: its own contributions and tasks, statements between things, figures. Plain mentions are the marks above. */
function contributions(page: Page, node: number, evidence: Evidence[]): HTMLElement[] {
  const { graph } = page;
  const byRelation = new Map<number, number[]>();
  for (const edge of new Set(evidence.map((item) => item.edge))) {
    const relation = graph.relation[edge];
    byRelation.set(relation, [...(byRelation.get(relation) ?? []), edge]);
  }
  const widest = mostSpoken(page, byRelation);
  return [...byRelation.entries()].filter(([relation]) => relation !== widest && graph.relations[relation].group !== "result").sort(([a], [b]) => rank(page, a) - rank(page, b) || a - b).map(([relation, edges]) => {
    const own = graph.relations[relation].group === "paper";
    const row = (edge: number): HTMLElement => withEvidence(page, own ? [page.link(graph.core.target[edge], 90)] : spoken(page, edge), [edge], { paper: node });
    return h("section", {}, h("h3", { title: graph.relations[relation].description }, words(graph.relations[relation].name), h("span", { class: "count" }, edges.length)), growing(edges, 10, row));
  });
}

const rank = (page: Page, relation: number): number => ["paper", "concept", "result"].indexOf(page.graph.relations[relation].group);

/** The paper's relation that holds for everything it names: the marks in the abstract show it already. */
function mostSpoken(page: Page, found: Map<number, number[]>): number | null {
  const own = [...found.entries()].filter(([relation, edges]) => page.graph.relations[relation].group === "paper" && edges.every((edge) => page.graph.isConcept(page.graph.core.target[edge])));
  const [most, second] = own.sort(([, a], [, b]) => b.length - a.length);
  return most && second && most[1].length > second[1].length ? most[0] : null;
}
