// Names on the map, on a canvas of its own that neither pointer nor screen reader meets: the areas themselves
// say their names to both. What comes first is written first; what would lie on a written name is left out.

import { CanvasLayer } from "./canvas-layer.js";
import { mapColours } from "./colours.js";

// The states' two letters, by key: for screens on which the whole name does not fit.
const LETTERS = ["SH", "HH", "NI", "HB", "NW", "HE", "RP", "BW", "BY", "SL", "BE", "BB", "MV", "SN", "ST", "TH"];
const FONT = getComputedStyle(document.body).fontFamily;
const STYLES = {
  state: { font: `600 14px ${FONT}`, height: 17, spacing: "0.6px", ink: "label" },
  small: { font: `600 12px ${FONT}`, height: 15, spacing: "0px", ink: "label" },
  city: { font: `600 13px ${FONT}`, height: 16, spacing: "0px", ink: "label" },
  town: { font: `500 12px ${FONT}`, height: 15, spacing: "0px", ink: "label" },
  district: { font: `500 12px ${FONT}`, height: 15, spacing: "1.2px", ink: "label-quiet" },
  area: { font: `400 12px ${FONT}`, height: 15, spacing: "0px", ink: "label" },
};
const CITIES = 90;
const ROOM = 6;
// Nobody needs the same word twice on one spot: a district is often called like its town.
const SAME_NAME = 120;

/** "Frankfurt am Main" and "Neumarkt i.d.OPf." as one says them on the spot. */
export function shortName(name) {
  const short = name
    .replace(/[,/(].*$/, "")
    .replace(/ (?:a|b|i|o|v)\. ?(?:d|T)?\.? ?.*$/, "")
    .replace(/ (?:am|an der|an den|auf|bei|im|in der|in|ob der|vor der|von der|über|unter|vorm|vor dem) .*$/, "")
    .trim();
  return short || name;
}

/** What may be written at a zoom, the most important first: [text, lon, lat, style]. */
function candidates({ names, features, level }, zoom) {
  const found = [];
  if (names && zoom < 7.4) {
    const short = zoom < 5.7;
    for (const [key, name, lon, lat] of names.states) {
      found.push([short ? LETTERS[key - 1] ?? name : name, lon, lat, zoom < 6.4 ? "small" : "state"]);
    }
  }
  const towns = () => {
    // Four times as many with every doubling of the scale.
    const most = level === "states" && zoom < 6 ? 0 : Math.round(5 * 4 ** (zoom - 5.8));
    if (names && most > 3) {
      names.towns.slice(0, most).forEach(([name, lon, lat], index) => {
        const short = shortName(name);
        // "Brandenburg" alone is the state.
        const said = names.states.some(([, state]) => state === short && state !== name) ? name : short;
        found.push([said, lon, lat, index < CITIES ? "city" : "town"]);
      });
    }
  };
  const districts = () => {
    if (names && level !== "states" && zoom >= 7.4 && zoom < 11) {
      for (const [name, lon, lat] of names.districts) found.push([name, lon, lat, "district"]);
    }
  };
  // On a map of districts their names lead; on one of municipalities the towns'.
  if (level === "districts") districts();
  towns();
  if (level !== "districts") districts();
  if (features && (level === "municipalities" || level === "associations") && zoom >= 9) {
    for (let index = 0; index < features.length; index += 1) {
      const { name, label } = features.properties(index);
      found.push([shortName(name), ...label, "area"]);
    }
  }
  return found;
}

/** Lines of a label: a long double name breaks after its hyphen. */
function linesOf(text) {
  const at = text.indexOf("-");
  return text.length > 13 && at > 4 ? [text.slice(0, at + 1), text.slice(at + 1)] : [text];
}

const NameLayer = CanvasLayer.extend({
  options: { pane: "names", padding: 0.15 },

  initialize() {
    CanvasLayer.prototype.initialize.call(this);
    this.widths = new Map();
    this.source = {};
    this.colours = mapColours();
  },

  empty() {
    this.found = candidates(this.source, this._map.getZoom());
    if (!this.found.length) this.canvas.dataset.names = 0;
    return !this.found.length;
  },

  /** Places the names: `placed` lists {text, kind, box: [left, top, right, bottom]}. */
  paint(context) {
    const { _map: map, _bounds: bounds, colours } = this;
    this.placed = [];
    Object.assign(context, { textAlign: "center", textBaseline: "middle", lineJoin: "round" });
    for (const [text, lon, lat, kind] of this.found) {
      const at = map.latLngToLayerPoint([lat, lon]);
      if (!bounds.contains(at)) continue;
      const style = STYLES[kind];
      const lines = linesOf(text);
      const width = Math.max(...lines.map((line) => this.width(line, style)));
      const box = [
        at.x - width / 2 - ROOM,
        at.y - (style.height * lines.length) / 2 - 2,
        at.x + width / 2 + ROOM,
        at.y + (style.height * lines.length) / 2 + 2,
      ];
      if (this.placed.some((other) => collides(other, box, text))) continue;
      this.placed.push({ text, kind, box });
      context.font = style.font;
      context.letterSpacing = style.spacing;
      lines.forEach((line, index) => {
        const y = at.y + (index - (lines.length - 1) / 2) * style.height;
        context.strokeStyle = colours.halo;
        context.lineWidth = 3.5;
        context.strokeText(line, at.x, y);
        context.fillStyle = colours[style.ink];
        context.fillText(line, at.x, y);
      });
    }
    this.canvas.dataset.names = this.placed.length;
  },

  width(text, style) {
    const key = style.font + style.spacing + text;
    if (!this.widths.has(key)) {
      this.context.font = style.font;
      this.context.letterSpacing = style.spacing;
      this.widths.set(key, this.context.measureText(text).width);
    }
    return this.widths.get(key);
  },
});

function collides(other, [left, top, right, bottom], text) {
  const [l, t, r, b] = other.box;
  if (left < r && right > l && top < b && bottom > t) return true;
  return other.text === text && Math.hypot((l + r - left - right) / 2, (t + b - top - bottom) / 2) < SAME_NAME;
}

export class Names {
  /** load: fetches /api/names; asked once the first areas are painted, never before. */
  constructor(map, load) {
    const pane = map.createPane("names");
    pane.ariaHidden = "true";
    this.load = load;
    this.layer = new NameLayer().addTo(map);
    // Words measured before their font came are too wide or too narrow.
    document.fonts?.addEventListener?.("loadingdone", () => {
      this.layer.widths.clear();
      this.layer.request();
    });
  }

  /** The areas that are shown now bring their own names. */
  setAreas(features, level) {
    if (this.layer.source.features === features) return;
    Object.assign(this.layer.source, { features, level });
    this.layer.request();
    if (this.asked) return;
    this.asked = true;
    const soon = window.requestIdleCallback ?? ((act) => setTimeout(act, 200));
    soon(async () => {
      this.layer.source.names = await this.load().catch(() => null);
      this.asked = Boolean(this.layer.source.names);
      this.layer.request();
    });
  }

  /** With other colours after the theme changed. */
  restyle() {
    this.layer.colours = mapColours();
    this.layer.draw();
  }
}
