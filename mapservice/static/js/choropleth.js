// The coloured areas as the page deals with them: which are shown, in which colours, and what the pointer does.

import { AreaLayer } from "./area-layer.js";
import { BorderLayer } from "./border-layer.js";
import { mapColours } from "./colours.js";
import { Marks } from "./marks.js";
import { makePatterns } from "./patterns.js";

const GERMANY = [[47.27, 5.87], [55.06, 15.04]];
const DIMMED = 0.22;
const PASSED = 0.08;

export class Choropleth {
  constructor(map) {
    this.map = map;
    this.picture = new AreaLayer().addTo(map);
    this.lines = new BorderLayer().addTo(map);
    this.marks = new Marks().addTo(map);
    this.handlers = {};
    this.selected = "";
    this.marked = "";
    this.restyle();
    this.#watchPointer(this.picture.canvas);
  }

  on(name, handler) {
    this.handlers[name] = handler;
    return this;
  }

  /** Puts the areas of a geometry file on the map in place of those before; they are drawn with their colours. */
  setGeometry({ features, areas }, level) {
    Object.assign(this, { features, areas, level });
    this.picture.setAreas(areas, level);
    this.lines.setAreas(areas, features, level);
    this.marks.setAreas(areas);
    this.select(this.selected);
    this.mark(this.marked);
  }

  /** Takes over the colours of the present theme; areas follow with the next `colour`. */
  restyle() {
    this.colours = mapColours();
    this.patterns = makePatterns(this.colours);
    this.lines.restyle(this.colours);
    this.marks.restyle(this.colours);
  }

  /** Draws at once what waits for the next frame. */
  flush() {
    for (const layer of [this.picture, this.lines, this.marks]) layer.flush();
  }

  /** What is known of an area. */
  properties(index) {
    return this.features.properties(index);
  }

  /** The number of an area by its twelve-digit key, undefined where it is not on the map. */
  indexOf(ars) {
    return this.features?.indexOf(ars);
  }

  /** Colours every area; `fill(index)` gives {colour} or {reason}, {dimmed}, and {passed} over by the legend. */
  colour(fill) {
    const { colours, patterns } = this;
    const paints = [];
    const numbers = new Map();
    const fills = new Array(this.features.length);
    for (let index = 0; index < fills.length; index += 1) {
      const { colour, reason, dimmed, passed } = fill(index);
      const opacity = passed ? PASSED : dimmed ? DIMMED : 1;
      // Outside the chosen region: the map's own ground, taken neither for a value nor for a grey.
      const key = `${colour ?? reason} ${opacity}`;
      let number = numbers.get(key);
      if (number === undefined) {
        numbers.set(key, (number = paints.length));
        const plain = colour ?? colours.greys[reason] ?? colours.ground;
        paints.push({ style: colour ?? patterns[reason] ?? plain, colour: plain, opacity });
      }
      fills[index] = number;
    }
    this.picture.colour(fills, paints, colours);
  }

  #watchPointer(canvas) {
    const place = (event) => this.map.mouseEventToContainerPoint(event);
    const at = (point) => this.areas?.at(this.map.project(this.map.containerPointToLatLng(point), 0)) ?? null;
    const moves = () => this.map.dragging?.moving() || this.map._animatingZoom;
    canvas.addEventListener("mousemove", (event) => {
      if (moves()) return;
      const point = place(event);
      this.#hover(at(point), point);
    });
    canvas.addEventListener("mouseout", () => this.#hover(null));
    canvas.addEventListener("click", (event) => {
      if (this.map.dragging?.moved() || this.map.boxZoom?.moved()) return;
      const index = at(place(event));
      if (index !== null) this.handlers.select?.(this.properties(index));
    });
  }

  #hover(index, point) {
    this.picture.canvas.classList.toggle("leaflet-interactive", index !== null);
    this.marks.ring("hovered", index ?? undefined);
    this.handlers.hover?.(index, point);
  }

  /** Rings an area (12-digit ARS; empty for none); its colour stays. Returns its bounds, null for none. */
  select(ars) {
    this.selected = ars;
    return this.#ring("selected", ars);
  }

  /** Marks the area that the keyboard stands on; as `select`. */
  mark(ars) {
    this.marked = ars;
    return this.#ring("marked", ars);
  }

  #ring(name, ars) {
    const index = this.indexOf(ars);
    this.marks.ring(name, index);
    return index === undefined ? null : this.areas.bounds(index);
  }

  /** The extent of the areas for which `wanted(index)` holds; Germany's while there are none. */
  bounds(wanted) {
    return this.areas?.boundsOf(wanted) ?? L.latLngBounds(GERMANY);
  }
}
