// Where tracks came along while the page was open: a few points of each, drawn now and then under the symbols.
import { mercator, plane } from "./plane.js";

const POINTS = 90, STEP_MS = 5000, DRAW_MS = 1000;
const DARK = matchMedia("(prefers-color-scheme: dark)");

export class Trails {
  constructor(map) {
    this.map = map;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "overlay";
    this.canvas.setAttribute("aria-hidden", "true");
    this.known = new Map();
    this.which = "all";
    this.selected = "";
    this.drawnAt = 0;
    map.on("movestart", () => this.clear());
  }

  // Remembers where these are, forgets all others, and draws once a second.
  take(rows) {
    const kept = new Map();
    for (const row of rows) {
      const trail = this.known.get(row.key) ?? { at: -Infinity, points: [] };
      if (row.lat !== null && row.at - trail.at >= STEP_MS) {
        trail.at = row.at;
        trail.points.push(mercator(row.lat, row.lon));
        if (trail.points.length > POINTS) trail.points.shift();
      }
      trail.last = row.lat === null ? null : [row.lat, row.lon];
      kept.set(row.key, trail);
    }
    this.known = kept;
    const now = performance.now();
    if (now - this.drawnAt >= DRAW_MS && !this.map.isMoving()) this.draw();
  }

  clear() {
    this.canvas.getContext("2d").clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  draw() {
    this.drawnAt = performance.now();
    const at = plane(this.map), ratio = window.devicePixelRatio || 1, pen = this.canvas.getContext("2d");
    this.canvas.width = at.width * ratio;
    this.canvas.height = at.height * ratio;
    if (this.which === "none") return;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.globalAlpha = 0.45;
    pen.lineWidth = 1.25;
    pen.strokeStyle = DARK.matches ? "#8fc1ff" : "#124f8c";
    pen.beginPath();
    for (const [key, { points, last }] of this.known) {
      if (!last || (this.which === "one" && key !== this.selected)) continue;
      let before = null;
      for (const [mx, my] of [...points, mercator(...last)]) {
        const x = at.x(mx), y = at.y(my);
        if (before === null || Math.abs(x - before) > at.width / 2) pen.moveTo(x, y);
        else pen.lineTo(x, y);
        before = x;
      }
    }
    pen.stroke();
  }
}
