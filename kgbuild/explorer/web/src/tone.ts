// Colours of the types: the palette of Okabe and Ito, which people with any colour vision can tell apart, in the order of the schema.

import type { Graph } from "./graph";

const CONCEPTS = ["blue", "vermillion", "green", "purple"];
const OTHERS = ["orange", "sky", "grey"];

/** Name of the tone of each type; CSS gives `tone-NAME` its colour in light and dark. */
export function tones(graph: Graph): string[] {
  let [concepts, others] = [0, 0];
  return graph.types.map((type) => (type.kind === "concept" ? CONCEPTS[concepts++ % CONCEPTS.length] : OTHERS[others++ % OTHERS.length]));
}

let inks = new Map<string, string>();

/** A colour of the style sheet in force, for the canvas; asked for at every node and edge, so it is kept until `renew`. */
export function ink(name: string): string {
  let found = inks.get(name);
  if (found === undefined) inks.set(name, (found = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()));
  return found;
}

/** Forget the colours: light has become dark or the other way round. */
export function renew(): void {
  inks = new Map();
}

export const colours = (names: string[]): string[] => names.map(ink);
