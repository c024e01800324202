// Small maps beside a table: each with rows of its own, all moved together.

import { place } from "./rows.js";

/** Maps in the places that a page has for them; null where it has none, or the browser cannot draw them. */
export async function charts(holder) {
  if (!holder) return null;
  holder.hidden = false;
  try {
    const [{ base, fit }, { Overlay }] = await Promise.all([import("./base.js"), import("./overlay.js")]);
    const places = [...holder.querySelectorAll(".sea")];
    const made = await Promise.all(places.map(async (one) => [one.dataset.of, new Overlay(await base(one, one.dataset))]));
    return new Charts(made, fit);
  } catch {
    holder.hidden = true;  // the table holds the same
    return null;
  }
}

class Charts {
  constructor(made, fit) {
    this.made = made;
    this.fit = fit;
    this.fitted = false;
    this.moving = false;
    for (const [, overlay] of made) overlay.map.on("move", () => this.together(overlay.map));
    for (const [, { map, trails }] of made) {
      trails.which = "none";
      const title = map.getContainer().previousElementSibling.textContent, canvas = map.getCanvas();
      canvas.setAttribute("aria-label", `${title}. ${canvas.getAttribute("aria-label")}`);
    }
  }

  // Where one map was moved to, the others go too.
  together(leader) {
    if (this.moving) return;
    this.moving = true;
    const view = { center: leader.getCenter(), zoom: leader.getZoom() };
    for (const [, { map }] of this.made) if (map !== leader) map.jumpTo(view);
    this.moving = false;
  }

  // Rows by whose map it is, as they were at an instant (ms); what is not named is empty.
  show(rows, at) {
    for (const [of, overlay] of this.made) overlay.show(rows[of] ?? [], () => at);
    const places = Object.values(rows).flat().map(place).filter(Boolean);
    if (this.fitted || !places.length) return;
    this.fitted = true;
    this.fit(this.made[0][1].map, places);
  }
}
