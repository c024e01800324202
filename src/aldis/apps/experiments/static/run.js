// Keeps the page of a run current: the node sends what it judged again, with its banner, for as long as the session holds.

import { setBanners } from "./banner.js";

const place = document.getElementById("run");
const state = document.getElementById("run-state");
const pause = document.getElementById("run-pause");
const feed = new EventSource(place.dataset.feed);
const held = () => pause.getAttribute("aria-pressed") === "true";
let waiting = null;

function show({ banner, html }) {
  setBanners(`banner ${banner.colour}`, banner.text);
  place.innerHTML = html;  // rendered and escaped by the node; the page's policy lets nothing in it run
  waiting = null;
}

/** Whether somebody is at work in what would be replaced. */
const busy = () => place.contains(document.activeElement) || place.querySelector("details[open]") !== null;

/** How many test cases stand how, for whoever hears the page. */
function verdicts() {
  const counts = new Map();
  for (const one of place.querySelectorAll("[data-case] .sign")) {
    const words = one.lastChild.textContent.trim();
    counts.set(words, (counts.get(words) ?? 0) + 1);
  }
  return counts.size ? `Test cases: ${[...counts].map(([words, count]) => `${count} ${words}`).join(", ")}.` : "";
}

function say() {
  if (held()) state.textContent = "Paused: what stands here grows old.";
  else if (waiting) state.textContent = "There is more: close what is open, to see it.";
  else state.textContent = `It is judged again every few seconds. ${verdicts()}`;
}

function take(said) {
  waiting = said;
  if (!held() && !busy()) show(said);
  say();
}

function end() {
  feed.close();
  place.replaceChildren();
  pause.hidden = true;
  state.textContent = "Your session, or its level, has ended: what was shown here is taken away. Load the page again.";
}

feed.addEventListener("open", () => {
  pause.hidden = false;
  say();
});
feed.addEventListener("feed", (event) => take(JSON.parse(event.data)));
feed.addEventListener("ended", end);
feed.addEventListener("error", () => {
  if (feed.readyState === EventSource.CLOSED) end();
  else state.textContent = "The node cannot be reached: what stands here grows old. Trying again.";
});
pause.addEventListener("click", () => {
  pause.setAttribute("aria-pressed", String(!held()));
  if (waiting && !held()) take(waiting);
  say();
});
place.addEventListener("focusout", () => setTimeout(() => {
  if (waiting && !held() && !busy()) take(waiting);
}));
