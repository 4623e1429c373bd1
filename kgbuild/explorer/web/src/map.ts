// The map: nodes where the export placed them, drawn by sigma; names of communities float above.

import { MultiDirectedGraph } from "graphology";
import Sigma from "sigma";
import type { Settings } from "sigma/settings";

import { h, short } from "./dom";
import type { Page } from "./page";
import { strength } from "./panel";
import { colours, ink, renew } from "./tone";

const DRAWN = 12_000; // edges drawn at once: beyond that a picture shows nothing; panels always show all
const NAMED = 14; // communities named on the map
const FADE = 0.3; // below this camera ratio the reader is inside a community, and its name would only be in the way

type NodeStyle = { x: number; y: number; size: number; label: string };

export class GraphMap {
  private readonly graph = new MultiDirectedGraph<NodeStyle>();
  private readonly sigma: Sigma<NodeStyle>;
  private readonly names = h("div", { class: "map-names", "aria-hidden": "true" });
  private palette: string[] = [];
  private selected: number | null = null;
  private hovered: number | null = null;
  private near = new Set<number>();
  private around = new Set<number>();
  private places: { x: number; y: number; label: HTMLElement }[] = [];

  constructor(private readonly page: Page, container: HTMLElement, open: (node: number | null) => void) {
    this.addNodes();
    this.sigma = new Sigma(this.graph, container, this.settings());
    container.append(this.names);
    this.theme();
    this.filter();
    this.sigma.on("clickNode", ({ node }) => open(Number(node)));
    this.sigma.on("clickStage", () => open(null));
    this.sigma.on("enterNode", ({ node }) => this.hover(Number(node)));
    this.sigma.on("leaveNode", () => this.hover(null));
    this.sigma.on("afterRender", () => this.placeNames());
  }

  private settings(): Partial<Settings<NodeStyle>> {
    const crowded = this.page.graph.count > 20_000;
    return {
      labelFont: "system-ui, sans-serif", labelSize: 12, labelDensity: 0.55, labelGridCellSize: 110, labelRenderedSizeThreshold: crowded ? 5 : 4,
      zIndex: true, hideEdgesOnMove: crowded, minCameraRatio: 0.005, maxCameraRatio: 2.5, stagePadding: 24, allowInvalidContainer: true,
      nodeReducer: (key, data) => this.nodeStyle(Number(key), data),
      edgeReducer: (key) => this.edgeStyle(Number(key)),
      defaultDrawNodeHover: drawHover,
    };
  }

  private addNodes(): void {
    const { graph } = this.page;
    const most = graph.core.weight.reduce((a, b) => Math.max(a, b), 1);
    const scale = (graph.count > 20_000 ? 0.6 : 1) * Math.min(1, Math.max(0.5, innerWidth / 900));
    for (let node = 0; node < graph.count; node++) {
      const share = graph.isConcept(node) ? Math.sqrt((graph.core.weight[node] - 1) / most) : 0.08;
      this.graph.addNode(node, { x: graph.core.x[node], y: graph.core.y[node], size: (1.7 + 13 * share) * scale, label: short(graph.names[node], 42) });
    }
  }

  /** Read the colours anew: after a change between light and dark. */
  theme(): void {
    renew();
    this.palette = colours(this.page.tones);
    this.sigma.setSetting("labelColor", { color: ink("ink") });
    this.sigma.refresh({ skipIndexation: true });
  }

  /** Draw what the filters let through: all nodes that pass, and the strongest of the edges between them. */
  filter(): void {
    const { graph, state } = this.page;
    const passing: number[] = [];
    for (let edge = 0; edge < graph.edges; edge++) {
      if (state.showsEdge(edge) && state.showsNode(graph.core.source[edge]) && state.showsNode(graph.core.target[edge])) passing.push(edge);
    }
    if (passing.length > DRAWN) passing.sort((a, b) => strength(graph, b) - strength(graph, a) || a - b).length = DRAWN;
    this.graph.clearEdges();
    for (const edge of passing) this.addEdge(edge);
    this.nameCommunities();
    this.select(this.selected, false);
  }

  private addEdge(edge: number): void {
    if (!this.graph.hasEdge(edge)) this.graph.addEdgeWithKey(edge, this.page.graph.core.source[edge], this.page.graph.core.target[edge]);
  }

  /** Bring a node and what it is connected with to the fore; null puts everything back. */
  select(node: number | null, move = true): void {
    const { graph, state } = this.page;
    this.selected = node;
    this.near = new Set();
    if (node !== null) {
      for (const edge of graph.edgesOf(node)) {
        const other = graph.other(edge, node);
        if (!state.showsEdge(edge) || !(state.showsNode(other) || this.opens(node, other))) continue;
        this.near.add(other);
        this.addEdge(edge);
      }
    }
    this.sigma.refresh();
    if (node !== null && move) this.moveTo(node);
  }

  /** A paper or a figure that is looked at shows its things even where the filters hide their types. */
  private opens(node: number, other: number): boolean {
    return !this.page.state.showsNode(node) && this.page.graph.isConcept(other);
  }

  private hover(node: number | null): void {
    this.hovered = node;
    this.around = new Set(node === null ? [] : this.graph.neighbors(node).map(Number));
    this.sigma.getContainer().style.cursor = node === null ? "" : "pointer";
    this.sigma.refresh({ skipIndexation: true });
  }

