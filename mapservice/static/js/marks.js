// Rings around single areas, on a canvas of its own: they come and go without the areas being drawn anew.

import { CanvasLayer } from "./canvas-layer.js";

// Width and colour, the first below. The area that the keyboard stands on looks unlike a chosen one: light in dark.
const RINGS = {
  hovered: [[1.5, "ring"]],
  selected: [[6, "casing"], [3, "ring"]],
  marked: [[8, "ring"], [4.5, "casing"], [1.5, "ring"]],
};

export const Marks = CanvasLayer.extend({
  options: { padding: 0.25, className: "map-marks" },

  /** areas: of arcs.js. */
  setAreas(areas) {
    Object.assign(this, { areas, rings: {} });
    this.request();
  },

  /** name: of RINGS; index: of an area, undefined for none. */
  ring(name, index) {
    if (!this.rings || this.rings[name] === index) return;
    this.rings[name] = index;
    this.request();
  },

  restyle(colours) {
    this.colours = colours;
    this.request();
  },

  empty() {
    return !this.areas || Object.values(this.rings).every((index) => index === undefined);
  },

  paint(context) {
    this.areas.project(this._map);
    context.lineJoin = "round";
    for (const [name, strokes] of Object.entries(RINGS)) {
      if (this.rings[name] === undefined) continue;
      context.beginPath();
      this.areas.trace(context, this.rings[name]);
      for (const [width, colour] of strokes) {
        Object.assign(context, { lineWidth: width, strokeStyle: this.colours[colour] });
        context.stroke();
      }
    }
  },
});
