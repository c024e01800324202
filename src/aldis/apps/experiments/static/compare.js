// Compare: a chosen field says why beside the table, and the node sends the rows again whenever they have changed.

import { setBanners } from "./banner.js";
import { charts } from "./charts.js";

const place = document.getElementById("panes");
const why = document.getElementById("why");
const state = document.getElementById("compare-state");
const pause = document.getElementById("compare-pause");
const feed = new EventSource(place.dataset.feed);
let turn = 0, from = "", waiting = null;

/** Whether all that is marked there is marked here too, so that this page's banner holds for it. */
function covers(there) {
  const marks = new Set(place.querySelector("[data-marks]")?.dataset.marks.split(" "));
  return there.split(" ").every((one) => marks.has(one));
}

const chosen = () => [...place.querySelectorAll("a.why")].find((one) => one.getAttribute("href") === from);

function mark() {
  for (const one of place.querySelectorAll(".chosen")) one.classList.remove("chosen");
  if (!why.hidden) chosen()?.closest("td").classList.add("chosen");
}

function shut() {
  why.hidden = true;
  why.replaceChildren();
  mark();
}

/** Say why beside the table; what this page's banner does not cover is shown as a page of its own. */
async function explain(address) {
  const mine = ++turn;
  let page = null;
  try {
    const answer = await fetch(address, { credentials: "same-origin", redirect: "manual" });
    if (answer.ok) page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch { /* the page itself says what is wrong */ }
  if (mine !== turn) return;
  const found = page?.getElementById("why");
  if (!found || !covers(found.dataset.marks)) {
    location.assign(address);
    return;
  }
  const close = Object.assign(document.createElement("button"), { type: "button", textContent: "Close" });
  close.addEventListener("click", () => {
    const back = chosen();
    shut();
    back?.focus();
  });
  why.replaceChildren(...found.childNodes, close);
  why.dataset.marks = found.dataset.marks;
  why.hidden = false;
  from = address;
  mark();
  why.focus();
}

place.addEventListener("click", (event) => {
  const link = event.target.closest("a.why") ?? event.target.closest("td.given")?.querySelector("a.why");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button) return;
  event.preventDefault();
  explain(link.getAttribute("href"));
});
why.addEventListener("keydown", (event) => {
  if (event.key === "Escape") why.querySelector("button").click();
});

function show({ banner, html }) {
  setBanners(`banner ${banner.colour}`, banner.text);
  place.innerHTML = html;  // rendered and escaped by the node; the page's policy lets nothing in it run
  waiting = null;
  if (!why.hidden && !covers(why.dataset.marks)) shut();
  mark();
  draw();
}

const held = () => pause.getAttribute("aria-pressed") === "true" || place.contains(document.activeElement);

function end() {
  feed.close();
  place.replaceChildren();
  shut();
  draw();
  pause.hidden = true;
  state.textContent = "Your session, or its level, has ended: what was shown here is taken away. Load the page again.";
}

feed.addEventListener("open", () => {
  pause.hidden = false;
  state.textContent = "What changes appears by itself.";
});
feed.addEventListener("feed", (event) => {
  const said = JSON.parse(event.data);
  if (held()) waiting = said;
  else show(said);
});
feed.addEventListener("ended", end);
feed.addEventListener("error", () => {
  if (feed.readyState === EventSource.CLOSED) end();
  else state.textContent = "The node cannot be reached: what stands here grows old. Trying again.";
});
pause.addEventListener("click", () => {
  const paused = pause.getAttribute("aria-pressed") !== "true";
  pause.setAttribute("aria-pressed", String(paused));
  state.textContent = paused ? "Paused: what stands here grows old." : "What changes appears by itself.";
  if (waiting && !held()) show(waiting);
});
place.addEventListener("focusout", () => setTimeout(() => { if (waiting && !held()) show(waiting); }));

function draw() {
  const at = Number(place.querySelector("[data-at]")?.dataset.at), rows = {};
  for (const one of place.querySelectorAll("[data-map]")) rows[one.dataset.map] = JSON.parse(one.dataset.rows);
  maps?.show(rows, at);
}

let maps = null;
charts(document.getElementById("charts")).then((made) => {
  maps = made;
  draw();
});
