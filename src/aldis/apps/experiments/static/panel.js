// The panel of one track: every field that may be seen of it, each portion with its marking and whose it is.
import { chip } from "./table.js";

const element = (name, ...inside) => {
  const made = document.createElement(name);
  made.append(...inside);
  return made;
};

export class Panel {
  // `covered` says whether the page's banner covers what has these markings; until it does nothing of it is shown.
  constructor(panel, { covered, closed }) {
    this.panel = panel;
    this.covered = covered;
    this.title = panel.querySelector("h2");
    this.said = panel.querySelector("#p-said");
    this.parts = panel.querySelector("#p-parts");
    this.link = panel.querySelector("#p-open");
    this.feed = null;
    panel.querySelector("#p-close").addEventListener("click", () => { this.close(); closed(); });
  }

  // Follows a track; `path` is that of its own page.
  open(path, name) {
    this.close();
    this.panel.hidden = false;
    this.title.textContent = name;
    this.link.href = path;
    this.feed = new EventSource(`${path}/feed`);
    this.feed.addEventListener("feed", (event) => this.show(JSON.parse(event.data)));
    this.feed.addEventListener("ended", () => this.close());
    this.feed.addEventListener("error", () => { if (this.feed?.readyState === EventSource.CLOSED) this.close(); });
  }

  close() {
    this.feed?.close();
    this.feed = null;
    this.panel.hidden = true;
    this.parts.replaceChildren();
    this.said.textContent = this.title.textContent = "";
  }

  show(track) {
    if (track.gone) {
      this.parts.replaceChildren();
      this.said.textContent = "There is no such track any more.";
      return;
    }
    if (!this.covered(track.rolled.map((index) => track.marks[index].text))) return;
    this.title.replaceChildren(chip(track.marks[track.header]), ` ${track.name}`);
    this.said.textContent = `Said by ${track.party || "?"} (${track.node}).${
      track.ahead ? ` Reckoned on by now, reported there by nobody: ${track.ahead}.` : ""}`;
    this.parts.replaceChildren(...track.parts.map((part) => this.part(part, track.marks)));
  }

  part({ name, label, party, node, at, live, fields }, marks) {
    const when = new Date(at).toISOString().slice(0, 19).replace("T", " ");
    const source = element("small", `${party || "?"} ${node}, ${live ? "live" : "recorded"} ${when} UTC`);
    const list = element("dl", ...fields.map(([field, value]) => element("div", element("dt", field), element("dd", value))));
    const made = element("section", element("h3", chip(marks[label]), ` ${name} `, source), list);
    list.className = "facts";
    made.className = "portion";
    return made;
  }
}
