// Bitmaps of symbols (MIL-STD-2525, APP-6), each made once by milsymbol for its code, form and density of the screen.

const made = new Map();
const DARK = matchMedia("(prefers-color-scheme: dark)");
DARK.addEventListener("change", () => made.clear());

// MIL-STD-2525C has no frame for a side of which nobody spoke: it is shown as unknown.
function code(sidc) {
  return /^[A-Z][^A-Z]|^[A-Z]O/.test(sidc) ? `${sidc[0]}U${sidc.slice(2)}` : sidc;
}

// An image with the place in it, in its own pixels, that stands on the track; `hollow` is for what is reckoned on.
export function symbol(sidc, { hollow = false, size = 17, ratio = window.devicePixelRatio || 1 } = {}) {
  const key = `${sidc} ${hollow} ${size} ${ratio}`;
  let found = made.get(key);
  if (!found) {
    const ink = DARK.matches ? "#e6eaee" : "#14191e";
    const drawn = new ms.Symbol(code(sidc), {
      size: size * ratio,
      fill: !hollow,
      icon: true,
      outlineWidth: hollow ? 0 : 2 * ratio,
      outlineColor: DARK.matches ? "rgba(0,0,0,.55)" : "rgba(255,255,255,.8)",
      ...(hollow ? { monoColor: ink } : {}),
    });
    const { x, y } = drawn.getAnchor();
    found = { image: drawn.asCanvas(), x, y, ratio };
    made.set(key, found);
  }
  return found;
}
