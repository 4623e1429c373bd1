// src/ -> ../bundle/explorer.js and explorer.css: the two files that the Python package ships.
import { build } from "esbuild";
import { readFileSync } from "node:fs";

const out = (process.argv[2] ?? new URL("../bundle", import.meta.url).pathname) + "/";

await build({
  entryPoints: [{ in: "src/main.ts", out: "explorer" }],
  outdir: out,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["chrome103", "firefox113", "safari16.4"],
  charset: "utf8",
  legalComments: "inline",
  logLevel: "warning",
});

// The page embeds the script as it stands: this text would end it early.
if (/<\/script|<!--/i.test(readFileSync(out + "explorer.js", "utf8"))) throw new Error("the bundle holds text that ends a script element");
