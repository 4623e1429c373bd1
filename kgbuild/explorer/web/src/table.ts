// A table that sorts by its headers, for people with and without a mouse.

import { h } from "./dom";

export interface Column<T> {
  title: string;
  cell: (row: T) => Node | string;
  /** What the column is sorted by; without it the column is not sortable. */
  by?: (row: T) => number | string;
  number?: boolean;
}

/** The table; `below` may give a row that stands under a row of data (its evidence). */
export function sortable<T>(caption: string, columns: Column<T>[], rows: T[], start: { column: number; down: boolean }, below?: (row: T) => HTMLElement | null): HTMLElement {
  let order = { ...start };
  const body = h("tbody", {});
  const heads = columns.map((column, at) => h("th", { scope: "col", class: column.number ? "number" : "" },
    column.by ? h("button", { type: "button", onclick: () => sort(at) }, column.title, h("span", { class: "arrow", "aria-hidden": "true" })) : column.title));
  const sort = (at: number): void => {
    order = { column: at, down: order.column === at ? !order.down : Boolean(columns[at].number) };
    draw();
  };
  const draw = (): void => {
    heads.forEach((head, at) => (at === order.column ? head.setAttribute("aria-sort", order.down ? "descending" : "ascending") : head.removeAttribute("aria-sort")));
    const by = columns[order.column].by ?? (() => 0);
    const sorted = [...rows].sort((a, b) => compare(by(a), by(b)) * (order.down ? -1 : 1));
    body.replaceChildren(...sorted.flatMap((row) => {
      const under = below?.(row);
      const line = h("tr", {}, ...columns.map((column) => h("td", { class: column.number ? "number" : "" }, column.cell(row))));
      return under ? [line, under] : [line];
    }));
  };
  draw();
  return h("div", { class: "scroll" }, h("table", { class: "rows" }, h("caption", { class: "unseen" }, caption), h("thead", {}, h("tr", {}, ...heads)), body));
}

/** Numbers by size and before words; what is not a number (NaN) last in rising order. */
function compare(a: number | string, b: number | string): number {
  if (typeof a === "number" && typeof b === "number") return Number.isNaN(a) || Number.isNaN(b) ? Number(Number.isNaN(a)) - Number(Number.isNaN(b)) : a - b;
  return String(a).localeCompare(String(b), "en");
}
