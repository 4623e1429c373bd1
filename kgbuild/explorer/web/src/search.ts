// Search as you type: one pass over all names and aliases, which 50,000 of them bear at every keystroke.

import type { Graph } from "./graph";

export interface Hit { node: number; score: number; alias: string | null }

const LONGEST = 300; // characters of a name that are searched

/** Small letters without accents; dashes, underscores and slashes count as spaces. */
export function fold(text: string): string {
  const small = text.slice(0, LONGEST).toLowerCase();
  // eslint-disable-next-line no-control-regex
  const bare = /^[\x00-\x7f]*$/.test(small) ? small : small.normalize("NFKD").replace(/\p{M}/gu, "");
  return bare.replace(/[-_/\s]+/g, " ").trim();
}

export class Search {
  private readonly texts: string[] = [];
  private readonly owners: number[] = [];
  private readonly aliases: (string | null)[] = [];

  constructor(private readonly graph: Graph) {
    for (let node = 0; node < graph.count; node++) this.add(node, graph.names[node], null);
    for (const [node, names] of Object.entries(graph.core.aliases)) for (const name of names) this.add(Number(node), name, name);
  }

  private add(node: number, text: string, alias: string | null): void {
    this.texts.push(fold(text));
    this.owners.push(node);
    this.aliases.push(alias);
  }

  /** The best `most` nodes for what was typed, each once, the best first. */
  find(query: string, most = 12): Hit[] {
    const wanted = fold(query);
    if (!wanted) return [];
    const tokens = wanted.split(" ");
    const best = this.collect((text) => rank(text, wanted, tokens));
    if (best.size === 0 && wanted.length > 3) return this.sorted(this.collect((text) => nearby(text, wanted)), most);
    return this.sorted(best, most);
  }

  private collect(score: (text: string) => number): Map<number, Hit> {
    const best = new Map<number, Hit>();
    for (let at = 0; at < this.texts.length; at++) {
      const base = score(this.texts[at]);
      if (base <= 0) continue;
      const node = this.owners[at];
      const value = base + 8 * Math.log2(1 + this.graph.core.weight[node]) - this.texts[at].length / 4 - (this.graph.isConcept(node) ? 0 : 60);
      const known = best.get(node);
      if (!known || known.score < value) best.set(node, { node, score: value, alias: this.aliases[at] });
    }
    return best;
  }

  private sorted(found: Map<number, Hit>, most: number): Hit[] {
    return [...found.values()].sort((a, b) => b.score - a.score || a.node - b.node).slice(0, most);
  }
}

function rank(text: string, wanted: string, tokens: string[]): number {
  if (!text.includes(tokens[0])) return 0;
  if (text === wanted) return 1000;
  const at = text.indexOf(wanted);
  if (at === 0) return text[wanted.length] === " " ? 600 : 500;
  if (at > 0 && text[at - 1] === " ") return 300;
  if (at > 0) return 150;
  return tokens.every((token) => text.includes(token)) ? 100 : 0;
}

/** For misspelt words: positive where at most two letters differ. */
function nearby(text: string, wanted: string): number {
  if (Math.abs(text.length - wanted.length) > 2) return 0;
  let previous = Array.from({ length: wanted.length + 1 }, (_, column) => column);
  for (let row = 1; row <= text.length; row++) {
    const current = [row];
    for (let column = 1; column <= wanted.length; column++) {
      const change = previous[column - 1] + (text[row - 1] === wanted[column - 1] ? 0 : 1);
      current.push(Math.min(change, previous[column] + 1, current[column - 1] + 1));
    }
    if (Math.min(...current) > 2) return 0;
    previous = current;
  }
  return previous[wanted.length] <= 2 ? 60 - 20 * previous[wanted.length] : 0;
}
