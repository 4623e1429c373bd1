// The search field with its list of answers, usable by mouse, keyboard and screen reader.

import { h, short } from "./dom";
import type { Page } from "./page";
import { plain } from "./plain";
import { type Hit, Search } from "./search";

export function searchBox(page: Page): { box: HTMLElement; focus: () => void; typed: () => number } {
  const search = new Search(page.graph);
  let hits: Hit[] = [];
  let active = -1;
  let last = -Infinity; // when somebody typed
  const options = h("ul", { id: "hits", role: "listbox", "aria-label": "Answers", hidden: true });
  const status = h("span", { class: "unseen", role: "status" });
  const input = h("input", {
    id: "search", type: "search", role: "combobox", "aria-expanded": "false", "aria-controls": "hits", "aria-autocomplete": "list", "aria-label": "Search names and aliases",
    placeholder: "Search methods, tasks, datasets, papers …", autocomplete: "off", spellcheck: "false",
    oninput: () => { last = performance.now(); update(); }, onfocus: () => update(), onkeydown: (event: KeyboardEvent) => press(event), onblur: () => setTimeout(() => document.activeElement !== input && close(), 150), // who is back by then goes on typing
  });

  const update = (): void => {
    hits = search.find(input.value);
    active = hits.length ? 0 : -1;
    options.replaceChildren(...hits.map(option));
    if (input.value.trim() && !hits.length) options.append(h("li", { class: "quiet none" }, "Nothing bears that name."));
    options.hidden = !input.value.trim();
    input.setAttribute("aria-expanded", String(!options.hidden));
    status.textContent = input.value.trim() ? `${hits.length} answers` : "";
    mark();
  };
  const option = (hit: Hit, at: number): HTMLElement => h("li", { id: `hit-${at}`, role: "option", class: page.tone(hit.node), onpointerdown: (event: Event) => { event.preventDefault(); open(at); } },
    h("span", { class: "dot", "aria-hidden": "true" }), h("span", { class: "label" }, short(page.graph.names[hit.node], 90), hit.alias && h("span", { class: "quiet" }, ` ${short(plain(hit.alias), 50)}`)),
    h("span", { class: "count" }, page.graph.typeOf(hit.node).name, page.graph.isConcept(hit.node) ? ` · ${page.graph.core.weight[hit.node]}` : ""));
  const mark = (): void => {
    options.querySelectorAll("[role=option]").forEach((item, at) => item.setAttribute("aria-selected", String(at === active)));
    if (active >= 0) input.setAttribute("aria-activedescendant", `hit-${active}`);
    else input.removeAttribute("aria-activedescendant");
  };
  const open = (at: number): void => {
    const hit = hits[at];
    if (!hit) return;
    location.hash = page.state.nodeHref(hit.node);
    input.blur();
    close();
  };
  const close = (): void => {
    options.hidden = true;
    input.setAttribute("aria-expanded", "false");
  };
  const press = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step && hits.length) { active = (active + step + hits.length) % hits.length; mark(); options.children[active]?.scrollIntoView({ block: "nearest" }); event.preventDefault(); }
    else if (event.key === "Enter") open(Math.max(0, active));
    else if (event.key === "Escape") { input.value = ""; close(); input.blur(); event.stopPropagation(); }
  };
  return { box: h("div", { class: "search", role: "search" }, input, options, status), focus: () => input.focus(), typed: () => last };
}
