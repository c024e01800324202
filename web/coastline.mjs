// Writes the coastline that maps stand on: Natural Earth's land by way of world-atlas, cut where its rings cross 180 degrees.
import { readFileSync, writeFileSync } from "node:fs";
import { geoEquirectangular } from "d3-geo";
import { geoProject } from "d3-geo-projection";

const [source, target] = process.argv.slice(2);
const atlas = JSON.parse(readFileSync(source, "utf8"));
const { scale: [sx, sy], translate: [tx, ty] } = atlas.transform;

// TopoJSON 1.0, 2.1.3: each arc begins at a place and goes on by differences; ~i is arc i backwards.
const arcs = atlas.arcs.map((arc) => {
  let x = 0, y = 0;
  return arc.map(([dx, dy]) => [(x += dx) * sx + tx, (y += dy) * sy + ty]);
});
const ring = (names) => names.flatMap((name, index) => {
  const arc = name < 0 ? [...arcs[~name]].reverse() : arcs[name];
  return index ? arc.slice(1) : arc;
});
const polygons = atlas.objects.land.geometries.flatMap((one) => (one.type === "Polygon" ? [one.arcs] : one.arcs));
const land = { type: "MultiPolygon", coordinates: polygons.map((rings) => rings.map(ring)) };

// On the plane one unit is one degree, with y down: cut there, then back, rounded to about 1 km, as fine as 1:50,000,000 is.
const plane = geoEquirectangular().scale(180 / Math.PI).translate([0, 0]).precision(0);
const round = (value) => Math.round(value * 100) / 100;
const back = (points) => points
  .map(([x, y]) => [round(x), round(-y)])
  .filter(([x, y], index, all) => !index || x !== all[index - 1][0] || y !== all[index - 1][1]);
const cut = geoProject(land, plane).coordinates
  .map((rings) => rings.map(back).filter((points) => points.length > 3))
  .filter((rings) => rings.length);
for (const points of cut.flat()) {
  for (let index = 1; index < points.length; index++) {
    const [x, y] = points[index], [before, above] = points[index - 1];
    if (Math.abs(x - before) > 180 && Math.max(Math.abs(y), Math.abs(above)) < 85) throw new Error(`a line runs around the world at ${y}`);
  }
}
writeFileSync(target, JSON.stringify({ type: "MultiPolygon", coordinates: cut }));
