// The list behind the map: the same nodes as a table, for screen readers, small screens and anybody who prefers to read.

import { h, some } from "./dom";
import type { Page } from "./page";
import { sortable } from "./table";

const MOST = 400;

export function list(page: Page, filters: HTMLElement): HTMLElement {
  const { graph, state } = page;
  const box = h("div", { class: "grow" });
  const draw = (): void => {
    const { weight } = graph.core;
    const shown = Array.from({ length: graph.count }, (_, node) => node).filter((node) => state.showsNode(node));
    const best = shown.sort((a, b) => weight[b] - weight[a] || graph.degree(b) - graph.degree(a) || a - b).slice(0, MOST);
    box.replaceChildren(
      h("p", { class: "quiet", role: "status" }, some(shown.length, "node"), shown.length > MOST ? `; the ${MOST} in most papers stand below, search finds the rest` : ""),
      sortable("Nodes of the graph", [
        { title: "Name", cell: (node) => page.link(node, 90), by: (node) => graph.names[node].toLowerCase() },
        { title: "Type", cell: (node) => graph.typeOf(node).name, by: (node) => graph.type[node] },
        { title: "Papers", cell: (node) => String(weight[node]), by: (node) => weight[node], number: true },
        { title: "Edges", cell: (node) => String(graph.degree(node)), by: (node) => graph.degree(node), number: true },
        ...(state.years[1] ? [{ title: "Years", cell: (node: number) => graph.years(node), by: (node: number) => graph.core.firstYear[node], number: true }] : []),
      ], best, { column: 2, down: true }));
  };
  const view = h("article", { class: "list" }, h("h2", {}, "List"), h("div", { class: "beside" }, filters, box));
  state.listen((changed) => { if (changed === "filters" && view.isConnected) draw(); });
  draw();
  return view;
}
