// The picture of the areas: their colours, and a hairline between them.

import { CanvasLayer } from "./canvas-layer.js";
import { contrast, over } from "./colours.js";

const HAIRLINE = { states: 1.2, districts: 1, associations: 0.6, municipalities: 0.42 };
/** Below this contrast to the areas on both sides a hairline is drawn in the other colour. */
const FAINT = 1.5;
/** Areas filled at once: of one alone the call costs most, of hundreds the path. */
const AT_ONCE = 16;

export const AreaLayer = CanvasLayer.extend({
  options: { padding: 0.25 },

  /** areas: of arcs.js; nothing is drawn before they have colours. */
  setAreas(areas, level) {
    Object.assign(this, { areas, level, fills: null });
  },

  /**
   * fills: the number of a paint for each area; paints: [{style, colour, opacity}], style a colour or a pattern and
   * colour what it looks like from afar. colours: of colours.js, for the lines.
   */
  colour(fills, paints, colours) {
    Object.assign(this, { fills, paints, colours });
    const shades = paints.map(({ colour, opacity }) => over(colour, colours.ground, opacity));
    this.faint = shades.map((shade) => contrast(shade, colours.hairline) < FAINT);
    this.request();
  },

  /** How strongly an area's colour is shown, 0 to 1. */
  opacity(index) {
    return this.paints[this.fills[index]].opacity;
  },

  empty() {
    return !this.fills;
  },

  paint(context) {
    this.areas.project(this._map);
    const view = this.areas.worldBox(this._bounds);
    Object.assign(context, { lineJoin: "bevel", lineCap: "round" });
    this.fillAreas(context, view);
    this.drawHairlines(context, view);
  },

  fillAreas(context, view) {
    const { areas, fills } = this;
    const groups = this.paints.map(() => []);
    for (let index = 0; index < areas.length; index += 1) {
      if (areas.boxes.meets(index, view)) groups[fills[index]].push(index);
    }
    this.paints.forEach(({ style, opacity }, number) => {
      context.fillStyle = style;
      context.globalAlpha = opacity;
      for (let from = 0; from < groups[number].length; from += AT_ONCE) {
        context.beginPath();
        for (const index of groups[number].slice(from, from + AT_ONCE)) areas.trace(context, index);
        context.fill("evenodd");
      }
    });
    context.globalAlpha = 1;
  },

  /** Each border once, in the colour that shows beside one of its areas at least. */
  drawHairlines(context, view) {
    const { areas, fills, faint, colours } = this;
    const { sides, arcBoxes } = areas;
    const groups = [[], []];
    for (let arc = 0; 2 * arc < sides.length; arc += 1) {
      const [one, other] = [sides[2 * arc], sides[2 * arc + 1]];
      if (one < 0 || !arcBoxes.meets(arc, view)) continue;
      groups[Number(faint[fills[one]] && (other < 0 || faint[fills[other]]))].push(arc);
    }
    [colours.hairline, colours["hairline-pale"]].forEach((colour, number) =>
      areas.stroke(context, groups[number], { colour, weight: HAIRLINE[this.level] }),
    );
  },
});