  private nodeStyle(node: number, data: NodeStyle): Partial<NodeStyle> & Record<string, unknown> {
    const focus = this.selected ?? this.hovered;
    const close = node === focus || (this.selected !== null ? this.near.has(node) : this.around.has(node));
    const hidden = node !== this.selected && !this.near.has(node) && !this.page.state.showsNode(node);
    const color = this.palette[this.page.graph.type[node]];
    if (focus === null) return { ...data, color, hidden, zIndex: data.size };
    if (!close) return { ...data, color: ink("faint"), hidden, label: "", zIndex: 0 };
    return { ...data, color, hidden, zIndex: 2, highlighted: node === this.selected, forceLabel: node === focus || this.near.size < 30, size: node === this.selected ? Math.max(data.size, 7) : data.size };
  }

  private edgeStyle(edge: number): Record<string, unknown> {
    const { core } = this.page.graph;
    const focus = this.selected ?? this.hovered;
    const [source, target] = [core.source[edge], core.target[edge]];
    if (focus === null) return { color: ink("edge"), size: 0.5, zIndex: 0 };
    if (source !== focus && target !== focus) return { hidden: true };
    return { color: this.palette[this.page.graph.type[source === focus ? target : source]], size: 0.8 + core.belief[edge] / 80, zIndex: 1 };
  }

  private moveTo(node: number): void {
    const place = this.sigma.getNodeDisplayData(node);
    if (!place) return;
    const ratio = Math.min(this.sigma.getCamera().ratio, 0.35);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    void this.sigma.getCamera().animate({ x: place.x, y: place.y, ratio }, { duration: calm ? 0 : 350 });
  }

  zoom(factor: number): void { void this.sigma.getCamera().animate({ ratio: this.sigma.getCamera().ratio * factor }, { duration: 150 }); }
  fit(): void { void this.sigma.getCamera().animatedReset({ duration: 200 }); }
  resize(): void { this.sigma.resize(); this.sigma.refresh({ skipIndexation: true }); }

  pan(right: number, down: number): void {
    const camera = this.sigma.getCamera();
    void camera.animate({ x: camera.x + right * 0.1 * camera.ratio, y: camera.y - down * 0.1 * camera.ratio }, { duration: 100 });
  }

  /** Each larger community is named in its middle by those of its telling members that are shown. */
  private nameCommunities(): void {
    const { graph, state } = this.page;
    const members = new Map<number, number[]>(graph.core.communities.map((community) => [community.number, []]));
    for (let node = 0; node < graph.count; node++) if (state.showsNode(node)) members.get(graph.core.community[node])?.push(node);
    this.places = graph.core.communities.flatMap((community) => {
      const shown = community.members.filter((node) => state.showsNode(node));
      if (!shown.length || community.size < graph.count / 120) return [];
      const all = members.get(community.number) ?? [];
      const mean = (column: number[]): number => all.reduce((sum, node) => sum + column[node], 0) / all.length;
      const label = h("span", {}, shown.slice(0, 2).map((node) => short(graph.names[node], 26)).join(" · "));
      return [{ x: mean(graph.core.x), y: mean(graph.core.y), label }];
    }).slice(0, innerWidth < 900 ? NAMED / 2 : NAMED);
    this.names.replaceChildren(...this.places.map((place) => place.label));
  }

  private placeNames(): void {
    const visible = this.sigma.getCamera().ratio > FADE && this.selected === null && this.hovered === null;
    this.names.classList.toggle("away", !visible);
    if (!visible) return;
    const taken: [number, number, number][] = [];
    const width = this.sigma.getDimensions().width;
    for (const { x, y, label } of this.places) {
      const at = this.sigma.graphToViewport({ x, y });
      const half = label.textContent!.length * 4.2;
      const left = Math.min(Math.max(at.x, half + 6), Math.max(half + 6, width - half - 6));
      const clear = taken.every(([tx, ty, th]) => Math.abs(ty - at.y) > 22 || Math.abs(tx - left) > th + half + 8);
      label.hidden = !clear;
      label.style.transform = `translate(-50%, -50%) translate(${left}px, ${at.y}px)`;
      if (clear) taken.push([left, at.y, half]);
    }
  }
}

/** The label of the node under the pointer, on a plate in the colours of the page. */
function drawHover(context: CanvasRenderingContext2D, data: { x: number; y: number; size: number; label?: string | null; color?: string }, settings: { labelSize: number; labelFont: string }): void {
  const label = data.label ?? "";
  context.font = `600 ${settings.labelSize + 1}px ${settings.labelFont}`;
  const width = context.measureText(label).width + 16;
  context.fillStyle = ink("plate");
  context.strokeStyle = ink("line");
  context.beginPath();
  context.roundRect(data.x + data.size + 3, data.y - 12, width, 24, 6);
  if (label) { context.fill(); context.stroke(); }
  context.beginPath();
  context.arc(data.x, data.y, data.size + 2.5, 0, Math.PI * 2);
  context.strokeStyle = ink("ink");
  context.lineWidth = 1.5;
  context.stroke();
  context.lineWidth = 1;
  context.fillStyle = ink("ink");
  context.fillText(label, data.x + data.size + 11, data.y + 4.5);
}
