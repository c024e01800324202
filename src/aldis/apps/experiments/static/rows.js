// The rows that the node has sent, as they are by now, and what is said of them in words.

export const KNOTS = 3600 / 1852;
const UNITS = [[86400, "d"], [3600, "h"], [60, "min"]];

export class Rows {
  constructor() {
    this.byKey = new Map();
    this.banner = null;
    this.at = 0;
    this.since = 0;
  }

  // Takes an event of the feed in: rows, of known ones what changed, and the keys of those that have gone.
  take(event, heard = performance.now()) {
    if (event.all) this.byKey.clear();
    for (const key of event.gone) this.byKey.delete(key);
    for (const one of event.tracks) {
      if (one.labels) one.labels = one.labels.map((index) => event.marks[index]);
      const row = this.byKey.get(one.key);
      if (row) Object.assign(row, one);
      else this.byKey.set(one.key, one);
    }
    if (event.banner) this.banner = event.banner;
    this.at = event.at;
    this.since = heard;
  }

  // The node's time by now, in ms.
  now() {
    return this.at + (performance.now() - this.since);
  }

  // Apart from what comes later, as for a pause.
  copy() {
    const made = Object.assign(new Rows(), this);
    made.byKey = new Map([...this.byKey].map(([key, row]) => [key, { ...row }]));
    return made;
  }
}

export const seconds = (row, now) => (row.at === null ? null : Math.max(0, (now - row.at) / 1000));

export function age(row, now) {
  const old = seconds(row, now);
  if (old === null) return "";
  const [size, unit] = UNITS.find(([least]) => old >= least) ?? [1, "s"];
  return `${Math.floor(old / size)} ${unit}`;
}

// Where it stands by now: where it is reckoned on to, else where it was last.
export const place = (row) => (row.ahead ? [row.ahead[0], row.ahead[1]] : row.lat === null ? null : [row.lat, row.lon]);

export function placed(row) {
  const there = place(row);
  return there ? `${there[0].toFixed(4)}, ${there[1].toFixed(4)}` : "";
}

export const speed = (row) => (row.speed === null ? "" : `${(row.speed * KNOTS).toFixed(1)} kn`);

export const course = (row) => (row.course === null ? "" : `${String(Math.round(row.course) % 360).padStart(3, "0")}°`);

// Whether a row is what was asked for: words of its names, a party, where it moves, heard of within so many minutes.
export function fits(row, asked, now) {
  if (asked.party && row.party !== asked.party) return false;
  if (asked.kind && row.kind !== asked.kind) return false;
  if (asked.age && !(row.at !== null && now - row.at <= asked.age * 60000)) return false;
  if (!asked.words.length) return true;
  const said = `${row.name} ${row.words} ${row.id} ${row.node} ${row.party}`.toLowerCase();
  return asked.words.every((word) => said.includes(word));
}

const ORDER = {
  name: (row) => row.name.toLowerCase() || row.id,
  party: (row) => `${row.party} ${row.node}`,
  kind: (row) => row.kind,
  age: (row) => -(row.at ?? -Infinity),
  speed: (row) => row.speed ?? -1,
  course: (row) => row.course ?? -1,
  place: (row) => row.lat ?? -100,
};

// The rows in an order; what is alike in it stands by its key, so that nothing jumps.
export function ordered(rows, by, down) {
  const value = ORDER[by], sign = down ? -1 : 1;
  return rows
    .map((row) => [value(row), row])
    .sort(([a, one], [b, other]) => (a < b ? -sign : a > b ? sign : one.key < other.key ? -1 : 1))
    .map(([, row]) => row);
}
