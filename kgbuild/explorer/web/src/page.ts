// What every view needs: the graph, where the reader is, and the small pieces that look alike everywhere.

import { h, short, some } from "./dom";
import type { Graph } from "./graph";
import type { State } from "./state";
import { tones } from "./tone";

export class Page {
  readonly tones: string[];
  constructor(readonly graph: Graph, readonly state: State) {
    this.tones = tones(graph);
  }

  tone(node: number): string { return `tone-${this.tones[this.graph.type[node]]}`; }

  /** A link to a node with the dot of its type. */
  link(node: number, most = 120): HTMLElement {
    const type = this.graph.typeOf(node).name;
    const name = this.graph.names[node];
    return h("a", { class: `node ${this.tone(node)}`, href: this.state.nodeHref(node), title: name.length > most ? `${type}: ${short(name, 400)}` : type },
      h("span", { class: "dot", "aria-hidden": "true" }), h("span", { class: "label" }, short(name, most)), h("span", { class: "unseen" }, ` (${type})`));
  }

  badge(type: number): HTMLElement {
    return h("span", { class: `badge tone-${this.tones[type]}` }, h("span", { class: "dot", "aria-hidden": "true" }), this.graph.types[type].name);
  }

  papers(node: number): string { return some(this.graph.core.weight[node], "paper"); }

  /** The concepts of a type that most papers name. */
  top(type: number, most: number): number[] {
    const { weight } = this.graph.core;
    return this.graph.nodesOf(type).sort((a, b) => weight[b] - weight[a] || this.graph.degree(b) - this.graph.degree(a) || a - b).slice(0, most);
  }
}

/** A list that starts short and grows by a button. */
export function growing<T>(items: T[], first: number, row: (item: T) => HTMLElement, list: HTMLElement = h("ul", { class: "plain" })): HTMLElement {
  const box = h("div", {}, list);
  let shown = 0;
  const more = h("button", { class: "more", type: "button", onclick: () => grow(shown * 2) });
  const grow = (step: number): void => {
    list.append(...items.slice(shown, shown + step).map(row));
    shown = Math.min(items.length, shown + step);
    more.textContent = `${(items.length - shown).toLocaleString("en")} more`;
    if (shown >= items.length) more.remove();
    else box.append(more);
  };
  grow(first);
  return box;
}
