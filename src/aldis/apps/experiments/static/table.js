// The table of tracks: a page of rows in an order, kept current in place, so that the focus stays where it is.
import { age, course, ordered, placed, speed } from "./rows.js";

const MOST = 100;
const CELLS = [
  ["From", (row) => `${row.party || "?"} ${row.node}`],
  ["Moves", (row) => row.kind],
  ["Age", (row, now) => `${age(row, now)}${row.ahead ? ", reckoned" : ""}`],
  ["Speed", speed],
  ["Course", course],
  ["Place", (row) => `${placed(row)}${row.grid ? ` ±${row.grid} m` : ""}`],
];

const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };

export class Table {
  // `open` gives the address of a row's own page, `choose` is called with its key.
  constructor(table, pager, { open, choose }) {
    this.body = table.tBodies[0];
    this.pager = pager;
    this.open = open;
    this.by = "name";
    this.down = false;
    this.first = 0;
    this.lines = new Map();
    this.selected = "";
    this.rows = [];
    this.body.replaceChildren();
    for (const head of table.tHead.querySelectorAll("[data-sort]")) this.sorts(head);
    this.body.addEventListener("click", (event) => {
      const line = event.target.closest("tr");
      if (!line || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      choose(line.dataset.key);
    });
    this.body.addEventListener("keydown", (event) => this.step(event));
  }

  sorts(head) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain";
    button.append(...head.childNodes);
    head.append(button);
    const mark = () => {
      for (const one of head.parentElement.children) one.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", this.down ? "descending" : "ascending");
    };
    button.addEventListener("click", () => {
      this.down = this.by === head.dataset.sort && !this.down;
      this.by = head.dataset.sort;
      this.first = 0;
      mark();
      this.show(this.rows, this.now, this.selected, true);
    });
    if (head.dataset.sort === this.by) mark();
  }

  // Arrows go from row to row.
  step(event) {
    const way = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    const next = way && event.target.closest("tr")?.[way];
    if (!next) return;
    event.preventDefault();
    next.querySelector("a").focus();
  }

  // Shows these rows, a page of them; while the focus is among them the order stays as it is.
  show(rows, now, selected = this.selected, anew = false) {
    Object.assign(this, { rows, now, selected });
    const held = !anew && this.body.contains(document.activeElement);
    const known = new Map(rows.map((row) => [row.key, row]));
    let page;
    if (held) page = [...this.lines.keys()].filter((key) => known.has(key)).map((key) => known.get(key));
    else {
      const all = ordered(rows, this.by, this.down);
      this.first = Math.min(this.first, Math.max(0, Math.floor((all.length - 1) / MOST) * MOST));
      page = all.slice(this.first, this.first + MOST);
    }
    const lines = new Map(page.map((row) => [row.key, this.lines.get(row.key) ?? this.line(row)]));
    for (const [key, line] of this.lines) if (!lines.has(key)) line.remove();
    let before = null;
    for (const line of lines.values()) {
      const there = before ? before.nextSibling : this.body.firstChild;
      if (line !== there) this.body.insertBefore(line, there);
      before = line;
    }
    this.lines = lines;
    for (const row of page) this.write(lines.get(row.key), row, now);
    if (!held) this.paging(rows.length);
  }

  focus(key) {
    this.lines.get(key)?.querySelector("a").focus();
  }

  line(row) {
    const line = document.createElement("tr"), head = document.createElement("th"), link = document.createElement("a");
    const cell = (name) => { const made = line.insertCell(); made.setAttribute("role", "cell"); made.dataset.of = name; };
    cell("Marking");
    line.setAttribute("role", "row");
    line.dataset.key = row.key;
    head.setAttribute("role", "rowheader");
    head.scope = "row";
    link.href = this.open(row);
    head.append(link);
    line.append(head);
    for (const [name] of CELLS) cell(name);
    return line;
  }

  write(line, row, now) {
    const [marking, head] = line.cells, said = row.labels.map(({ text }) => text).join();
    if (marking.dataset.said !== said) {
      marking.dataset.said = said;
      marking.replaceChildren(...row.labels.map(chip));
    }
    put(head.firstChild, row.name || row.id);
    const doubts = row.doubts.join("; ");
    if (line.dataset.doubts !== doubts) {
      line.dataset.doubts = doubts;
      head.replaceChildren(head.firstChild, ...(doubts ? [doubtful(doubts)] : []));
    }
    CELLS.forEach(([, words], index) => put(line.cells[index + 2], words(row, now)));
    const chosen = row.key === this.selected;
    if (chosen !== line.classList.contains("chosen")) {
      line.classList.toggle("chosen", chosen);
      if (chosen) head.firstChild.setAttribute("aria-current", "true");
      else head.firstChild.removeAttribute("aria-current");
    }
  }

  paging(count) {
    const said = `${count} ${this.first}`;
    if (this.pager.dataset.said === said) return;
    this.pager.dataset.said = said;
    const turn = (text, first) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = text;
      button.disabled = first < 0 || first >= count;
      button.addEventListener("click", () => { this.first = first; this.show(this.rows, this.now, this.selected, true); });
      return button;
    };
    const upto = Math.min(count, this.first + MOST);
    this.pager.replaceChildren(...(count > MOST
      ? [turn("Before", this.first - MOST), ` ${this.first + 1} to ${upto} of ${count} `, turn("After", this.first + MOST)] : []));
  }
}

function doubtful(why) {
  const made = document.createElement("small");
  made.textContent = ` doubtful: ${why}`;
  return made;
}

export function chip({ text, colour }) {
  const made = document.createElement("span");
  made.className = `chip ${colour}`;
  made.textContent = text;
  return made;
}
