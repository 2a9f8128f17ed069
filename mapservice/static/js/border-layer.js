// Coast and borders of the levels above, from the same arcs: they lie exactly on the borders of the areas. On a canvas
// of its own, as other colours of the areas leave it as it is.

import { CanvasLayer } from "./canvas-layer.js";

// The last on top. Drawn twice, so that they stand out on pale and on dark areas.
const BORDERS = {
  district: { weight: 0.7, casing: 1.2, opacity: 0.75 },
  coast: { weight: 0.9, casing: 0, opacity: 0.8 },
  state: { weight: 1.3, casing: 1.4, opacity: 1 },
};

export const BorderLayer = CanvasLayer.extend({
  options: { padding: 0.25, className: "map-lines" },

  /** areas: of arcs.js; features: of geometry-file.js. */
  setAreas(areas, features, level) {
    const differ = (name) => {
      const groups = features.grouped(name);
      return (one, other) => groups[one] !== groups[other];
    };
    this.areas = areas;
    this.found = areas.borders({
      coast: (_, other) => other < 0,
      ...(level !== "states" && { state: differ("state") }),
      ...((level === "municipalities" || level === "associations") && { district: differ("district") }),
    });
    this.request();
  },

  restyle(colours) {
    this.colours = colours;
    this.request();
  },

  empty() {
    return !this.areas;
  },

  /** Borders grow with the scale, as in an atlas. */
  paint(context) {
    const { areas, found, colours } = this;
    areas.project(this._map);
    Object.assign(context, { lineJoin: "bevel", lineCap: "round" });
    const scale = Math.min(2, Math.max(0.8, 0.8 + (this._map.getZoom() - 6) * 0.3));
    for (const [name, { weight, casing, opacity }] of Object.entries(BORDERS)) {
      if (!found[name]) continue;
      if (casing) areas.stroke(context, found[name], { colour: colours.casing, weight: weight * scale + casing });
      areas.stroke(context, found[name], { colour: colours.line, weight: weight * scale, opacity });
    }
  },
});
