// Values of a leaderboard as a picture: over the years where they are known, else from the best to the last.

import { s, short } from "./dom";

export interface Point { x: number; y: number; label: string; title: string }

const [WIDTH, HEIGHT] = [640, 260];
const [LEFT, RIGHT, TOP, BOTTOM] = [52, 16, 16, 34];

/** A scatter plot; `years` says whether x is a year; `lower` whether small values are good. A line follows the best so far. */
export function plot(points: Point[], years: boolean, lower: boolean, title: string): SVGSVGElement {
  const scaleX = scale(points.map((point) => point.x), LEFT + 14, WIDTH - RIGHT - 14);
  const scaleY = scale(points.map((point) => point.y), HEIGHT - BOTTOM - 8, TOP + 12);
  const root = s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "plot", "aria-label": title });
  root.append(...axisY(points, scaleY), ...(years ? axisX(points, scaleX) : [s("text", { x: LEFT, y: HEIGHT - 10, class: "tick" }, "best first")]));
  const leaders = years ? bestSoFar(points, lower) : [];
  if (leaders.length > 1) root.append(s("path", { class: "leader", d: steps(leaders.map((point) => [scaleX(point.x), scaleY(point.y)])) }));
  const labelled = new Set(leaders.length ? leaders.slice(-3) : points.slice(0, 3));
  for (const point of points) {
    root.append(s("circle", { cx: scaleX(point.x), cy: scaleY(point.y), r: 5, class: "point" }, s("title", {}, point.title)));
    if (labelled.has(point)) {
      const right = scaleX(point.x) > WIDTH * 0.6;
      root.append(s("text", { x: scaleX(point.x) + (right ? -9 : 9), y: scaleY(point.y) + 4, "text-anchor": right ? "end" : "start", class: "name" }, short(point.label, 28)));
    }
  }
  return root;
}

function scale(values: number[], from: number, to: number): (value: number) => number {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return (value) => (high === low ? (from + to) / 2 : from + ((value - low) / (high - low)) * (to - from));
}

function axisY(points: Point[], y: (value: number) => number): SVGElement[] {
  return ticks(points.map((point) => point.y)).flatMap((value) => [
    s("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value), class: "grid" }),
    s("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end", class: "tick" }, String(Number(value.toPrecision(6)))),
  ]);
}

function axisX(points: Point[], x: (value: number) => number): SVGElement[] {
  return [...new Set(points.map((point) => point.x))].sort((a, b) => a - b).filter((_, at, all) => all.length <= 12 || at % Math.ceil(all.length / 12) === 0 || at === all.length - 1)
    .map((year) => s("text", { x: x(year), y: HEIGHT - 10, "text-anchor": "middle", class: "tick" }, String(year)));
}

/** Round numbers across the values, within their range. */
function ticks(values: number[]): number[] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (low === high) return [low];
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, at) => (first + at) * step);
}

function bestSoFar(points: Point[], lower: boolean): Point[] {
  const leaders: Point[] = [];
  for (const point of [...points].sort((a, b) => a.x - b.x || (lower ? a.y - b.y : b.y - a.y))) {
    const last = leaders.at(-1);
    if (!last || (lower ? point.y < last.y : point.y > last.y)) leaders.push(point);
  }
  return leaders;
}

function steps(places: number[][]): string {
  return places.map(([x, y], at) => (at === 0 ? `M${x},${y}` : `H${x}V${y}`)).join("");
}
