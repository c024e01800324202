// Sends the files of a form piece by piece before the form itself: one sees how far they are, may cancel, and a cut
// of the line loses no more than a piece. The form then names what came; without this script it carries the files.

const PIECE = 2 * 1024 * 1024;
const TRIES = 6;
const whole = new Map();  // files that came already: to send the form again sends no file again
let busy = null;

class Refused extends Error {
  constructor(said) {
    super(`${said.what}.${said.fix ? ` ${said.fix}.` : ""}`);
    this.said = said;
  }
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function ask(work, method, path, body) {
  for (let tried = 1; ; tried += 1) {
    work.signal.throwIfAborted();
    let answer;
    try {
      answer = await fetch(path, { method, body, headers: { "X-Aldis-Form": work.token }, signal: work.signal });
    } catch (error) {
      if (work.signal.aborted || tried >= TRIES) throw error;
      work.tell("The node cannot be reached: trying again.");
      await pause(500 * 2 ** tried);
      continue;
    }
    if (answer.status === 429) {
      await pause(1000 * Number(answer.headers.get("Retry-After") ?? 1));
      continue;
    }
    const said = await answer.json();
    if (!answer.ok) throw new Refused(said);
    return said;
  }
}

async function send(work, file) {
  if (whole.has(file)) return whole.get(file);
  const { id } = await ask(work, "POST", `/uploads?name=${encodeURIComponent(file.name)}`);
  work.id = id;
  let held = 0;
  while (held < file.size) {
    try {
      ({ held } = await ask(work, "PUT", `/uploads/${id}?from=${held}`, file.slice(held, held + PIECE)));
    } catch (error) {
      if (error.said?.held === undefined || error.said.held === held) throw error;
      held = error.said.held;  // a piece had come though its answer was lost
    }
    work.show(file, held);
  }
  const { file: described } = await ask(work, "POST", `/uploads/${id}/whole`);
  work.id = "";
  whole.set(file, described);
  return described;
}

function drop(work) {
  const id = work.id;
  work.id = "";
  if (!id) return Promise.resolve();
  return fetch(`/uploads/${id}/drop`, { method: "POST", keepalive: true, headers: { "X-Aldis-Form": work.token } })
    .catch(() => {});
}

const size = (bytes) => (bytes < 1 << 20 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / (1 << 20)).toFixed(1)} MiB`);

function panel(form) {
  form.querySelector(".sending")?.remove();
  const made = document.createElement("div");
  made.className = "sending";
  made.innerHTML = `<p class="far" id="sending-far"></p><progress aria-labelledby="sending-far"></progress>
    <p role="status"></p><p><button type="button" class="cancel">Cancel sending</button></p>`;
  const before = form.querySelector(".buttons") ?? form.querySelector("button:not([type=button])")?.closest("p");
  form.insertBefore(made, before ?? null);
  made.scrollIntoView({ block: "center" });
  return made;
}

async function take(form, submitter, files) {
  const stop = new AbortController();
  const place = panel(form);
  const [far, status] = [place.querySelector(".far"), place.querySelector("[role=status]")];
  const bar = place.querySelector("progress");
  const cancel = place.querySelector(".cancel");
  const total = files.reduce((sum, [, file]) => sum + file.size, 0);
  let before = 0;
  const work = {
    id: "", signal: stop.signal, token: form.elements.csrf.value,
    tell: (text) => { status.textContent = text; },
    show: (file, held) => {
      status.textContent = "";
      bar.value = before + held;
      far.textContent = `Sending ${file.name}: ${size(before + held)} of ${size(total)}`;
    },
  };
  const buttons = [...form.querySelectorAll("button:not([type=button])")];
  const idle = (free) => buttons.forEach((one) => { one.disabled = !free; });
  busy = work;
  bar.max = Math.max(total, 1);
  idle(false);
  cancel.addEventListener("click", () => stop.abort());
  try {
    const came = [];
    for (const [input, file] of files) {
      work.show(file, 0);
      came.push([input, await send(work, file)]);
      before += file.size;
    }
    for (const [input, described] of came) {
      const field = document.createElement("input");
      [field.type, field.name, field.value] = ["hidden", input.name, described];
      input.before(field);
      input.disabled = true;
    }
    far.textContent = "All files are there.";
    cancel.remove();
    busy = null;
    idle(true);
    form.dataset.sent = "yes";
    form.requestSubmit(submitter);
  } catch (error) {
    await drop(work);
    busy = null;
    idle(true);
    bar.remove();
    far.textContent = "";
    status.textContent = stop.signal.aborted
      ? "Cancelled: nothing of the form was stored, and what had come of the file is thrown away."
      : `Not sent: ${error instanceof Refused ? error.message : "the node cannot be reached. Try again."}`;
    status.className = stop.signal.aborted ? "" : "wrong";
    if (error.said?.full) free(cancel, work.token, status);
    else cancel.remove();
    submitter?.focus();
  }
}

function free(button, token, status) {
  const other = button.cloneNode();
  other.textContent = "Throw away what is under way";
  button.replaceWith(other);
  other.addEventListener("click", async () => {
    const answer = await fetch("/uploads/drop", { method: "POST", headers: { "X-Aldis-Form": token } });
    status.textContent = answer.ok ? "Thrown away: send the form again." : "That did not work: load the page again.";
    other.remove();
  });
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  const inputs = [...form.querySelectorAll('input[type="file"]:enabled')];
  const files = inputs.flatMap((input) => [...input.files].map((file) => [input, file]));
  if (form.dataset.sent || !files.length || form.enctype !== "multipart/form-data") return;
  event.preventDefault();
  if (!busy) take(form, event.submitter, files);
});
addEventListener("pagehide", () => { if (busy) drop(busy); });
