// The map by keyboard: one tab stop, arrows from area to area, each said in words.

import { t } from "./texts.js";

const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const OPPOSITE = { ArrowLeft: "ArrowRight", ArrowRight: "ArrowLeft", ArrowUp: "ArrowDown", ArrowDown: "ArrowUp" };
const PAN = 120;

/**
 * The index of the next point in a direction: the nearest one in the right angle that opens towards it,
 * 45 degrees to both sides; null where there is none. Points are [x, y] with y downwards; `allowed(index)`.
 */
export function nextIn(points, from, [ux, uy], allowed = () => true) {
  const [x, y] = points[from];
  let best = null;
  let least = Infinity;
  points.forEach(([px, py], index) => {
    const [dx, dy] = [px - x, py - y];
    const ahead = dx * ux + dy * uy;
    const distance = dx * dx + dy * dy;
    if (ahead <= 0 || Math.abs(dx * uy - dy * ux) > ahead || distance >= least || !allowed(index)) return;
    best = index;
    least = distance;
  });
  return best;
}

export class Walk {
  /**
   * allowed(index): whether an area belongs to the selection; words(index): what is said of it;
   * show(index, point) and hide(): its tooltip; open(index); close(): closes the panel, false if none was open.
   */
  constructor(map, choropleth, view, acts) {
    Object.assign(this, { map, choropleth, view, acts });
    this.container = map.getContainer();
    this.spoken = document.getElementById("map-spoken");
    this.ars = "";
    // Leaflet's own keys move the picture; here they move from area to area.
    map.keyboard.disable();
    this.container.tabIndex = 0;
    this.container.addEventListener("focus", () => {
      if (this.container.matches(":focus-visible")) this.start();
    });
    this.container.addEventListener("blur", () => this.#end());
    this.container.addEventListener("keydown", (event) => this.#key(event));
    // Movement hides every tooltip; the one of the area one stands on comes back.
    map.on("moveend", () => this.walking && this.#showTooltip());
  }

  get index() {
    return this.choropleth.indexOf(this.ars);
  }

  /** Where the walk goes on: the area that was opened or stood on last, else the one in the middle. */
  start() {
    if (!this.choropleth.features) return;
    this.walking = true;
    document.getElementById("map-page").classList.add("is-walking");
    const { index } = this;
    if (index !== undefined && this.acts.allowed(index)) this.#stand(index);
    else this.#stand(this.#middle());
  }

  #end() {
    this.walking = false;
    document.getElementById("map-page").classList.remove("is-walking");
    this.choropleth.mark("");
    this.acts.hide();
    this.spoken.textContent = "";
  }

  #key(event) {
    if (event.target !== this.container || event.altKey || event.ctrlKey || event.metaKey) return;
    const direction = DIRECTIONS[event.key];
    if (direction && event.shiftKey) this.map.panBy([direction[0] * PAN, direction[1] * PAN]);
    else if (direction) this.#go(event.key);
    else if (event.key === "Enter" || event.key === " ") this.#open();
    else if (event.key === "+" || event.key === "=") this.map.zoomIn();
    else if (event.key === "-") this.map.zoomOut();
    else if (event.key === "Home") this.view.fit();
    else if (event.key === "Escape") this.#leave();
    else return;
    event.preventDefault();
  }

  #go(key) {
    if (!this.walking || this.index === undefined) {
      this.start();
      return;
    }
    const from = this.index;
    // Back is where one came from, even where another area is nearer.
    const back = this.last && this.last.to === this.ars && this.last.key === OPPOSITE[key] ? this.last.from : null;
    const returned = back === null ? undefined : this.choropleth.indexOf(back);
    const next = returned ?? nextIn(this.#points(), from, DIRECTIONS[key], this.acts.allowed);
    if (next === null) {
      this.#say(t("walk_end"));
      return;
    }
    const origin = this.ars;
    this.#stand(next);
    this.last = { from: origin, to: this.ars, key };
  }

  #stand(index) {
    if (index === null || index === undefined) return;
    this.ars = this.choropleth.properties(index).ars;
    this.view.panTo(this.choropleth.mark(this.ars));
    this.#showTooltip();
    this.#say(this.acts.words(index));
  }

  #showTooltip() {
    const { index } = this;
    if (index === undefined) return;
    const [lon, lat] = this.choropleth.properties(index).label;
    this.acts.show(index, this.map.latLngToContainerPoint([lat, lon]));
  }

  #open() {
    if (this.index === undefined || !this.walking) this.start();
    else this.acts.open(this.index);
  }

  /** First the panel closes, then the map is left for what stands behind it in the order of tabs. */
  #leave() {
    if (!this.acts.close()) document.getElementById("zoom-in").focus();
  }

  #middle() {
    const { x, y } = this.map.project(this.map.getCenter(), 0);
    let best = null;
    let least = Infinity;
    this.#points().forEach(([px, py], index) => {
      const distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance >= least || !this.acts.allowed(index)) return;
      best = index;
      least = distance;
    });
    return best;
  }

  /** Label points in the map's projection; they change with the geometry alone. */
  #points() {
    const { features } = this.choropleth;
    if (this.pointsOf !== features) {
      this.pointsOf = features;
      this.projected = Array.from({ length: features.length }, (_, index) => {
        const [lon, lat] = features.properties(index).label;
        const { x, y } = this.map.project([lat, lon], 0);
        return [x, y];
      });
    }
    return this.projected;
  }

  #say(text) {
    // The same sentence again is said again only if the region was empty in between.
    this.spoken.textContent = "";
    requestAnimationFrame(() => (this.spoken.textContent = text));
  }
}
