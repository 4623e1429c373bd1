// The leaderboard view: a list of boards, and for one of them a sortable table, a plot, and the sentence of each value.

import { h, short, some } from "./dom";
import { growing, type Page } from "./page";
import { plot } from "./plot";
import { boards, figures, type Board, type Figure } from "./results";
import { sortable } from "./table";
import { type Mark, marksOf, sentence } from "./statement";
import { plain } from "./plain";
import { fold } from "./search";

let known: Board[] | null = null;

export async function leaderboards(page: Page, wanted: [number | null, number] | null): Promise<HTMLElement> {
  known ??= boards(page.graph);
  if (!known.length) return h("article", { class: "boards" }, h("h2", {}, "Leaderboards"), h("p", { class: "quiet" }, "No paper of this graph reports a figure with a metric."));
  const board = wanted ? known.find((item) => item.dataset === wanted[0] && item.metric === wanted[1]) : known[0];
  const shown = board ? await boardView(page, board) : h("p", { class: "quiet" }, "No such leaderboard in this graph; choose one from the list.");
  return h("article", { class: "boards" }, h("h2", {}, "Leaderboards"), h("div", { class: "beside" }, boardList(page, known, board), shown));
}

function boardList(page: Page, all: Board[], current: Board | undefined): HTMLElement {
  const box = h("div", {});
  const row = (board: Board): HTMLElement => h("li", {}, h("a", { class: "board", href: page.state.boardHref(board.dataset, board.metric), "aria-current": board === current ? "page" : null },
    h("strong", {}, short(datasetName(page, board), 40)), h("span", {}, short(page.graph.names[board.metric], 40)), h("span", { class: "count" }, board.results.length)));
  const draw = (): void => {
    const typed = fold(input.value);
    const fitting = all.filter((board) => !typed || fold(datasetName(page, board)).includes(typed) || fold(page.graph.names[board.metric]).includes(typed));
    box.replaceChildren(growing(fitting, 14, row));
  };
  const input = h("input", { type: "search", placeholder: "dataset or metric", "aria-label": "Find a leaderboard", oninput: () => draw() });
  draw();
  return h("nav", { class: "rail", "aria-label": "Leaderboards" }, input, h("p", { class: "quiet" }, some(all.length, "board")), box);
}

const datasetName = (page: Page, board: Board): string => (board.dataset === null ? "dataset not named" : page.graph.names[board.dataset]);

async function boardView(page: Page, board: Board): Promise<HTMLElement> {
  const rows = await figures(page.graph, board);
  const lower = (await page.graph.details(board.metric)).better === "lower";
  const kinds = [...new Set(rows.map((row) => row.kind))].sort((a, b) => rows.filter((row) => row.kind === b).length - rows.filter((row) => row.kind === a).length || a.localeCompare(b));
  const body = h("div", {});
  const pick = (kind: string): void => {
    const chosen = rows.filter((row) => row.kind === kind);
    body.replaceChildren(...[picture(page, board, chosen, lower), resultTable(page, chosen, lower)].filter((item) => item !== null));
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.textContent?.startsWith(kind)));
  };
  const buttons = kinds.map((kind) => h("button", { type: "button", class: "pill", onclick: () => pick(kind) }, `${kind} (${rows.filter((row) => row.kind === kind).length})`));
  pick(kinds.includes("absolute") ? "absolute" : kinds[0]);
  return h("section", { class: "grow", "aria-label": "Leaderboard" },
    h("h3", { class: "board-title" }, board.dataset === null ? "Dataset not named" : page.link(board.dataset, 80), " · ", page.link(board.metric, 60)),
    h("p", { class: "quiet" }, `${some(rows.length, "value")} as the papers state them; ${lower ? "lower is better" : "higher is better unless the metric says otherwise"}. Figures of different papers may come from different settings: read the sentence.`),
    kinds.length > 1 && h("div", { class: "pills", role: "group", "aria-label": "Kind of figure" }, ...buttons), body);
}

