// The page of the picture: rows from the node to map, table and panel, for as long as the session holds.
import { setBanners } from "./banner.js";
import { Panel } from "./panel.js";
import { Rows, fits, place } from "./rows.js";
import { Table } from "./table.js";

const find = (id) => document.getElementById(id);
const page = find("picture"), asked = find("asked"), state = find("state"), pause = find("pause");
let current = new Rows(), held = null, selected = "", overlay = null, chart = null, fitted = false, drawing = 0;

const open = (row) => `${page.dataset.feed.replace(/\/feed$/, "")}/${encodeURIComponent(row.node)}/${encodeURIComponent(row.id)}`;
const table = new Table(find("tracks"), find("pager"), { open, choose });
const panel = new Panel(find("panel"), {
  covered: (texts) => {
    const row = (held ?? current).byKey.get(selected);
    return row !== undefined && texts.join() === row.labels.map(({ text }) => text).join();
  },
  closed: () => {
    const before = selected;
    selected = "";
    show();
    table.focus(before);
  },
});

function wanted() {
  const words = asked.q.value.toLowerCase().split(/\s+/).filter(Boolean);
  return { words, party: asked.party.value, kind: asked.kind.value, age: Number(asked.age.value) };
}

function fitting() {
  const rows = held ?? current, now = current.now(), filter = wanted();
  return [...rows.byKey.values()].filter((row) => fits(row, filter, now));
}

// The map at once, the table once a second.
function show({ all = true } = {}) {
  const rows = fitting(), shown = held ?? current, now = () => current.now();
  if (overlay) {
    overlay.trails.selected = selected;
    overlay.show(rows, now, selected);
    if (!fitted && rows.length) fitAll();
  }
  if (!all) return;
  table.show(rows, now(), selected);
  const total = shown.byKey.size, time = new Date(shown.at).toISOString().slice(11, 19);
  find("count").textContent = total ? `${rows.length} of ${total} tracks, as of ${time} UTC.` : "No tracks.";
  find("empty").hidden = rows.length > 0;
  if (shown.banner) setBanners(`banner ${shown.banner.colour}`, shown.banner.text);
}

function fitAll() {
  const places = fitting().map(place).filter(Boolean);
  if (places.length && chart) { fitted = true; chart.fit(overlay.map, places); }
}

function choose(key) {
  const row = (held ?? current).byKey.get(key);
  if (!row) return;
  selected = key;
  panel.open(open(row), row.name || row.id);
  if (overlay && place(row)) chart.follow(overlay.map, place(row));
  show();
}

const feed = new EventSource(page.dataset.feed);
feed.addEventListener("open", () => { state.textContent = pause.getAttribute("aria-pressed") === "true" ? paused() : "Live."; });
feed.addEventListener("feed", (event) => {
  const said = JSON.parse(event.data), banner = current.banner?.text;
  current.take(said);
  if (held) {
    const there = new Set(current.byKey.keys());
    for (const key of held.byKey.keys()) if (!there.has(key)) held.byKey.delete(key);  // what may no longer be seen goes
  } else show({ all: said.all || banner !== current.banner?.text });
});
feed.addEventListener("ended", end);
feed.addEventListener("error", () => {
  if (feed.readyState === EventSource.CLOSED) end();
  else state.textContent = "The node cannot be reached: what stands here grows old. Trying again.";
});
drawing = setInterval(show, 1000);

function end() {
  feed.close();
  clearInterval(drawing);
  panel.close();
  current = new Rows();
  held = null;
  selected = "";
  table.show([], 0);
  overlay?.show([], () => 0, "");
  overlay?.map.remove();
  overlay = null;
  page.replaceChildren();
  asked.hidden = true;
  find("count").textContent = "";
  state.textContent = "Your session, or its level, has ended: what was shown here is taken away. Load the page again.";
}

const paused = () => "Paused: what stands here grows old.";
pause.addEventListener("click", () => {
  held = held ? null : current.copy();
  pause.setAttribute("aria-pressed", String(held !== null));
  state.textContent = held ? paused() : "Live.";
  show();
});
asked.addEventListener("submit", (event) => event.preventDefault());
for (const name of ["input", "change"]) asked.addEventListener(name, () => show());
for (const one of document.querySelectorAll(".scripted")) one.hidden = false;
for (const one of document.querySelectorAll(".plainly")) one.hidden = true;

async function draw() {
  const { base, fit, follow } = await import("./base.js"), { Overlay } = await import("./overlay.js");
  const section = find("map").closest("section");
  section.hidden = false;
  try {
    const map = await base(find("map"), page.dataset);
    if (feed.readyState === EventSource.CLOSED) { map.remove(); return; }
    chart = { fit, follow };
    overlay = new Overlay(map);
    wire(map);
    show();
  } catch {
    section.hidden = true;
    state.textContent = "No map: this browser cannot draw it. The table holds the same tracks.";
  }
}

function wire(map) {
  find("nearer").addEventListener("click", () => map.zoomIn({ duration: 0 }));
  find("farther").addEventListener("click", () => map.zoomOut({ duration: 0 }));
  find("fit").addEventListener("click", fitAll);
  find("trails").addEventListener("change", (event) => { overlay.trails.which = event.target.value; overlay.trails.draw(); });
  map.on("click", ({ point }) => { const key = overlay.pick(point.x, point.y); if (key) choose(key); });
  map.on("mousemove", ({ point, lngLat }) => {
    map.getCanvas().style.cursor = overlay.pick(point.x, point.y) ? "pointer" : "";
    find("where").textContent = `${lngLat.lat.toFixed(4)}, ${lngLat.wrap().lng.toFixed(4)}`;
  });
}

if (page.dataset.worker) draw();
