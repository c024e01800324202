// Puts what pages load from npm where the node serves it: no map of sources, one coastline.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

const WEB = "../src/aldis/interfaces/web/static/vendor";
const MAP = "../src/aldis/apps/experiments/static/vendor";
const FILES = [
  ["htmx.org/dist/htmx.min.js", WEB],
  ["maplibre-gl/dist/maplibre-gl.mjs", MAP],
  ["maplibre-gl/dist/maplibre-gl-worker.mjs", MAP],
  ["milsymbol/dist/milsymbol.js", MAP],
];

process.chdir(import.meta.dirname);
for (const folder of [WEB, MAP]) mkdirSync(folder, { recursive: true });
for (const [name, folder] of FILES) {
  const target = `${folder}/${name.split("/").at(-1)}`;
  copyFileSync(`node_modules/${name}`, target);
  const text = readFileSync(target, "utf8");
  writeFileSync(target, text.replace(/\n\/\/# sourceMappingURL=\S+\s*$/, "\n"));
}
execFileSync(process.execPath, ["coastline.mjs", "node_modules/world-atlas/land-50m.json", `${MAP}/coastline.json`]);
