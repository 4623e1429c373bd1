// Elements from data. Text is only ever set as text, so that no name, title or sentence can become markup.

type Child = Node | string | number | null | undefined | false;
type Props = Record<string, string | number | boolean | null | undefined | ((event: never) => void)>;

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element: `on...` properties are listeners, the rest attributes; false, null and undefined are left out. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), props, children);
}

/** An SVG element, as `h`. */
export function s<K extends keyof SVGElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]): SVGElementTagNameMap[K] {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function fill<E extends Element>(element: E, props: Props, children: Child[]): E {
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value as (event: Event) => void);
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false).map((child) => (child instanceof Node ? child : String(child))));
  return element;
}

/** A link that leaves the page, or plain text where the address is not http(s). */
export function outside(address: string, label: string): HTMLElement {
  const url = webAddress(address);
  return url ? h("a", { href: url, target: "_blank", rel: "noopener noreferrer", class: "outside" }, label) : h("span", {}, label);
}

/** The address if it is an absolute http or https one, else null. */
export function webAddress(address: string): string | null {
  try {
    const url = new URL(address);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

/** The text, cut at a word where it is longer than `most` characters. */
export function short(text: string, most: number): string {
  if (text.length <= most) return text;
  const cut = text.slice(0, most);
  const space = cut.lastIndexOf(" ");
  return (space > most * 0.6 ? cut.slice(0, space) : cut) + "…";
}

/** 12345 as 12,345. */
export const figure = (value: number): string => value.toLocaleString("en");

/** `3 papers`, `1 paper`. */
export const some = (count: number, noun: string): string => `${figure(count)} ${noun}${count === 1 ? "" : "s"}`;
