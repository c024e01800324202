// A recording: the slider asks the node for the picture at an instant; while it plays, the node sends one after another.

import { setBanners } from "./banner.js";
import { charts } from "./charts.js";

const tape = document.getElementById("tape");
const place = document.getElementById("instant");
const slider = document.getElementById("at");
const play = document.getElementById("play");
const speed = document.getElementById("speed");
const view = document.getElementById("view");
const state = document.getElementById("tape-state");
let feed = null, turn = 0, soon = 0, maps = null;

/** What stands in `place` is of another instant: the tape says so too. */
function told() {
  const now = document.getElementById("instant-at");
  if (!now) return;
  slider.value = now.dataset.at;
  slider.setAttribute("aria-valuetext", `${now.dataset.since}: ${now.dataset.moment}`);
  const said = document.getElementById("now");
  said.querySelector("output").textContent = now.dataset.moment;
  said.querySelector("span").textContent = `${now.dataset.since} after its beginning`;
  maps?.show({ "": JSON.parse(now.dataset.rows) }, Number(now.dataset.ms));
}

function end(text) {
  stop();
  place.replaceChildren();
  maps?.show({}, 0);
  play.hidden = true;
  state.textContent = text;
}

async function seek() {
  const mine = ++turn;
  const address = `${tape.getAttribute("action")}?${new URLSearchParams({ at: slider.value, view: view.value })}`;
  let answer, text;
  try {
    answer = await fetch(address, { credentials: "same-origin", redirect: "manual" });
    text = await answer.text();
  } catch {
    state.textContent = "The node cannot be reached. Move the slider to try again.";
    return;
  }
  if (mine !== turn) return;
  const page = new DOMParser().parseFromString(text, "text/html");
  const found = page.getElementById("instant"), banner = page.querySelector(".banner");
  if (!answer.ok || !found) {
    end("Your session, or its level, has ended, or the recording is gone: load the page again.");
    return;
  }
  setBanners(banner.className, banner.lastChild.textContent);
  place.replaceChildren(...found.childNodes);
  told();
  history.replaceState(null, "", address);
  state.textContent = "";
}

function stop() {
  feed?.close();
  feed = null;
  play.setAttribute("aria-pressed", "false");
  play.textContent = "Play";
}

function begin() {
  stop();
  turn += 1;
  if (slider.value === slider.max) slider.value = 0;
  const asked = new URLSearchParams({ at: slider.value, view: view.value, speed: speed.value });
  feed = new EventSource(`${tape.dataset.play}?${asked}`);
  play.setAttribute("aria-pressed", "true");
  play.textContent = "Pause";
  feed.addEventListener("feed", (event) => {
    const { banner, html } = JSON.parse(event.data);
    setBanners(`banner ${banner.colour}`, banner.text);
    place.innerHTML = html;  // rendered and escaped by the node; the page's policy lets nothing in it run
    told();
    if (slider.value === slider.max) stop();
  });
  feed.addEventListener("ended", () => end("Your session, or its level, has ended: load the page again."));
  feed.addEventListener("error", () => {
    stop();  // it would begin anew at another instant than this
    state.textContent = "The node stopped sending. Play goes on from here.";
  });
}

if (tape) {
  play.hidden = document.getElementById("speeds").hidden = false;
  slider.addEventListener("input", () => {
    stop();
    clearTimeout(soon);
    soon = setTimeout(seek, 80);
  });
  view.addEventListener("change", () => {
    stop();
    seek();
  });
  tape.addEventListener("submit", (event) => {
    event.preventDefault();
    stop();
    seek();
  });
  speed.addEventListener("change", () => { if (feed) begin(); });
  play.addEventListener("click", () => (feed ? stop() : begin()));
  charts(document.getElementById("charts")).then((made) => {
    maps = made;
    told();
  });
} else if (document.getElementById("reading")) {
  setTimeout(() => location.reload(), 2000);
}
