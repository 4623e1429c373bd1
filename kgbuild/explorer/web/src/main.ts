// The page: its frame, the view that the address names, keys, light and dark.

import "./style.css";

import { h } from "./dom";
import { rail } from "./filters";
import { Graph } from "./graph";
import { leaderboards } from "./leaderboard";
import { list } from "./list";
import { GraphMap } from "./map";
import { overview, summary } from "./overview";
import { Page } from "./page";
import { nodePanel } from "./panel";
import { papers } from "./paper";
import { searchBox } from "./searchbox";
import { State, VIEWS, type View } from "./state";

const KEYS: [string, string][] = [
  ["/", "search"], ["Esc", "close the panel"], ["1 – 5", "map, overview, leaderboards, papers, list"], ["+ −", "zoom the map"],
  ["arrows", "move the map (when it has the focus)"], ["0", "show the whole map"], ["d", "light or dark"], ["?", "these keys"],
];

const FIRST = 250; // milliseconds before the map is drawn for the first time, and one more for every fifty nodes: a reader who types at once is served first
const PAUSE = 500; // milliseconds without a keystroke that count as done typing

class App {
  private map: GraphMap | null = null;
  private readonly main = h("main", { id: "main", tabindex: -1 });
  private readonly canvas = h("div", { class: "canvas", tabindex: 0, role: "application", "aria-label": "Map of the graph. Arrows move it, plus and minus zoom; the List view holds the same nodes as a table." });
  private readonly panel = h("aside", { class: "side", "aria-live": "polite" });
  private readonly mapView: HTMLElement;
  private readonly tabs = new Map<View, HTMLElement>();
  private readonly search: ReturnType<typeof searchBox>;
  private readonly help: HTMLDialogElement;
  private drawn = 0;