/** Only figures of the most frequent unit share an axis. */
function picture(page: Page, board: Board, rows: Figure[], lower: boolean): SVGSVGElement | null {
  const numbered = rows.filter((row) => Number.isFinite(row.number));
  const counts = new Map<string, number>();
  for (const row of numbered) counts.set(row.unit, (counts.get(row.unit) ?? 0) + 1);
  const unit = [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
  const kept = numbered.filter((row) => row.unit === unit).sort((a, b) => (lower ? a.number - b.number : b.number - a.number));
  if (kept.length < 2) return null;
  const year = (row: Figure): number => (row.paper === null ? 0 : page.graph.core.lastYear[row.paper]);
  const dated = kept.filter((row) => year(row) > 0);
  const years = dated.length > 1;
  const points = (years ? dated : kept).map((row, rank) => {
    const method = row.roles.get("method");
    const label = method === undefined ? row.value : page.graph.names[method];
    return { x: years ? year(row) : rank, y: row.number, label, title: `${row.value}${row.unit} ${label}${years ? ` (${year(row)})` : ""}` };
  });
  const name = `${page.graph.names[board.metric]} on ${datasetName(page, board)}: ${points.length} values ${years ? "over the years" : "from the best to the last"}, best ${points[0].title}`;
  return plot(points, years, lower, name);
}

function resultTable(page: Page, rows: Figure[], lower: boolean): HTMLElement {
  const { graph } = page;
  const node = (row: Figure, role: string): Node | string => (row.roles.has(role) ? page.link(row.roles.get(role)!, 44) : "–");
  const name = (row: Figure, role: string): string => (row.roles.has(role) ? graph.names[row.roles.get(role)!].toLowerCase() : "~");
  const open = new Map<Figure, HTMLElement>();
  const year = (row: Figure): number => (row.paper === null ? 0 : graph.core.lastYear[row.paper]);
  const some = (role: string): boolean => rows.some((row) => row.roles.has(role));
  return sortable("Values", [
    { title: "Value", cell: (row) => valueButton(page, row, open), by: (row) => (Number.isNaN(row.number) ? parseFloat(row.value) : row.number), number: true },
    { title: "Method", cell: (row) => node(row, "method"), by: (row) => name(row, "method") },
    ...(some("baseline") ? [{ title: "Against", cell: (row: Figure) => node(row, "baseline"), by: (row: Figure) => name(row, "baseline") }] : []),
    ...(some("task") ? [{ title: "Task", cell: (row: Figure) => node(row, "task"), by: (row: Figure) => name(row, "task") }] : []),
    { title: "Paper", cell: (row) => (row.paper === null ? "–" : page.link(row.paper, 60)), by: (row) => (row.paper === null ? "~" : graph.names[row.paper]) },
    ...(rows.some((row) => year(row)) ? [{ title: "Year", cell: (row: Figure) => String(year(row) || "–"), by: year, number: true }] : []),
  ], rows, { column: 0, down: !lower }, (row) => open.get(row) ?? openRow(row, open));
}

function openRow(row: Figure, open: Map<Figure, HTMLElement>): HTMLElement {
  const line = h("tr", { class: "under", hidden: true }, h("td", { colspan: 6 }));
  open.set(row, line);
  return line;
}

function valueButton(page: Page, row: Figure, open: Map<Figure, HTMLElement>): HTMLElement {
  const line = open.get(row) ?? openRow(row, open);
  const button = h("button", { type: "button", class: "value", title: "Show the sentence", "aria-expanded": String(!line.hidden), onclick: () => {
    line.hidden = !line.hidden;
    button.setAttribute("aria-expanded", String(!line.hidden));
    if (!line.hidden && !line.firstElementChild!.hasChildNodes()) void statement(page, row).then((content) => line.firstElementChild!.append(content));
  } }, `${row.value}${row.unit ? (row.unit === "%" ? "%" : ` ${row.unit}`) : ""}`);
  return button;
}

/** The sentence that states the value, with the value and everything it is a figure of marked. */
async function statement(page: Page, row: Figure): Promise<HTMLElement> {
  const { graph } = page;
  const evidence = row.edge === null ? [] : await graph.evidence(row.edge);
  if (!evidence.length) return h("blockquote", {}, plain(String((await graph.details(row.node)).quote ?? "")));
  const roles = (await Promise.all(row.roleEdges.map((edge) => graph.evidence(edge)))).flat();
  const marks: Mark[] = roles.filter((item) => item.paper === evidence[0].paper).flatMap((item) => marksOf(graph, item));
  return sentence(page, evidence[0], marks);
}

