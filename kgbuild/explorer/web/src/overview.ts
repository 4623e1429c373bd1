// What the graph is about, in figures and names: beside the map in short, as a view of its own at length.

import { figure, h, some } from "./dom";
import type { Page } from "./page";

/** Beside the map while nothing is selected. */
export function summary(page: Page): HTMLElement {
  return h("article", { class: "panel", "aria-label": "About this graph" },
    h("header", {}, h("h2", {}, "What this graph is about"), h("p", {}, sentence(page))),
    ...conceptTypes(page).map((type) => topList(page, type, 6)),
    h("p", { class: "quiet keys" }, "Press ", h("kbd", {}, "/"), " to search, ", h("kbd", {}, "?"), " for all keys. Click a node for its statements and the sentences behind them."));
}

/** The whole overview. */
export function overview(page: Page): HTMLElement {
  return h("article", { class: "overview" },
    h("h2", {}, "Overview"), h("p", { class: "lead" }, sentence(page)),
    tiles(page),
    h("div", { class: "columns" }, ...conceptTypes(page).map((type) => topList(page, type, 12))),
    communities(page), matrix(page), together(page));
}

const conceptTypes = (page: Page): number[] => page.graph.types.flatMap((type, at) => (type.kind === "concept" && page.graph.core.counts[at] > 0 ? [at] : []));

function sentence(page: Page): string {
  const { graph } = page;
  const kinds = conceptTypes(page).map((type) => some(graph.core.counts[type], graph.types[type].name.toLowerCase()));
  const statements = graph.relations.reduce((sum, relation, at) => sum + (relation.group === "concept" ? graph.core.relation[at] : 0), 0);
  const years = graph.core.firstYear.filter(Boolean);
  const span = years.length ? ` from ${years.reduce((a, b) => Math.min(a, b))} to ${graph.core.lastYear.reduce((a, b) => Math.max(a, b))}` : "";
  return `${some(graph.core.papers, "paper")}${span} speak of ${kinds.join(", ").replace(/, ([^,]*)$/, " and $1")}, and make ${some(statements, "statement")} about how they hang together. Each one shows the sentence it was read from.`;
}

function tiles(page: Page): HTMLElement {
  const { graph } = page;
  return h("dl", { class: "tiles" }, ...graph.types.map((type, at) => graph.core.counts[at] > 0 && h("div", { class: `tile tone-${page.tones[at]}`, title: type.description },
    h("dt", {}, h("span", { class: "dot", "aria-hidden": "true" }), type.name), h("dd", {}, figure(graph.core.counts[at])))));
}

function topList(page: Page, type: number, most: number): HTMLElement {
  const top = page.top(type, most);
  const highest = Math.max(1, ...top.map((node) => page.graph.core.weight[node]));
  return h("section", { class: `top tone-${page.tones[type]}` }, h("h3", {}, page.graph.types[type].name + "s", h("span", { class: "count" }, figure(page.graph.core.counts[type]))),
    h("ol", { class: "plain bars" }, ...top.map((node) => {
      const bar = h("span", { class: "bar", "aria-hidden": "true" });
      bar.style.width = `${(100 * page.graph.core.weight[node]) / highest}%`;
      return h("li", {}, bar, page.link(node, 60), h("span", { class: "count" }, figure(page.graph.core.weight[node]), h("span", { class: "unseen" }, " papers")));
    })));
}

function communities(page: Page): HTMLElement {
  return h("section", {}, h("h3", {}, "Communities"), h("p", { class: "quiet" }, "Things that hang together more than with the rest, each named by its telling members."),
    h("ul", { class: "cards" }, ...page.graph.core.communities.map((community) => h("li", { class: "card" },
      ...community.members.map((node) => page.link(node, 44)), h("span", { class: "quiet" }, some(community.size, "node"))))));
}

function matrix(page: Page): HTMLElement | null {
  const { rows, columns, cells } = page.graph.core.matrix;
  if (!rows.length || !columns.length) return null;
  const highest = Math.max(...cells.flat());
  const cell = (value: number): HTMLElement => {
    const box = h("td", { class: value ? "filled" : "" }, value || "");
    if (value) box.style.setProperty("--share", String(0.12 + (0.6 * value) / highest));
    return box;
  };
  return h("section", {}, h("h3", {}, "Tasks by datasets"), h("p", { class: "quiet" }, "Number of papers that name both."),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Tasks by datasets" }, h("table", { class: "matrix" },
      h("thead", {}, h("tr", {}, h("td", {}), ...columns.map((node) => h("th", { scope: "col" }, h("div", {}, page.link(node, 26)))))),
      h("tbody", {}, ...rows.map((node, row) => h("tr", {}, h("th", { scope: "row" }, page.link(node, 40)), ...cells[row].map(cell)))))));
}

function together(page: Page): HTMLElement | null {
  const pairs = page.graph.core.together;
  if (!pairs.length) return null;
  return h("section", {}, h("h3", {}, "Often together"), h("p", { class: "quiet" }, "Named by the same papers."),
    h("ul", { class: "plain pairs" }, ...pairs.slice(0, 24).map(([left, right, papers]) => h("li", {}, page.link(left, 36), " + ", page.link(right, 36), h("span", { class: "count" }, some(papers, "paper"))))));
}

