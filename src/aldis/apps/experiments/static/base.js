// The map that tracks are drawn over: a coastline that this node serves, drawn by MapLibre; it needs no network.
import { Map as Chart, setWorkerUrl } from "./vendor/maplibre-gl.mjs";

const STILL = matchMedia("(prefers-reduced-motion: reduce)");
const DARK = matchMedia("(prefers-color-scheme: dark)");
const COLOURS = {
  light: { sea: "#dfe7ec", land: "#f3f1ea", shore: "#8e9aa3" },
  dark: { sea: "#0b1218", land: "#1d262d", shore: "#54626d" },
};
const colours = () => COLOURS[DARK.matches ? "dark" : "light"];

function style(land) {
  const { sea, land: ground, shore } = colours();
  return {
    version: 8,
    sources: { land: { type: "geojson", data: land, tolerance: 0.4 } },
    layers: [
      { id: "sea", type: "background", paint: { "background-color": sea } },
      { id: "land", type: "fill", source: "land", paint: { "fill-color": ground, "fill-antialias": false } },
      { id: "shore", type: "line", source: "land", paint: { "line-color": shore, "line-width": 1 } },
    ],
  };
}

// Resolves once there is a map in `container`; fails where the browser has no WebGL.
export async function base(container, { worker, coast }) {
  setWorkerUrl(new URL(worker, location.href).href);
  const answer = await fetch(coast);
  const land = { type: "Feature", properties: {}, geometry: await answer.json() };
  const map = new Chart({
    container, style: style(land), center: [0, 30], zoom: 1, minZoom: 0.5, maxZoom: 16, attributionControl: false,
    dragRotate: false, pitchWithRotate: false, touchPitch: false, maxPitch: 0, fadeDuration: 0, validateStyle: false,
    renderWorldCopies: true, refreshExpiredTiles: false,
  });
  map.once("idle", () => { container.dataset.drawn = "land"; });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.getCanvas().setAttribute("aria-label", "Map: arrows move it, plus and minus change its scale. The table holds the same tracks.");
  DARK.addEventListener("change", () => {
    const { sea, land: ground, shore } = colours();
    map.setPaintProperty("sea", "background-color", sea);
    map.setPaintProperty("land", "fill-color", ground);
    map.setPaintProperty("shore", "line-color", shore);
  });
  return map;
}

// Moves so far that all of these places are seen.
export function fit(map, places) {
  if (!places.length) return;
  const lats = places.map(([lat]) => lat), middle = places[0][1];
  const lons = places.map(([, lon]) => middle + ((lon - middle + 540) % 360) - 180);  // the short way around the world
  const [west, east] = [Math.min(...lons), Math.max(...lons)];
  const [south, north] = [Math.max(-85, Math.min(...lats)), Math.min(85, Math.max(...lats))];
  map.fitBounds([[west, south], [east, north]], { padding: { top: 40, bottom: 40, left: 40, right: Math.min(160, map.getContainer().clientWidth / 4) }, maxZoom: 12, animate: !STILL.matches, duration: 300 });
}

// Moves, where that is needed, until a place is well within sight.
export function follow(map, [lat, lon]) {
  const { x, y } = map.project([lon, lat]), box = map.getContainer();
  const far = x < 40 || y < 40 || x > box.clientWidth - 40 || y > box.clientHeight - 40;
  if (far) map.easeTo({ center: [lon, lat], animate: !STILL.matches, duration: 250 });
}