  constructor(private readonly page: Page) {
    this.search = searchBox(page);
    const rails = h("details", { class: "rails", open: matchMedia("(min-width: 900px)").matches }, h("summary", {}, "Legend and filters"), rail(page));
    this.mapView = h("div", { class: "map-view" }, rails, h("div", { class: "stage" }, this.canvas, this.controls()), this.panel);
    this.help = h("dialog", { "aria-label": "Keys" }, h("h2", {}, "Keys"), h("dl", { class: "keys" }, ...KEYS.flatMap(([key, text]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, text)])), h("form", { method: "dialog" }, h("button", { class: "pill" }, "Close")));
  }

  mount(root: HTMLElement): void {
    root.append(h("a", { class: "skip", href: "#main", onclick: (event: Event) => { event.preventDefault(); this.main.focus(); } }, "Skip to the content"), this.header(), this.main, this.help);
    document.title = this.page.graph.core.title;
    this.page.state.listen((changed) => { if (changed === "filters") this.map?.filter(); else void this.show(); });
    addEventListener("hashchange", () => this.page.state.read());
    addEventListener("keydown", (event) => this.press(event));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.map?.theme());
    this.page.state.read();
  }

  private header(): HTMLElement {
    const titles: Record<View, string> = { map: "Map", overview: "Overview", leaderboards: "Leaderboards", papers: "Papers", list: "List" };
    const tabs = VIEWS.map((view) => {
      const tab = h("a", { href: this.page.state.href(view), onclick: (event: Event) => { event.preventDefault(); this.page.state.go(view); } }, titles[view]);
      this.tabs.set(view, tab);
      return tab;
    });
    return h("header", { class: "top-bar" }, h("h1", {}, this.page.graph.core.title), this.search.box, h("nav", { class: "tabs", "aria-label": "Views" }, ...tabs),
      h("button", { type: "button", class: "icon theme", "aria-label": "Light or dark", title: "Light or dark (d)", onclick: () => this.turn() }, "◐"),
      h("button", { type: "button", class: "icon", "aria-label": "Keys", title: "Keys (?)", onclick: () => this.help.showModal() }, "?"));
  }

  private controls(): HTMLElement {
    const button = (sign: string, label: string, act: () => void): HTMLElement => h("button", { type: "button", "aria-label": label, title: label, onclick: act }, sign);
    return h("div", { class: "controls", role: "group", "aria-label": "Zoom" }, button("+", "Zoom in", () => this.map?.zoom(1 / 1.5)), button("−", "Zoom out", () => this.map?.zoom(1.5)), button("⤢", "Show the whole map", () => this.map?.fit()));
  }

  /** Show what the address names. Later calls win: unpacking takes a moment, and readers are quick. */
  private async show(): Promise<void> {
    const turn = ++this.drawn;
    const { place } = this.page.state;
    for (const [view, tab] of this.tabs) {
      if (view === place.view) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    }
    const content = await this.content();
    if (turn !== this.drawn) return;
    if (this.main.firstChild !== content) this.main.replaceChildren(content);
    if (place.view === "map") this.showMap(place.node);
    else scrollTo(0, 0);
    document.documentElement.dataset.view = place.view;
    document.documentElement.dataset.ready = location.hash || "#/map";
  }

  private async content(): Promise<HTMLElement> {
    const { page } = this;
    const { place } = page.state;
    if (place.view === "overview") return overview(page);
    if (place.view === "leaderboards") return leaderboards(page, place.board);
    if (place.view === "papers") return papers(page, place.node);
    if (place.view === "list") return list(page, h("details", { class: "rails", open: matchMedia("(min-width: 900px)").matches }, h("summary", {}, "Filters"), rail(page)));
    const side = place.node === null ? summary(page) : await nodePanel(page, place.node, () => page.state.go("map"));
    this.panel.replaceChildren(side);
    this.panel.scrollTop = 0;
    return this.mapView;
  }

  private showMap(node: number | null): void {
    if (this.map) { this.map.resize(); this.map.select(node); return; }
    // The first drawing takes longest and holds up everything else: panel and search come before it, and it waits for whoever types.
    const draw = (): void => {
      if (this.map) return;
      if (performance.now() - this.search.typed() < PAUSE) { setTimeout(draw, PAUSE); return; }
      performance.mark("drawing");
      try {
        this.map = new GraphMap(this.page, this.canvas, (opened) => (opened === null ? this.page.state.place.node !== null && this.page.state.go("map") : (location.hash = this.hrefOnMap(opened))));
        this.map.select(this.page.state.place.node);
        this.canvas.dataset.drawn = "true";
    performance.mark("drawn");
      } catch (error) {
        this.canvas.replaceChildren(h("p", { class: "quiet" }, `The map needs WebGL, which this browser does not give (${(error as Error).message}). `, h("a", { href: this.page.state.href("list") }, "The list"), " holds the same."));
      }
    };
    setTimeout(draw, FIRST + this.page.graph.count / 50);
  }

  /** On the map a click on a paper shows its panel; its title there leads to the paper view. */
  private hrefOnMap(node: number): string {
    return this.page.graph.isPaper(node) ? this.page.state.href(`map/${this.page.graph.key(node)}`) : this.page.state.nodeHref(node);
  }

  private turn(): void {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    this.map?.theme();
  }

  private press(event: KeyboardEvent): void {
    const typing = event.target instanceof HTMLInputElement && event.target.type !== "checkbox";
    if (typing || event.ctrlKey || event.metaKey || event.altKey || this.help.open) return;
    const acts: Record<string, () => void> = {
      "/": () => this.search.focus(), "?": () => this.help.showModal(), Escape: () => this.page.state.place.view === "map" && this.page.state.place.node !== null && this.page.state.go("map"), d: () => this.turn(),
      "+": () => this.map?.zoom(1 / 1.5), "-": () => this.map?.zoom(1.5), "0": () => this.map?.fit(),
    };
    VIEWS.forEach((view, at) => (acts[String(at + 1)] = () => this.page.state.go(view)));
    if (document.activeElement === this.canvas) Object.assign(acts, { ArrowLeft: () => this.map?.pan(-1, 0), ArrowRight: () => this.map?.pan(1, 0), ArrowUp: () => this.map?.pan(0, -1), ArrowDown: () => this.map?.pan(0, 1) });
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}

async function start(): Promise<void> {
  const root = document.getElementById("app");
  if (!root) return;
  try {
    performance.mark("start");
    const graph = await Graph.load();
    performance.mark("loaded");
    new App(new Page(graph, new State(graph))).mount(root);
    performance.mark("searchable");
  } catch (error) {
    root.append(h("p", { class: "failure", role: "alert" }, `This page cannot show its graph: ${(error as Error).message}. A browser of 2023 or later can.`));
    throw error;
  }
}

void start();
