// Keeps the page of live values current: the node sends its rows whenever they change, for as long as the session holds.

const place = document.getElementById("live");
const state = document.getElementById("live-state");
const pause = document.getElementById("live-pause");
const feed = new EventSource(place.dataset.feed);
let waiting = null, since = performance.now();

function show({ banner, colour, html }) {
  for (const one of document.querySelectorAll(".banner")) {
    one.className = `banner ${colour}`;
    one.lastChild.textContent = banner;
  }
  place.innerHTML = html;  // rendered and escaped by the node; the page's policy lets nothing in it run
  since = performance.now();
  waiting = null;
}

function take(said) {
  const held = pause.getAttribute("aria-pressed") === "true" || place.contains(document.activeElement);
  if (held) waiting = said;
  else show(said);
}

function end() {
  feed.close();
  clearInterval(ticking);
  place.replaceChildren();
  pause.hidden = true;
  state.textContent = "Your session, or its level, has ended: what was shown here is taken away. Load the page again.";
}

const units = [[86400, "d"], [3600, "h"], [60, "min"]];
function age(seconds) {
  const [size, unit] = units.find(([least]) => seconds >= least) ?? [1, "s"];
  return `${Math.floor(seconds / size)} ${unit}`;
}

const ticking = setInterval(() => {
  const gone = (performance.now() - since) / 1000;
  for (const one of place.querySelectorAll("[data-age]")) one.textContent = age(Number(one.dataset.age) + gone);
}, 1000);

feed.addEventListener("open", () => {
  pause.hidden = false;
  state.textContent = "Newer values appear by themselves.";
});
feed.addEventListener("live", (event) => take(JSON.parse(event.data)));
feed.addEventListener("ended", end);
feed.addEventListener("error", () => {
  if (feed.readyState === EventSource.CLOSED) end();
  else state.textContent = "The node cannot be reached: what stands here grows old. Trying again.";
});
pause.addEventListener("click", () => {
  const paused = pause.getAttribute("aria-pressed") !== "true";
  pause.setAttribute("aria-pressed", String(paused));
  state.textContent = paused ? "Paused: what stands here grows old." : "Newer values appear by themselves.";
  if (!paused && waiting) show(waiting);
});
place.addEventListener("focusout", () => setTimeout(() => {
  if (waiting && !place.contains(document.activeElement) && pause.getAttribute("aria-pressed") !== "true") show(waiting);
}));
