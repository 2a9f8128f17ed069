// "Mein Standort": asks the browser on request alone; the position is compared here and sent nowhere.

import { t } from "./texts.js";

const PATIENCE = 15000;

/** Whether a ray from the point [x, y] eastwards crosses a line of steps an odd number of times. */
function crossesOddly([x, y], steps) {
  let odd = false;
  let x1 = 0;
  let y1 = 0;
  steps.forEach(([dx, dy], number) => {
    const [x2, y2] = [x1 + dx, y1 + dy];
    if (number && y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) odd = !odd;
    [x1, y1] = [x2, y2];
  });
  return odd;
}

/**
 * The area of a TopoJSON file that holds the point, longitude and latitude, or undefined. Every border is looked at
 * once; a point lies inside where the ray crosses the borders of an area, holes included, an odd number of times.
 */
export function areaAt(longitude, latitude, { arcs, transform: { scale, translate }, objects }) {
  const point = [(longitude - translate[0]) / scale[0], (latitude - translate[1]) / scale[1]];
  const odd = arcs.map((steps) => crossesOddly(point, steps));
  return objects.areas.geometries.find((geometry) =>
    (geometry.arcs ?? []).flat(Infinity).reduce((inside, arc) => inside !== odd[arc < 0 ? ~arc : arc], false),
  );
}

const position = () =>
  new Promise((resolve, reject) => {
    if (!navigator.geolocation) reject(Object.assign(new Error(), { code: 2 }));
    else navigator.geolocation.getCurrentPosition(resolve, reject, { timeout: PATIENCE });
  });

export class Locate {
  /** topology(): a promise of the municipalities as TopoJSON; found(area): opens one. */
  constructor(button, said, { topology, found }) {
    this.button = button;
    this.said = said;
    this.topology = topology;
    this.found = found;
    button.addEventListener("click", () => this.#locate());
  }

  async #locate() {
    if (this.busy) return;
    this.busy = true;
    this.#say(t("locating"));
    this.button.setAttribute("aria-busy", "true");
    try {
      const { coords } = await position();
      const area = areaAt(coords.longitude, coords.latitude, await this.topology());
      this.#say(area ? "" : t("locate_outside"));
      if (area) this.found(area);
    } catch (error) {
      // Codes of GeolocationPositionError; others come from loading the borders.
      const texts = { 1: "locate_denied", 2: "locate_unavailable", 3: "locate_unavailable" };
      this.#say(t(texts[error.code] ?? "failed"));
    } finally {
      this.busy = false;
      this.button.removeAttribute("aria-busy");
    }
  }

  #say(text) {
    this.said.textContent = text;
    this.said.hidden = !text;
  }
}
