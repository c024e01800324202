// Keeps the page of a run current: the node says each verdict again as it changes, below the marking that the page has.

const place = document.getElementById("run");
const state = document.getElementById("run-state");
const feed = new EventSource(place.dataset.feed);
let before = "";

function turn(one, [symbol, words, tone]) {
  one.className = `sign ${tone}`;
  one.firstElementChild.textContent = symbol;
  one.lastChild.textContent = ` ${words}`;
}

function show({ cases, cells, told }) {
  let missing = false;
  for (const [kind, said] of [["case", cases], ["cell", cells]]) {
    for (const [name, sign] of Object.entries(said)) {
      const found = [...place.querySelectorAll(`[data-${kind}]`)].filter((one) => one.dataset[kind] === name);
      for (const one of found) turn(one.querySelector(".sign"), sign);
      missing ||= found.length === 0;
    }
  }
  const words = `${told}${missing ? " There is more than this page shows: look again." : ""}`;
  if (words !== before) state.textContent = before = words;
}

function end(words) {
  feed.close();
  place.replaceChildren();
  state.textContent = words;
}

feed.addEventListener("feed", (event) => {
  const said = JSON.parse(event.data);
  if (said.over) end("What there is to see here has changed, or is marked higher by now. Look again.");
  else show(said);
});
feed.addEventListener("ended", () => end("Your session, or its level, has ended: what was shown here is taken away. Load the page again."));
feed.addEventListener("error", () => {
  if (feed.readyState === EventSource.CLOSED) end("What was shown here is taken away: load the page again.");
  else state.textContent = before = "The node cannot be reached: what stands here grows old. Trying again.";
});
