// Draws tracks on a canvas over a map: symbols, where they go, where they are reckoned on to, names, what is selected.
import { mercator, plane } from "./plane.js";
import { age, place, seconds } from "./rows.js";
import { symbol } from "./symbols.js";
import { Trails } from "./trails.js";

const FADES = [[10, 1], [60, 0.85], [600, 0.6], [Infinity, 0.35]];
const LEAD_S = 60, NEAR = 14, NAMED = 120, OLD_S = 60;
const DARK = matchMedia("(prefers-color-scheme: dark)");
const fade = (old) => (old === null ? 0.35 : FADES.find(([most]) => old <= most)[1]);

export class Overlay {
  constructor(map) {
    this.map = map;
    this.trails = new Trails(map);
    this.canvas = document.createElement("canvas");
    this.canvas.className = "overlay";
    this.canvas.setAttribute("aria-hidden", "true");
    map.getCanvasContainer().append(this.trails.canvas, this.canvas);
    this.rows = [];
    this.now = () => Date.now();
    this.selected = "";
    this.frames = 0;
    this.asked = false;
    map.on("move", () => this.draw());
    map.on("moveend", () => this.trails.draw());
    map.on("resize", () => { this.trails.draw(); this.draw(); });
    DARK.addEventListener("change", () => this.later());
  }

  // Shows these rows, and nothing else; `now` says what time it is at the node.
  show(rows, now, selected = this.selected) {
    this.rows = rows;
    this.now = now;
    this.selected = selected;
    this.trails.take(rows);
    this.later();
  }

  later() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => { if (this.asked) this.draw(); });
  }

  draw() {
    this.asked = false;
    this.frames++;
    const at = plane(this.map), ratio = window.devicePixelRatio || 1, pen = this.canvas.getContext("2d");
    if (this.canvas.width !== at.width * ratio || this.canvas.height !== at.height * ratio) {
      this.canvas.width = at.width * ratio;
      this.canvas.height = at.height * ratio;
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, at.width, at.height);
    const now = this.now(), ink = DARK.matches ? "#e6eaee" : "#14191e";
    const drawn = [];
    for (const row of this.rows) {
      const there = place(row);
      if (!there) continue;
      const [mx, my] = mercator(there[0], there[1]), x = at.x(mx), y = at.y(my);
      if (x < -60 || y < -60 || x > at.width + 60 || y > at.height + 60) continue;
      drawn.push({ row, x, y, lat: there[0], old: seconds(row, now) });
    }
    this.drawn = drawn;
    pen.strokeStyle = pen.fillStyle = ink;
    pen.lineWidth = 1;
    this.leads(pen, at, drawn);
    for (const one of drawn) {
      if (one.row.ahead) this.ahead(pen, at, one);
      else if (one.row.grid) this.cell(pen, at, one);
      this.symbol(pen, one);
    }
    pen.globalAlpha = 1;
    const chosen = drawn.find(({ row }) => row.key === this.selected);
    if (chosen) this.choose(pen, chosen);
    this.names(pen, drawn, chosen, ink, now);
  }

  // Where they will be in a minute at this speed, all in one stroke.
  leads(pen, at, drawn) {
    pen.globalAlpha = 0.7;
    pen.beginPath();
    for (const { row, x, y, lat } of drawn) {
      if (!row.speed || row.course === null) continue;
      const long = Math.min(60, at.pixels(row.speed * LEAD_S, lat)), turn = (row.course * Math.PI) / 180;
      if (long < 3) continue;
      pen.moveTo(x, y);
      pen.lineTo(x + long * Math.sin(turn), y - long * Math.cos(turn));
    }
    pen.stroke();
  }

  symbol(pen, { row, x, y, old }) {
    const { image, x: ax, y: ay, ratio } = symbol(row.sidc, { hollow: row.ahead !== null });
    pen.globalAlpha = row.ahead ? 0.9 : fade(old);
    pen.drawImage(image, x - ax / ratio, y - ay / ratio, image.width / ratio, image.height / ratio);
  }

  ahead(pen, at, { row, x, y, lat }) {
    const [mx, my] = mercator(row.lat, row.lon), circle = Math.max(12, at.pixels(row.ahead[2], lat));
    pen.globalAlpha = 0.7;
    pen.setLineDash([3, 3]);
    pen.beginPath();
    pen.moveTo(at.x(mx), at.y(my));
    pen.lineTo(x, y);
    if (circle < 4000) {
      pen.moveTo(x + circle, y);
      pen.arc(x, y, circle, 0, 2 * Math.PI);
    }
    pen.stroke();
    pen.setLineDash([]);
  }

  // The square that it was released as.
  cell(pen, at, { row, x, y, lat }) {
    const half = at.pixels(row.grid, lat) / 2;
    if (half < 8 || half > 4000) return;
    pen.globalAlpha = 0.6;
    pen.strokeRect(x - half, y - half, 2 * half, 2 * half);
  }

  choose(pen, { x, y }) {
    const [ink, ground] = DARK.matches ? ["#ffb454", "#0f1418"] : ["#b35a00", "#fff"];
    for (const [width, colour] of [[5, ground], [2.5, ink]]) {
      pen.lineWidth = width;
      pen.strokeStyle = colour;
      pen.strokeRect(x - 17, y - 17, 34, 34);
    }
  }

  // Names of what is selected, and of all others for which there is room.
  names(pen, drawn, chosen, ink, now) {
    const taken = new Set(), ground = DARK.matches ? "#0b1218" : "#fff";
    pen.font = "12px system-ui, 'Liberation Sans', sans-serif";
    pen.textBaseline = "middle";
    pen.lineWidth = 3;
    pen.lineJoin = "round";
    pen.strokeStyle = ground;
    pen.fillStyle = ink;
    const write = ({ row, x, y, old }) => {
      const cell = `${Math.round(x / 90)} ${Math.round(y / 16)}`;
      if (taken.has(cell) && row.key !== this.selected) return;
      taken.add(cell);
      const late = row.ahead ? ` reckoned, ${age(row, now)}` : old !== null && old >= OLD_S ? ` ${age(row, now)} old` : "";
      const text = `${row.name || row.id.slice(0, 12)}${late}`;
      pen.strokeText(text, x + 15, y);
      pen.fillText(text, x + 15, y);
    };
    if (chosen) write(chosen);
    if (drawn.length <= NAMED) drawn.forEach(write);
  }

  // The key of the track that is drawn nearest to a pixel.
  pick(x, y) {
    let best = "", least = NEAR;
    for (const one of this.drawn ?? []) {
      const far = Math.hypot(one.x - x, one.y - y);
      if (far <= least) [best, least] = [one.row.key, far];
    }
    return best;
  }
}
