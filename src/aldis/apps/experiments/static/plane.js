// From places to pixels of a map that lies flat with north up (Web Mercator, EPSG:3857); quicker than to ask it each time.

const TILE = 512;

export function mercator(lat, lon) {
  const sine = Math.sin((Math.min(85.051, Math.max(-85.051, lat)) * Math.PI) / 180);
  return [lon / 360 + 0.5, 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)];
}

// What puts a point of the plane on the screen, on that copy of the world which is nearest to the middle.
export function plane(map) {
  const { lng, lat } = map.getCenter(), box = map.getContainer();
  const [cx, cy] = mercator(lat, lng), size = TILE * 2 ** map.getZoom();
  const width = box.clientWidth, height = box.clientHeight;
  return {
    width,
    height,
    x: (x) => { let d = x - cx; d -= Math.round(d); return d * size + width / 2; },
    y: (y) => (y - cy) * size + height / 2,
    pixels: (metres, atLat) => (metres * size) / (40075016.686 * Math.cos((atLat * Math.PI) / 180)),
  };
}
