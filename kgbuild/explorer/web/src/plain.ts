// Remains of LaTeX as plain text: for reading only, the data keeps the text as its source gave it.

const SIGNS: Record<string, string> = {
  alpha: "α", beta: "β", gamma: "γ", delta: "δ", epsilon: "ε", varepsilon: "ε", zeta: "ζ", eta: "η", theta: "θ", iota: "ι", kappa: "κ",
  lambda: "λ", mu: "μ", nu: "ν", xi: "ξ", pi: "π", rho: "ρ", sigma: "σ", tau: "τ", phi: "φ", varphi: "φ", chi: "χ", psi: "ψ", omega: "ω",
  Gamma: "Γ", Delta: "Δ", Theta: "Θ", Lambda: "Λ", Xi: "Ξ", Pi: "Π", Sigma: "Σ", Phi: "Φ", Psi: "Ψ", Omega: "Ω", ell: "ℓ", infty: "∞",
  times: "×", cdot: "·", pm: "±", sim: "∼", approx: "≈", leq: "≤", le: "≤", geq: "≥", ge: "≥", neq: "≠", rightarrow: "→", to: "→",
  mapsto: "↦", in: "∈", sum: "∑", sqrt: "√", partial: "∂", nabla: "∇", ldots: "…", dots: "…", quad: " ", log: "log", min: "min", max: "max",
};
const HIGH: Record<string, string> = { "0": "⁰", "1": "¹", "2": "²", "3": "³", "4": "⁴", "5": "⁵", "6": "⁶", "7": "⁷", "8": "⁸", "9": "⁹", n: "ⁿ", "+": "⁺", "-": "⁻" };
const LOW: Record<string, string> = { "0": "₀", "1": "₁", "2": "₂", "3": "₃", "4": "₄", "5": "₅", "6": "₆", "7": "₇", "8": "₈", "9": "₉" };
const SUSPECT = /[\\$`{}]|\^\w|''/;

/** The text without commands such as `\it`, `\emph{...}` and `$...$`; text without such remains comes back as it is. */
export function plain(text: string): string {
  if (!SUSPECT.test(text)) return text;
  return text
    .replace(/``|''/g, '"')
    .replace(/\\(?:text\w*|emph|math\w+|operatorname|mbox|bm|boldsymbol|underline|url|href)\s*(?=\{)/g, "")
    .replace(/\\(?:it|em|bf|tt|sc|sf|rm|cal|itshape|bfseries|displaystyle|linebreak|newline|left|right|tilde|hat|bar)(?![a-zA-Z])\s*/g, "")
    .replace(/\\([a-zA-Z]+)\s?/g, (whole, name: string) => SIGNS[name] ?? whole)
    .replace(/\\([%&$#_{}])/g, "$1")
    .replace(/\\[,;:! ]/g, " ")
    .replace(/\^\{?([0-9n+-])\}?/g, (_, sign: string) => HIGH[sign] ?? sign)
    .replace(/_\{?([0-9])\}?(?=[\s$}),.]|$)/g, (_, sign: string) => LOW[sign] ?? sign)
    .replace(/\$([^$]{0,200})\$/g, "$1")
    .replace(/[{}]/g, "");
}

/** A reader of slices by the characters that Python counts: those beyond the basic plane count once. */
export function slicer(text: string): (start: number, end: number) => string {
  if (!/[\ud800-\udbff]/.test(text)) return (start, end) => text.slice(start, end);
  const characters = Array.from(text);
  return (start, end) => characters.slice(start, end).join("");
}
