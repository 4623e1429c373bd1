// The rail beside the map: legend and filters in one.

import { figure, h } from "./dom";
import { type Relation, words } from "./graph";
import type { Page } from "./page";

let restOpen = false;

/** Checkboxes for types (which are the legend) and relations, the years, and how sure a statement must be. */
export function rail(page: Page): HTMLElement {
  const { graph, state } = page;
  const box = h("div", { class: "rail" });
  const draw = (): void => {
    const focused = (document.activeElement as HTMLElement | null)?.id;
    box.replaceChildren(types(page), relations(page), belief(page), years(page) ?? "",
      h("button", { type: "button", class: "more", onclick: () => state.filter(state.defaults) }, "Reset filters"));
    if (focused) document.getElementById(focused)?.focus();
  };
  state.listen((changed) => { if (changed === "filters" && !(document.activeElement instanceof HTMLInputElement && document.activeElement.type === "range")) draw(); });
  draw();
  return graph.count ? box : h("div", {});
}

function types(page: Page): HTMLElement {
  const { graph, state } = page;
  return fieldset("Show", graph.types.map((type, at) => graph.core.counts[at] > 0 && check(`type-${type.name}`, state.filters.types.has(at), type.description,
    [h("span", { class: `dot tone-${page.tones[at]}`, "aria-hidden": "true" }), type.name], graph.core.counts[at],
    () => state.filter({ types: toggled(state.filters.types, at) }))));
}

function relations(page: Page): HTMLElement {
  const { graph, state } = page;
  const row = (relation: Relation, at: number): HTMLElement | false => graph.core.relation[at] > 0 && check(`relation-${relation.name}`, state.filters.relations.has(at), relation.description,
    [words(relation.name)], graph.core.relation[at], () => state.filter({ relations: toggled(state.filters.relations, at) }));
  const of = (concepts: boolean): (HTMLElement | false)[] => graph.relations.map((relation, at) => (relation.group === "concept") === concepts && row(relation, at));
  const rest = h("details", { open: restOpen, ontoggle: (event: Event) => { restOpen = (event.target as HTMLDetailsElement).open; } }, h("summary", { class: "quiet" }, "of papers and figures"), ...of(false));
  const all = h("button", { type: "button", class: "more", onclick: () => state.filter({ relations: new Set(state.filters.relations.size ? [] : graph.relations.keys()) }) }, state.filters.relations.size ? "none" : "all");
  return fieldset("Relations", [...of(true), rest, all]);
}

function check(id: string, checked: boolean, description: string, label: (Node | string)[], count: number, change: () => void): HTMLElement {
  return h("label", { class: "check", title: description },
    h("input", { id, type: "checkbox", checked, onchange: change }), h("span", { class: "name" }, ...label), h("span", { class: "count" }, figure(count)));
}

function belief(page: Page): HTMLElement {
  const { state } = page;
  const shown = h("output", { for: "belief" }, `${Math.round(state.filters.belief * 100)} %`);
  const input = h("input", { id: "belief", type: "range", min: 0, max: 100, step: 5, value: Math.round(state.filters.belief * 100), "aria-label": "Belief at least",
    oninput: () => { shown.textContent = `${input.value} %`; state.filter({ belief: Number(input.value) / 100 }); } });
  return fieldset("Belief at least", [h("div", { class: "slider" }, input, shown)]);
}

function years(page: Page): HTMLElement | null {
  const { state } = page;
  if (state.years[0] >= state.years[1]) return null;
  const input = (key: "from" | "to", label: string): HTMLElement => {
    const box = h("input", { id: `year-${key}`, type: "number", min: state.years[0], max: state.years[1], value: state.filters[key], "aria-label": label,
      onchange: () => state.filter({ [key]: Math.min(state.years[1], Math.max(state.years[0], Number(box.value) || state.defaults[key])) }) });
    return box;
  };
  return fieldset("Years", [h("div", { class: "slider" }, input("from", "From year"), "–", input("to", "To year"))]);
}

function fieldset(title: string, children: (Node | string | false | null)[]): HTMLElement {
  return h("fieldset", {}, h("legend", {}, title), ...children);
}

function toggled(set: Set<number>, item: number): Set<number> {
  const next = new Set(set);
  if (!next.delete(item)) next.add(item);
  return next;
}
